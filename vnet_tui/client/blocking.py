"""The daemon of this host, asked without an event loop: importing asyncio takes longer than most
answers, and a program that asks once has nothing else to do meanwhile.

It is the same connection over another channel: one whose coroutines never wait for a loop.

>>> connection = connect(Paths.choose())  # doctest: +SKIP
>>> infos = finished(connection.networks())
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from vnet_tui.client.way import Channel, SocketWay
from vnet_tui.engine.paths import Paths
from vnet_tui.protocol.messages import LONGEST_REPLY, BadMessageError, Json

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection

T = TypeVar("T")

_PIECE = 256 * 1024


def finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for no event loop. RuntimeError for one that does."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("this waits for an event loop, and there is none")


def connect(paths: Paths) -> Connection:
    """A connection to the daemon of this host whose questions block; changes and streams need an
    event loop.

    Raises :class:`~vnet_tui.engine.errors.VnetError` where there is none.
    """

    from vnet_tui.client.remote import RemoteConnection

    async def over(made: socket.socket) -> Channel:
        return BlockingChannel(made)

    return finished(RemoteConnection.open(SocketWay(paths.socket, over), patience=0.0))


class BlockingChannel:
    """A connection that is waited for where it stands, for so many seconds a piece; unless that is
    given, for as long as it takes."""

    def __init__(self, made: socket.socket, patience: float | None = None) -> None:
        made.settimeout(patience)
        self._socket = made
        self._buffer = bytearray()
        self.open = True

    def write(self, data: bytes) -> None:
        """Send bytes; where the connection is gone, :meth:`receive` will tell."""
        with contextlib.suppress(OSError):
            self._socket.sendall(data)

    async def beside(self, work: Callable[[Json], T], message: Json) -> T:
        """What a long computation makes of a message; there is nothing else to do."""
        return work(message)

    async def receive(self) -> bytes | None:
        """The next message, without its zero byte; None when there are no more, or none in time."""
        seen = 0
        while (end := self._buffer.find(b"\0", seen)) < 0:
            seen = len(self._buffer)
            if seen > LONGEST_REPLY:
                self.close()
                raise BadMessageError(f"longer than {LONGEST_REPLY} bytes")
            piece = b""
            with contextlib.suppress(OSError):
                piece = self._socket.recv(_PIECE)
            if not piece:
                self.close()
                return None
            self._buffer += piece
        message = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return message

    def close(self) -> None:
        """End the connection."""
        self.open = False
        self._socket.close()

    abort = close
