"""Sockets as connections to a daemon, in an event loop."""

from __future__ import annotations

import asyncio
import socket

from vnet_tui.protocol.messages import LONGEST_REPLY
from vnet_tui.protocol.wire import Wire


async def wire_over(made: socket.socket) -> Wire:
    """A socket as a connection to a daemon."""
    made.setblocking(False)
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: Wire(LONGEST_REPLY), sock=made)
    return wire
