"""vnetd as a process of its own, on the host of a test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.support.eventually import eventually
from vnet_tui.engine.paths import Paths

VNETD = (sys.executable, "-m", "vnet_tui.daemon.main")
ROOT = Path(__file__).parents[2]


def environment(paths: Paths, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of programs that work on these paths."""
    places = {"VNET_STATE_DIR": str(paths.state), "VNET_RUN_DIR": str(paths.run)}
    kept = {name: value for name, value in os.environ.items() if name != "VNET_URI"}
    return {**kept, **places, "PYTHONPATH": str(ROOT), **(more or {})}


def need_other_users() -> None:
    """Skip a test about other users where there are none: in a plain user's namespace."""
    _, _, count = Path("/proc/self/uid_map").read_text().split()[:3]
    if int(count) == 1:
        pytest.skip("needs real root: this user namespace has one user only")


class Daemon:
    """Runs from entering to leaving; ``said`` is all that it has printed."""

    def __init__(
        self,
        paths: Paths,
        *options: str,
        program: Sequence[str] = VNETD,
        environ: Mapping[str, str] | None = None,
        stdin: socket.socket | None = None,
    ) -> None:
        self._stdin = stdin
        self.paths = paths
        self._argv = [*program, *options]
        self._environ = environment(paths, environ)
        self._lines: list[str] = []
        self.process: subprocess.Popen[str]
        self._reader: threading.Thread

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def said(self) -> str:
        """All that it has printed, on both outputs."""
        return "".join(self._lines)

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.spawn()
        eventually(
            lambda: "vnetd: ready" in self.said or self.process.poll() is not None,
            within=20,
            what=f"vnetd's start: {self.said}",
        )
        assert self.process.poll() is None, self.said

    def spawn(self) -> None:
        """Start it."""
        self._lines.clear()
        self.process = subprocess.Popen(
            self._argv,
            env=self._environ,
            stdin=subprocess.DEVNULL if self._stdin is None else self._stdin.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(line)

    def stop(self) -> int:
        """End it in order; its exit status."""
        return self.end(signal.SIGTERM)

    def end(self, number: int) -> int:
        """End it with a signal; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(20)
        self._reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()
        print(self.said)  # pytest shows it beside a failure
        return status

    @property
    def memory(self) -> int:
        """Its resident memory, in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])
