"""How a daemon is reached: on this host, by its socket."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Protocol

from vnet_tui.engine.errors import ConnectionLostError, NotPermittedError
from vnet_tui.protocol.wire import LONGEST_REPLY, Wire

START = "systemctl start vnetd"


class Way(Protocol):
    """Makes connections to one daemon."""

    async def open(self) -> Wire:
        """A new connection. Raises ConnectionLostError, and NotPermittedError."""

    async def lost(self, wire: Wire, what: str) -> ConnectionLostError:
        """What to tell of a connection that ended before there was an answer to ``what``."""

    async def close(self) -> None:
        """Let go."""


class SocketWay:
    """A socket on this host."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def open(self) -> Wire:
        """A new connection."""
        return await wire_over(connected(self._path))

    async def lost(self, _wire: Wire, what: str) -> ConnectionLostError:
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
    made.setblocking(False)
    return made


async def wire_over(made: socket.socket) -> Wire:
    """A socket as a connection to a daemon."""
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: Wire(LONGEST_REPLY), sock=made)
    return wire
