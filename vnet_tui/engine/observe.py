"""What the host has now, as one value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Flag, auto
from typing import Protocol
from uuid import UUID

from vnet_tui.engine import steps
from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.errors import StoreError
from vnet_tui.engine.model import Interface
from vnet_tui.engine.naming import TAP_PREFIX
from vnet_tui.engine.resources import (
    BridgeSettings,
    BridgeSpec,
    DnsmasqProcess,
    DnsmasqSpec,
    FirewallState,
    LinkSnapshot,
    Route,
    RunRecord,
    SwitchProcess,
    SwitchSpec,
)

RTPROT_RA = 9
"""A route learned from a router advertisement (include/uapi/linux/rtnetlink.h)."""


Due = Mapping[UUID, bool]
"""Networks of which processes are looked for, each with whether one should run."""


class LinksDriver(Protocol):
    """Interfaces, addresses and routes; one kernel request a call."""

    async def snapshot(self) -> LinkSnapshot: ...
    async def create_bridge(self, spec: BridgeSpec) -> None: ...
    async def mark_bridge(self, spec: BridgeSpec) -> None: ...
    async def delete_bridge(self, name: str) -> None: ...
    async def raise_bridge(self, name: str) -> None: ...
    async def attach(self, bridge: str, ports: tuple[str, ...]) -> None: ...
    async def plug(self, bridge: str, tap: str, mtu: int) -> None: ...
    async def change_bridge(
        self, name: str, before: BridgeSettings, after: BridgeSettings
    ) -> None: ...
    async def add_address(self, bridge: str, address: Interface) -> None: ...
    async def remove_address(self, bridge: str, address: Interface) -> None: ...


class SysctlDriver(Protocol):
    """Kernel settings, and the old values of those that we changed."""

    def read(self, key: str) -> str | None: ...
    def remembered(self) -> Mapping[str, tuple[str, str]]: ...
    def set(self, step: steps.SetSysctl) -> None: ...
    def restore(self, step: steps.RestoreSysctl) -> None: ...


class DnsmasqDriver(Protocol):
    """The dnsmasq processes of ours."""

    async def observe(self, due: Due | None = None) -> tuple[DnsmasqProcess, ...]: ...
    async def start(self, spec: DnsmasqSpec) -> None: ...
    async def stop(self, spec: DnsmasqSpec) -> None: ...
    async def change(self, before: DnsmasqSpec, after: DnsmasqSpec) -> None: ...


class VdeDriver(Protocol):
    """The vde_switch processes of ours."""

    async def observe(
        self, due: Due | None = None, *, thorough: bool = False
    ) -> tuple[SwitchProcess, ...]: ...
    async def start(self, spec: SwitchSpec) -> None: ...
    async def stop(self, spec: SwitchSpec) -> None: ...


class FirewallDriver(Protocol):
    """Our firewall tables."""

    async def observe(self) -> FirewallState: ...
    async def set(self, step: steps.SetFirewall) -> None: ...


class RecordsDriver(Protocol):
    """The records of running networks."""

    def load(self) -> Mapping[UUID, RunRecord]: ...
    def damaged(self) -> Mapping[UUID, StoreError]: ...
    def save(self, record: RunRecord) -> None: ...
    def remove(self, uuid: UUID) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """Everything through which the system is seen and changed."""

    links: LinksDriver
    sysctl: SysctlDriver
    dnsmasq: DnsmasqDriver
    vde: VdeDriver
    firewall: FirewallDriver
    records: RecordsDriver


class Part(Flag):
    """Parts of a host that can be looked at apart: with a hundred networks interfaces take 3 ms,
    settings 8 ms, dnsmasqs 12 ms, and rules that nobody changed less than 1 ms."""

    LINKS = auto()
    SETTINGS = auto()
    SERVICES = auto()
    RULES = auto()
    ALL = LINKS | SETTINGS | SERVICES | RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The host at one moment.

    ``sysctls`` holds the values of the keys that were asked for (None: the kernel has no such
    key); ``remembered`` the host-wide ones that we changed, each with its old value and ours.
    """

    links: LinkSnapshot
    dnsmasqs: tuple[DnsmasqProcess, ...]
    switches: tuple[SwitchProcess, ...]
    firewall: FirewallState
    sysctls: Mapping[str, str | None]
    remembered: Mapping[str, tuple[str, str]]
    records: Mapping[UUID, RunRecord]


async def observe(
    drivers: Drivers,
    sysctls: Iterable[str],
    *,
    about: Mapping[UUID, DesiredNetwork] | None = None,
    parts: Part = Part.ALL,
    earlier: Observed | None = None,
) -> Observed:
    """Look at the host; ``sysctls`` are the keys to read beside the remembered ones and those by
    which interfaces accept router advertisements. Services are looked for among all processes, the
    slowest thing to look at; where networks are given that it is ``about``, those of no others are
    seen. Where there was an ``earlier`` look, only these ``parts`` are looked at anew.
    """
    if earlier is None or Part.LINKS in parts:
        links = await drivers.links.snapshot()
    else:
        links = earlier.links
    if earlier is None or Part.SERVICES in parts:
        taps = any(name.startswith(TAP_PREFIX) for name in links.links)
        serving = switching = None
        if about is not None:
            serving = {uuid: one.dnsmasq is not None for uuid, one in about.items()}
            switching = {uuid: one.switch is not None for uuid, one in about.items()}
        dnsmasqs = await drivers.dnsmasq.observe(serving)
        switches = await drivers.vde.observe(switching, thorough=taps)
    else:
        dnsmasqs, switches = earlier.dnsmasqs, earlier.switches
    if earlier is None or Part.RULES in parts:
        firewall = await drivers.firewall.observe()
    else:
        firewall = earlier.firewall
    remembered = drivers.sysctl.remembered()
    keys = {*sysctls, *remembered, *(accept_ra(device) for device in advertised(links))}
    if earlier is None or Part.SETTINGS in parts or not keys <= earlier.sysctls.keys():
        values = {key: drivers.sysctl.read(key) for key in keys}
    else:
        values = {key: earlier.sysctls[key] for key in keys}
    return Observed(
        links=links,
        dnsmasqs=dnsmasqs,
        switches=switches,
        firewall=firewall,
        sysctls=values,
        remembered=remembered,
        records=drivers.records.load(),
    )


def is_default(route: Route) -> bool:
    """Whether a route is for whatever has no better one.

    VPN clients put the two halves of everything (0.0.0.0/1 and 128.0.0.0/1; 2000::/3, or ::/1 and
    8000::/1) before the default route instead of replacing it; every private subnet has better.
    """
    return route.destination.prefixlen <= (1 if route.destination.version == 4 else 3)


def advertised(links: LinkSnapshot) -> frozenset[str]:
    """The interfaces that the host has a default route of from a router advertisement."""
    return frozenset(
        route.device
        for route in links.routes
        if route.protocol == RTPROT_RA and route.destination.prefixlen == 0 and route.device
    )


def accept_ra(device: str) -> str:
    """The key that says whether an interface listens to router advertisements: 1 only while the
    host doesn't forward, 2 always (Documentation/networking/ip-sysctl.rst)."""
    return f"net/ipv6/conf/{device}/accept_ra"
