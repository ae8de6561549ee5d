"""The definition of a network as a model, for those who show it."""

from __future__ import annotations

import asyncio
from uuid import UUID

from vnet_tui.client.connection import Connection
from vnet_tui.engine.model import Network


async def read_document(
    connection: Connection, network: UUID, *, inactive: bool = False
) -> Network:
    """Its document, parsed: as it runs, or as defined. VnetError: there is none, or it is damaged.

    The parser brings lxml along, so the first call takes it in and parses in a thread.
    """
    return await asyncio.to_thread(_parse, await connection.xml(network, inactive=inactive))


def _parse(document: str) -> Network:
    from vnet_tui.engine.xml import parse

    return parse(document)
