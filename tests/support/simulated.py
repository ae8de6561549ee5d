"""A host in memory behind the drivers' protocols: for properties of plans, not of kernels.

It is strict where the kernel is (no two interfaces of one name, no address on a missing bridge),
so that a plan in a wrong order fails here too. The real drivers are tested in tests/netns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from vnet_tui.engine import steps
from vnet_tui.engine.errors import DriverError, StoreError
from vnet_tui.engine.model import Interface
from vnet_tui.engine.observe import (
    DnsmasqDriver,
    Drivers,
    Due,
    FirewallDriver,
    LinksDriver,
    RecordsDriver,
    SysctlDriver,
    VdeDriver,
)
from vnet_tui.engine.resources import (
    BridgeSettings,
    BridgeSpec,
    DnsmasqProcess,
    DnsmasqSpec,
    FirewallState,
    Link,
    LinkSnapshot,
    NetworkRules,
    Route,
    RunRecord,
    SwitchProcess,
    SwitchSpec,
    rules_digest,
)


class SimulatedLinks:
    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self.routes: list[Route] = []
        self._next = 10
        self.pace = 0.0

    def add(self, name: str, *, kind: str = "veth", master: str | None = None) -> None:
        """An interface that isn't ours."""
        self._next += 1
        self.links[name] = Link(
            index=self._next,
            name=name,
            kind=kind,
            alias="",
            up=True,
            carrier=True,
            master=master,
            addresses=frozenset(),
        )

    def _get(self, name: str) -> Link:
        if name not in self.links:
            raise DriverError(f"no interface {name}")
        return self.links[name]

    async def snapshot(self) -> LinkSnapshot:
        return LinkSnapshot(links=dict(self.links), routes=tuple(self.routes))

    async def create_bridge(self, spec: BridgeSpec) -> None:
        if spec.name in self.links:
            raise DriverError(f"{spec.name} exists")
        self.add(spec.name, kind="bridge")
        self.links[spec.name] = replace(self.links[spec.name], up=False, settings=spec.settings)

    async def mark_bridge(self, spec: BridgeSpec) -> None:
        self.links[spec.name] = replace(self._get(spec.name), alias=spec.mark, up=True)

    async def delete_bridge(self, name: str) -> None:
        self.links.pop(name, None)
        for port in [link for link in self.links.values() if link.master == name]:
            self.links[port.name] = replace(port, master=None)

    async def raise_bridge(self, name: str) -> None:
        self.links[name] = replace(self._get(name), up=True)

    async def attach(self, bridge: str, ports: tuple[str, ...]) -> None:
        self._get(bridge)
        for port in ports:
            if port in self.links:
                self.links[port] = replace(self.links[port], master=bridge)

    async def plug(self, bridge: str, tap: str, mtu: int) -> None:
        self._get(bridge)
        self.links[tap] = replace(self._get(tap), master=bridge, mtu=mtu, up=True)

    async def change_bridge(self, name: str, before: BridgeSettings, after: BridgeSettings) -> None:
        if self._get(name).settings != before:
            raise DriverError(f"{name} isn't as the plan says")
        self.links[name] = replace(self.links[name], settings=after)

    async def add_address(self, bridge: str, address: Interface) -> None:
        await asyncio.sleep(self.pace)
        link = self._get(bridge)
        if not link.up:
            raise DriverError(f"{bridge} is down")
        self.links[bridge] = replace(link, addresses=link.addresses | {address})

    async def remove_address(self, bridge: str, address: Interface) -> None:
        if bridge in self.links:
            link = self.links[bridge]
            self.links[bridge] = replace(link, addresses=link.addresses - {address})


class SimulatedSysctl:
    def __init__(self) -> None:
        self.values: dict[str, str] = {
            "net/ipv4/ip_forward": "0",
            "net/ipv6/conf/all/forwarding": "0",
        }
        self.old: dict[str, tuple[str, str]] = {}

    def read(self, key: str) -> str | None:
        return self.values.get(key)

    def remembered(self) -> Mapping[str, tuple[str, str]]:
        return dict(self.old)

    def set(self, step: steps.SetSysctl) -> None:
        if step.remember:
            self.old[step.key] = (step.before, step.after)
        self.values[step.key] = step.after

    def restore(self, step: steps.RestoreSysctl) -> None:
        if self.values[step.key] == step.before:
            self.values[step.key] = step.after
        self.old.pop(step.key)


class SimulatedDnsmasq:
    def __init__(self, links: SimulatedLinks) -> None:
        self.processes: dict[UUID, DnsmasqSpec] = {}
        self._links = links

    async def observe(self, due: Due | None = None) -> tuple[DnsmasqProcess, ...]:
        return tuple(
            DnsmasqProcess(pid=1000 + number, spec=spec)
            for number, spec in enumerate(self.processes.values())
            if due is None or spec.network in due
        )

    async def start(self, spec: DnsmasqSpec) -> None:
        if spec.network in self.processes:
            raise DriverError("address already in use")
        if spec.bridge not in self._links.links:
            raise DriverError(f"unknown interface {spec.bridge}")
        self.processes[spec.network] = spec

    async def stop(self, spec: DnsmasqSpec) -> None:
        self.processes.pop(spec.network, None)

    async def change(self, before: DnsmasqSpec, after: DnsmasqSpec) -> None:
        if self.processes.get(before.network) != before:
            raise DriverError("that isn't what runs")
        self.processes[after.network] = after


