"""How the daemon of another host is reached: through ssh(1)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vnet_tui.client.way import Channel
from vnet_tui.client.wires import wire_over
from vnet_tui.engine.errors import ConnectionLostError, VnetError
from vnet_tui.protocol.wire import Wire

RELAY = "vnet --stdio"
"""What is run on the other host: its standard input and output lead to the daemon there."""

_NOT_FOUND = 127  # as a shell says that there is no such program


@dataclass(frozen=True, slots=True)
class Destination:
    """Another host, as ssh(1) is told it."""

    host: str
    user: str = ""
    port: str = ""

    @classmethod
    def of(cls, uri: str) -> Destination:
        """What ``vnet+ssh://user@host:port/system`` says. Raises VnetError for what says nothing
        of the kind."""
        found = re.fullmatch(
            r"vnet\+ssh://(?:(?P<user>[^@/:]+)@)?"
            r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^@/:\[\]]+)(?::(?P<port>\d{1,5}))?/system",
            uri,
        )
        if found is None:
            raise VnetError(f"{uri!r} names no host", "as in vnet+ssh://root@example.net/system")
        return cls(found["host"].strip("[]"), found["user"] or "", found["port"] or "")

    def argv(self, control: str) -> Sequence[str]:
        """The command that leads to the daemon there. Several share one login (``control``)."""
        options = ["-T", "-o", "BatchMode=yes", "-o", "ControlMaster=auto"]
        options += ["-o", f"ControlPath={control}", "-o", "ControlPersist=no"]
        if self.port:
            options += ["-p", self.port]
        if self.user:
            options += ["-l", self.user]
        return ["ssh", *options, "--", self.host, RELAY]


@dataclass
class _Relay:
    process: subprocess.Popen[bytes]
    said: Path


@dataclass
class SshWay:
    """The daemon of another host, through ``vnet --stdio`` there. No port has to be open but
    that of ssh, which must not have to ask for anything (BatchMode)."""

    destination: Destination
    _directory: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="vnet-ssh-")
    )
    _relays: dict[Channel, _Relay] = field(default_factory=dict)

    async def open(self) -> Wire:
        """A new connection."""
        self._reap()
        said = Path(self._directory.name) / f"said-{len(self._relays)}-{os.urandom(4).hex()}"
        argv = self.destination.argv(f"{self._directory.name}/%C")
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.to_thread(_start, argv, theirs, said)
        wire = await wire_over(ours)
        self._relays[wire] = _Relay(process, said)
        return wire

    async def lost(self, wire: Channel, what: str) -> ConnectionLostError:
        """What ssh, or the other host, said as it ended."""
        host, relay, said = self.destination.host, self._relays.get(wire), ""
        if relay is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(relay.process.wait, 2)
            if relay.said.exists():
                said = " ".join(relay.said.read_text(errors="replace").split())[-500:]
            if relay.process.returncode == _NOT_FOUND:
                return ConnectionLostError(
                    f"{host} has no vnet: {said}", "install vnet-tui there, so that ssh finds vnet"
                )
        return ConnectionLostError(
            f"{host} went away before it answered {what}" + (f": {said}" if said else ""),
            f"try: ssh {host} {RELAY}",
        )

    async def close(self) -> None:
        """End every ssh."""
        for wire, relay in self._relays.items():
            wire.abort()
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(relay.process.wait, 1)
            relay.process.kill()
            relay.process.wait()
        self._relays.clear()
        self._directory.cleanup()

    def _reap(self) -> None:
        for wire, relay in list(self._relays.items()):
            if not wire.open and relay.process.poll() is not None:
                relay.said.unlink(missing_ok=True)
                del self._relays[wire]


def _start(argv: Sequence[str], end: socket.socket, said: Path) -> subprocess.Popen[bytes]:
    """Start ssh on one end of a pair of sockets, in a session of its own: keys of the terminal
    don't reach it."""
    with said.open("wb") as errors:
        try:
            return subprocess.Popen(
                argv, stdin=end.fileno(), stdout=end.fileno(), stderr=errors, start_new_session=True
            )
        except OSError as error:
            raise VnetError(
                f"can't start ssh: {error.strerror}", "on Debian: apt-get install openssh-client"
            ) from error
