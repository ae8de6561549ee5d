"""A daemon in a sandbox of its own: reached by a socket that is made here and handed to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from vnet_tui.client.way import Channel, connected
from vnet_tui.client.wires import wire_over
from vnet_tui.engine.errors import ConnectionLostError
from vnet_tui.protocol.wire import Wire


class SandboxWay:
    """Starts the sandbox with the first connection, and ends it with :meth:`close`."""

    def __init__(self) -> None:
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._tether = -1

    async def open(self) -> Wire:
        """A new connection; the first one is answered when the sandbox is ready."""
        if self._process is None:
            await asyncio.to_thread(self._start)
        elif self._process.poll() is not None:
            raise ConnectionLostError(f"the sandbox ended{self._said()}")
        return await wire_over(connected(self._path("vnetd.sock")))

    async def lost(self, _channel: Channel, what: str) -> ConnectionLostError:
        """What the sandbox said as it ended."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, 2)
        return ConnectionLostError(f"the sandbox ended before it answered {what}{self._said()}")

    async def close(self) -> None:
        """End the sandbox and all in it."""
        if self._process is not None:
            os.close(self._tether)
            try:
                await asyncio.to_thread(self._process.wait, 10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._directory is not None:
            self._directory.cleanup()

    def _path(self, name: str) -> Path:
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="vnet-sandbox-")
        return Path(self._directory.name) / name

    def _start(self) -> None:
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening,
            self._path("log").open("wb") as log,
        ):
            listening.bind(str(self._path("vnetd.sock")))
            listening.listen()
            # The daemon ends when the other end of this pipe is gone, and that goes with us.
            tether, self._tether = os.pipe()
            given = listening.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vnet_tui.sandbox.served", str(given), str(tether)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[given, tether],
                env={**os.environ, "PYTHONSAFEPATH": "1"},
                start_new_session=True,
            )
            os.close(tether)

    def _said(self) -> str:
        log = self._path("log")
        text = log.read_text(errors="replace") if log.exists() else ""
        said = " ".join(text.split())[-500:]
        return f": {said}" if said else ""
