"""A connection to an engine in this very process."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from uuid import UUID

from vnet_tui.engine.engine import Engine
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import HostInfo, Sample

LEISURE = 2.0
"""Seconds in which a picture of the networks is painted by whoever asked for them."""


class LocalConnection(Engine):
    """An engine of one's own, which also says where it is."""

    async def host(self) -> HostInfo:
        """Where this is and what it works with."""
        driver, reason = await self.firewall()
        return HostInfo(
            name=socket.gethostname(),
            via="sandbox" if os.environ.get("VNET_SANDBOX") else "embedded",
            firewall=driver,
            firewall_reason=reason,
            damaged=await self.damaged(),
            repairs=self.repairs,
        )


class PromptConnection(LocalConnection):
    """One that lists its networks before it watches: it begins to when its samples are asked for,
    and then when it has told where it is, for which there is ``LEISURE``. NotPermittedError: that
    takes root."""

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths)
        self._permitted("manage networks")
        self._told = asyncio.Event()

    async def host(self) -> HostInfo:
        """Where this is and what it works with."""
        try:
            return await super().host()
        finally:
            self._told.set()

    async def samples(self, detailed: Sequence[UUID] | None = None) -> AsyncIterator[Sample]:
        """Statistics of all running networks, once a second."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), LEISURE)
        await _begin(self)
        async for sample in super().samples(detailed):
            yield sample


async def connect(paths: Paths) -> LocalConnection:
    """An engine that has ended what a killed one left half-done, and watches the host."""
    connection = LocalConnection(paths)
    await _begin(connection)
    return connection


async def _begin(connection: LocalConnection) -> None:
    await connection.adopt()
    await connection.watch()
