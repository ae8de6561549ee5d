"""A connection to an engine in this very process."""

from __future__ import annotations

import os
import socket

from vnet_tui.engine.engine import Engine
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import HostInfo


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


async def connect(paths: Paths) -> LocalConnection:
    """An engine that has ended what a killed one left half-done, and watches the host."""
    connection = LocalConnection(paths)
    await connection.adopt()
    await connection.watch()
    return connection
