"""Follows which names guests have, and tells of two with the same."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from uuid import UUID

from vnet_tui.engine.attached import attached_guests
from vnet_tui.engine.catalog import Catalog
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.guests import namesakes
from vnet_tui.engine.lease_names import first_telling, remember
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import EventKind, Lease


class NameWatch:
    """Is told of all leases as they come and go, before rules follow them."""

    def __init__(self, paths: Paths, catalog: Catalog, bus: EventBus) -> None:
        self._paths = paths
        self._catalog = catalog
        self._bus = bus

    async def remember(self, uuid: UUID, leases: Sequence[Lease]) -> Sequence[Lease]:
        """Keep whose name each is, whatever others claim from now on; gives them so named."""
        running = self._catalog.running().get(uuid)

        def work() -> Sequence[Lease]:
            attached = attached_guests(running[1]) if running and leases else {}
            return remember(self._paths, uuid, leases, time.time(), attached)

        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            message = f"can't keep who has which name: {error.strerror or error}"
            self._bus.tell(EventKind.WARNING, uuid, self._name(uuid), message)
            return leases

    async def tell(self, uuid: UUID, leases: Sequence[Lease]) -> None:
        """Tell of each guest that has another's name, once for as long as it has the lease."""
        running = self._catalog.running().get(uuid)
        for pair in namesakes(running[1], leases) if running else ():
            with contextlib.suppress(OSError):
                if await asyncio.to_thread(first_telling, self._paths, uuid, pair.other):
                    self._bus.tell(EventKind.WARNING, uuid, self._name(uuid), str(pair))

    def _name(self, uuid: UUID) -> str:
        running = self._catalog.running().get(uuid)
        return running[0].name if running else ""
