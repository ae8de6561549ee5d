"""A described network comes to be: stored and running, or as it was before."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from vnet_tui.engine.errors import VnetError

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection, OnProgress
    from vnet_tui.engine.views import NetworkInfo


async def define_and_start(
    connection: Connection, document: str, *, on_progress: OnProgress | None = None
) -> NetworkInfo:
    """Put a new network into the store, and start it.

    Raises what :meth:`~vnet_tui.client.connection.Connection.define` and ``start`` raise; one that
    doesn't start isn't defined either.
    """
    defined = await connection.define(document)
    try:
        (started,) = await connection.start([defined.uuid], on_progress=on_progress)
    except BaseException:
        with suppress(VnetError):
            await asyncio.shield(connection.undefine(defined.uuid))
        raise
    return started
