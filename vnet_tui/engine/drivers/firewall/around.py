"""A firewall driver around another one, which does all that it doesn't do itself."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from vnet_tui.engine.drivers.firewall.protocol import FirewallDriver
from vnet_tui.engine.resources import FirewallState
from vnet_tui.engine.rule_counters import Counters


class Around:
    """Is ``driver``, as far as who extends this says nothing else."""

    def __init__(self, driver: FirewallDriver) -> None:
        self._driver = driver

    @property
    def name(self) -> str:
        """That of the driver at work."""
        return self._driver.name

    @property
    def reason(self) -> str:
        """Why this one."""
        return self._driver.reason

    async def observe(self) -> FirewallState:
        """What there is of ours."""
        return await self._driver.observe()

    async def counters(self, networks: Collection[UUID] | None = None) -> Counters:
        """What the driver at work has counted."""
        return await self._driver.counters(networks)

    async def close(self) -> None:
        """Close it; rules stay."""
        await self._driver.close()
