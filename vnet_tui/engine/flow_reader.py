"""Reading who talks with whom, for whoever asks."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from vnet_tui.engine.changes import Changes
from vnet_tui.engine.desired import FLOW_ACCOUNTING
from vnet_tui.engine.drivers.conntrack import tracked
from vnet_tui.engine.drivers.sysctl import Sysctl
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.flows import FlowMeter
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.steps import SetSysctl
from vnet_tui.engine.views import Flows


class FlowReader:
    """Reads the connections of networks. The first question makes the kernel count what they
    carry, until no network runs any more; where that is refused they come without figures."""

    def __init__(self, paths: Paths, changes: Callable[[], Awaitable[Changes]]) -> None:
        self._sysctl = Sysctl(paths)
        self._changes = changes
        self._meters: dict[UUID, FlowMeter] = {}
        self._counting = False

    async def read(self, uuid: UUID, network: Network, most: int) -> Flows:
        """The ``most`` busiest connections of a running network. Raises DriverError."""
        if not self._counting:
            self._counting = True
            with contextlib.suppress(VnetError):
                await (await self._changes()).alone(self._count)
        meter = self._meters.setdefault(uuid, FlowMeter(time.time))
        ips = [ip.interface for ip in network.ips]
        subnets = [ip.network for ip in ips]
        return await asyncio.to_thread(lambda: meter.flows(tracked(subnets), ips, most))

    async def _count(self) -> None:
        """Alone, as what the setting was before is kept with what other settings were."""
        if (before := self._sysctl.read(FLOW_ACCOUNTING)) == "0":
            self._sysctl.set(
                SetSysctl(key=FLOW_ACCOUNTING, before=before, after="1", remember=True)
            )
