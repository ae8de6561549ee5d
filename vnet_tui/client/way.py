"""How a daemon is reached, whatever waits for its answers: an event loop, or a blocking call."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar

from vnet_tui.engine.errors import ConnectionLostError, NotPermittedError
from vnet_tui.protocol.messages import Json

T = TypeVar("T")

START = "systemctl start vnetd"


class Channel(Protocol):
    """A connection that messages go over, one call at a time."""

    @property
    def open(self) -> bool:
        """Whether it can be used still."""

    def write(self, data: bytes) -> None:
        """Send bytes; where the connection is gone, :meth:`receive` will tell."""

    async def receive(self) -> bytes | None:
        """The next message, without its zero byte; None when there are no more.

        Raises :class:`~vnet_tui.protocol.messages.BadMessageError` for one that is too long.
        """

    async def beside(self, work: Callable[[Json], T], message: Json) -> T:
        """What a long computation makes of a message; other work goes on, if there is any."""

    def close(self) -> None:
        """End the connection when all is written."""

    def abort(self) -> None:
        """End the connection at once."""


class Way(Protocol):
    """Makes connections to one daemon."""

    async def open(self) -> Channel:
        """A new connection. Raises ConnectionLostError, and NotPermittedError."""

    async def lost(self, channel: Channel, what: str) -> ConnectionLostError:
        """What to tell of a connection that ended before there was an answer to ``what``."""

    async def close(self) -> None:
        """Let go."""


class SocketWay:
    """The socket of a daemon on this host; ``over`` makes a channel of one that is connected."""

    def __init__(self, path: Path, over: Callable[[socket.socket], Awaitable[Channel]]) -> None:
        self._path = path
        self._over = over

    async def open(self) -> Channel:
        """A new connection."""
        return await self._over(connected(self._path))

    async def lost(self, _channel: Channel, what: str) -> ConnectionLostError:
        """No more is known than that."""
        return ConnectionLostError(f"the daemon went away before it answered {what}", START)

    async def close(self) -> None:
        """There is nothing to let go of."""


def connected(path: Path) -> socket.socket:
    """A socket that is connected to a daemon's.

    Raises :class:`~vnet_tui.engine.errors.ConnectionLostError` where none answers, and
    :class:`~vnet_tui.engine.errors.NotPermittedError` where the way to it is barred.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.connect(str(path))
    except PermissionError:
        made.close()
        raise NotPermittedError(
            f"you may not open {path}", "use sudo, or ask for the group vnet-read"
        ) from None
    except OSError as error:
        made.close()
        reason = error.strerror or error
        raise ConnectionLostError(f"no daemon answers on {path}: {reason}", START) from error
    return made