class SimulatedVde:
    def __init__(self, links: SimulatedLinks) -> None:
        self.processes: dict[UUID, SwitchSpec] = {}
        self._links = links

    async def observe(
        self, due: Due | None = None, *, thorough: bool = False
    ) -> tuple[SwitchProcess, ...]:
        return tuple(
            SwitchProcess(pid=2000 + number, spec=spec)
            for number, spec in enumerate(self.processes.values())
            if due is None or spec.network in due
        )

    async def start(self, spec: SwitchSpec) -> None:
        if spec.tap in self._links.links:
            raise DriverError(f"{spec.tap} exists")
        if spec.socket in {one.socket for one in self.processes.values()}:
            raise DriverError("address already in use")
        self.processes[spec.network] = spec
        self._links.add(spec.tap, kind="tun")
        self._links.links[spec.tap] = replace(self._links.links[spec.tap], up=False)

    async def stop(self, spec: SwitchSpec) -> None:
        if one := self.processes.pop(spec.network, None):
            self._links.links.pop(one.tap, None)


class SimulatedFirewall:
    def __init__(self) -> None:
        self.installed: dict[UUID, NetworkRules] = {}
        self.flushed = False

    async def observe(self) -> FirewallState:
        return FirewallState(
            present=bool(self.installed) and not self.flushed,
            intact=not self.flushed,
            digests={}
            if self.flushed
            else {uuid: rules_digest(rules) for uuid, rules in self.installed.items()},
        )

    async def set(self, step: steps.SetFirewall) -> None:
        if not step.rewrite and dict(step.before.networks) != self.installed:
            raise DriverError("that isn't what is installed")
        self.installed = dict(step.after.networks)
        self.flushed = False


class SimulatedRecords:
    def __init__(self) -> None:
        self.records: dict[UUID, RunRecord] = {}

    def load(self) -> Mapping[UUID, RunRecord]:
        return dict(self.records)

    def damaged(self) -> Mapping[UUID, StoreError]:
        return {}

    def save(self, record: RunRecord) -> None:
        self.records[record.uuid] = record

    def remove(self, uuid: UUID) -> None:
        self.records.pop(uuid, None)


class _Mortal:
    """A driver of a process that may be dead: then nothing that it is told happens."""

    def __init__(self, driver: object, host: SimulatedHost) -> None:
        self._driver = driver
        self._host = host

    def __getattr__(self, name: str) -> Any:
        if self._host.dead:
            raise DriverError("this process was killed")
        return getattr(self._driver, name)


def mortal(driver: object, host: SimulatedHost) -> Any:
    """The same for a driver that isn't simulated."""
    return _Mortal(driver, host)


class SimulatedHost:
    """All of them together. ``dead``: the process that uses them was killed."""

    def __init__(self) -> None:
        self.dead = False
        self.links = SimulatedLinks()
        self.sysctl = SimulatedSysctl()
        self.dnsmasq = SimulatedDnsmasq(self.links)
        self.vde = SimulatedVde(self.links)
        self.firewall = SimulatedFirewall()
        self.records = SimulatedRecords()

    @property
    def drivers(self) -> Drivers:
        return Drivers(
            links=cast("LinksDriver", _Mortal(self.links, self)),
            sysctl=cast("SysctlDriver", _Mortal(self.sysctl, self)),
            dnsmasq=cast("DnsmasqDriver", _Mortal(self.dnsmasq, self)),
            vde=cast("VdeDriver", _Mortal(self.vde, self)),
            firewall=cast("FirewallDriver", _Mortal(self.firewall, self)),
            records=cast("RecordsDriver", _Mortal(self.records, self)),
        )

    @property
    def pace(self) -> float:
        """Seconds that an address takes; none unless a test is about what happens meanwhile."""
        return self.links.pace

    @pace.setter
    def pace(self, seconds: float) -> None:
        self.links.pace = seconds

    def state(self) -> dict[str, object]:
        """Everything that an undo has to bring back (interface indexes are the kernel's)."""
        return {
            "links": {
                name: replace(link, index=0) for name, link in sorted(self.links.links.items())
            },
            "sysctls": {
                key: value
                for key, value in self.sysctl.values.items()
                if "/conf/" not in key or key.split("/")[3] in {"all", *self.links.links}
            },
            "remembered": dict(self.sysctl.old),
            "dnsmasq": dict(self.dnsmasq.processes),
            "vde": dict(self.vde.processes),
            "firewall": dict(self.firewall.installed),
            "records": dict(self.records.records),
        }
