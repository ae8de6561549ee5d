"""A varlink client without manners: sends whatever bytes, reads when it is told to."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

MANAGER = "io.vnet.Manager"
PATIENCE = 10.0


class Raw:
    """A connection to the daemon's socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def call(self, method: str, parameters: object = None, **flags: bool) -> dict[str, Any]:
        """The first reply to a call; a method of the manager unless it has an interface."""
        self.ask(method, parameters, **flags)
        return self.reply()

    def ask(self, method: str, parameters: object = None, **flags: bool) -> None:
        """Send a call."""
        name = method if "." in method else f"{MANAGER}.{method}"
        given = {} if parameters is None else {"parameters": parameters}
        self.send(json.dumps({"method": name, **given, **flags}).encode() + b"\0")

    def reply(self) -> dict[str, Any]:
        """The next reply. EOFError when the daemon has ended the connection."""
        while b"\0" not in self._buffer:
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError:
                data = b""
            if not data:
                raise EOFError
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def is_cut(self) -> bool:
        """Whether the daemon ends the connection, in time, without another reply."""
        try:
            self.reply()
        except EOFError:
            return True
        return False
