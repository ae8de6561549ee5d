"""The drivers of this host, opened when they are first needed: importing them is the slow part."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vnet_tui.engine.apply import BeforeStep
from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.observe import Drivers
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.records import Records
from vnet_tui.engine.upkeep import Upkeep
from vnet_tui.engine.xml import network_in

if TYPE_CHECKING:
    from vnet_tui.engine.drivers.dnsmasq import Dnsmasq
    from vnet_tui.engine.drivers.firewall.protocol import FirewallDriver
    from vnet_tui.engine.drivers.links import Links
    from vnet_tui.engine.drivers.vde import Vde


class System:
    """This host's drivers, and the changes that are made through them."""

    def __init__(
        self, paths: Paths, records: Records, firewall: str, before_step: BeforeStep | None
    ) -> None:
        self._paths = paths
        self._records = records
        self._preference = firewall
        self._before_step = before_step
        self._opening = asyncio.Lock()
        self._changes: Upkeep | None = None
        self._links: Links | None = None
        self._firewall: FirewallDriver | None = None
        self._dnsmasq: Dnsmasq | None = None
        self._vde: Vde | None = None

    async def changes(self) -> Upkeep:
        """How the host is changed."""
        async with self._opening:
            if self._changes is None:
                self._changes = await self._open()
            return self._changes

    async def links(self) -> Links:
        """The links driver."""
        await self.changes()
        if self._links is None:
            raise AssertionError("open drivers include links")
        return self._links

    async def firewall(self) -> FirewallDriver:
        """The firewall driver that was chosen."""
        await self.changes()
        if self._firewall is None:
            raise AssertionError("open drivers include a firewall")
        return self._firewall

    async def dnsmasq(self) -> Dnsmasq:
        """The dnsmasq driver."""
        await self.changes()
        if self._dnsmasq is None:
            raise AssertionError("open drivers include dnsmasq")
        return self._dnsmasq

    async def vde(self) -> Vde:
        """The driver of vde_switch."""
        await self.changes()
        if self._vde is None:
            raise AssertionError("open drivers include vde")
        return self._vde

    async def close(self) -> None:
        """Let go of sockets and threads, after a change that is under way; what runs goes on."""
        if self._changes is not None:
            await self._changes.close()
        if self._firewall is not None:
            await self._firewall.close()
        if self._links is not None:
            await self._links.close()
        self._changes = self._links = self._firewall = None

    async def _open(self) -> Upkeep:
        from vnet_tui.engine.drivers.dnsmasq import Dnsmasq
        from vnet_tui.engine.drivers.firewall.protocol import choose
        from vnet_tui.engine.drivers.links import Links
        from vnet_tui.engine.drivers.sysctl import Sysctl
        from vnet_tui.engine.drivers.vde import Vde

        self._links = await Links.open()
        self._firewall = choose(self._preference, self._paths)
        self._dnsmasq = dnsmasq = Dnsmasq(self._paths)
        self._vde = vde = Vde(self._paths)

        async def service_conflicts(
            one: DesiredNetwork, had: DesiredNetwork | None
        ) -> tuple[Problem, ...]:
            found: tuple[Problem, ...] = ()
            if had is None or had.dnsmasq != one.dnsmasq:
                found += await dnsmasq.port_conflicts(one.network)
            if one.switch is not None and (had is None or had.switch != one.switch):
                line = one.network.switch.line if one.network.switch else 0
                found += await vde.conflicts(one.switch, line)
            return found

        return Upkeep(
            self._paths,
            Drivers(
                links=self._links,
                sysctl=Sysctl(self._paths),
                dnsmasq=dnsmasq,
                vde=vde,
                firewall=self._firewall,
                records=self._records,
            ),
            parse=network_in,
            service_conflicts=service_conflicts,
            before_step=self._before_step,
        )
