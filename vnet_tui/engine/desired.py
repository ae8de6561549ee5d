"""What a set of running networks asks of the host: documents turned into resources. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from vnet_tui.engine.dnsmasq_config import dnsmasq_spec
from vnet_tui.engine.guests import find_guest
from vnet_tui.engine.model import Bridge, Interface, Mode, Network, Switch
from vnet_tui.engine.naming import derive_mac, derive_tap_name
from vnet_tui.engine.paths import SWITCH_SOCKETS, Paths
from vnet_tui.engine.policy import forwards_loopback, network_rules
from vnet_tui.engine.resources import (
    BridgeSettings,
    BridgeSpec,
    DnsmasqSpec,
    Link,
    NetworkRules,
    Ruleset,
    RunRecord,
    SwitchSpec,
)
from vnet_tui.engine.views import Lease

DEFAULT_MTU = 1500
STP_FORWARD_DELAY = 15
"""Seconds that a port listens and learns where spanning tree is on (IEEE 802.1D's default)."""

IP_FORWARD = "net/ipv4/ip_forward"
FLOW_ACCOUNTING = "net/netfilter/nf_conntrack_acct"
"""Whether the kernel counts what tracked connections carry: those that begin from then on."""
IP6_FORWARD = "net/ipv6/conf/all/forwarding"


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredNetwork:
    """Everything one running network consists of. ``sysctls`` are those of its bridge."""

    record: RunRecord
    network: Network
    bridge: BridgeSpec
    addresses: tuple[Interface, ...]
    sysctls: tuple[tuple[str, str], ...]
    dnsmasq: DnsmasqSpec | None
    switch: SwitchSpec | None
    rules: NetworkRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """Everything that all running networks together consist of.

    ``spared_rules`` are those of networks of which no more than their rules is known.
    """

    networks: Mapping[UUID, DesiredNetwork]
    spared_rules: Mapping[UUID, NetworkRules] = field(default_factory=dict)

    @property
    def ruleset(self) -> Ruleset:
        """What our firewall tables hold."""
        own = {uuid: one.rules for uuid, one in self.networks.items()}
        return Ruleset(networks={**self.spared_rules, **own})

    def forwards(self, version: int) -> bool:
        """Whether any network needs the host to forward IPv4 (4) or IPv6 (6)."""
        return any(
            one.rules.mode is not Mode.ISOLATED
            and any(address.version == version for address in one.addresses)
            for one in self.networks.values()
        )


def mark_prefix(paths: Paths) -> str:
    """How the aliases of all our bridges begin; the network's UUID follows."""
    return f"vnet:{paths.instance}:"


def marked_network(alias: str, paths: Paths) -> UUID | None:
    """The network whose mark an interface alias is, or None where it isn't one of ours."""
    prefix = mark_prefix(paths)
    if not alias.startswith(prefix):
        return None
    try:
        return UUID(alias.removeprefix(prefix))
    except ValueError:
        return None


def owners(links: Iterable[Link], running: Desired, paths: Paths) -> Mapping[str, UUID]:
    """Which of these interfaces are bridges of ours, by name, and of which networks.

    A bridge is known by its mark or, where somebody has written another alias over that, by name
    and MAC as that of a network that runs.
    """
    bridges = {one.bridge.name: one for one in running.networks.values()}
    found = {}
    for link in links:
        network = marked_network(link.alias, paths)
        one = bridges.get(link.name)
        if network is not None:
            found[link.name] = network
        elif one and link.settings and link.settings.mac == one.bridge.settings.mac:
            found[link.name] = one.record.uuid
    return found


def bridge_name(network: Network) -> str:
    """The bridge of a network that was defined: by then it always has a name."""
    if network.bridge is None or network.bridge.name is None:
        raise ValueError(f"{network.name} has no bridge name")
    return network.bridge.name


def desired_network(
    record: RunRecord, network: Network, leases: Sequence[Lease], paths: Paths
) -> DesiredNetwork:
    """The resources of one network whose bridge name and UUID are settled.

    ``leases`` decide where rules about guests lead.
    """
    name = bridge_name(network)
    return DesiredNetwork(
        record=record,
        network=network,
        bridge=BridgeSpec(
            name=name,
            mark=f"{mark_prefix(paths)}{record.uuid}",
            settings=_settings(network.bridge or Bridge(), record.uuid),
        ),
        addresses=tuple(ip.interface for ip in network.ips),
        sysctls=_bridge_sysctls(
            name,
            ipv6=any(ip.address.version == 6 for ip in network.ips),
            loopback=forwards_loopback(network),
        ),
        dnsmasq=dnsmasq_spec(network, record.uuid, name, paths),
        switch=_switch(network.switch, record.uuid, paths),
        rules=network_rules(
            network, record.uuid, name, lambda domain: find_guest(network, leases, domain)
        ),
    )


def _switch(switch: Switch | None, uuid: UUID, paths: Paths) -> SwitchSpec | None:
    if switch is None:
        return None
    return SwitchSpec(
        network=uuid,
        tap=derive_tap_name(uuid),
        socket=switch.socket or str(paths.vde / str(uuid) / SWITCH_SOCKETS),
        group=switch.group,
        mode=switch.mode,
    )


def _settings(bridge: Bridge, uuid: UUID) -> BridgeSettings:
    stp = bool(bridge.stp)
    delay = bridge.delay if bridge.delay is not None else (STP_FORWARD_DELAY if stp else 0)
    return BridgeSettings(
        mac=(bridge.mac or derive_mac(uuid)).lower(),
        mtu=bridge.mtu or DEFAULT_MTU,
        stp=stp,
        forward_delay=delay,
    )


def _bridge_sysctls(name: str, *, ipv6: bool, loopback: bool) -> tuple[tuple[str, str], ...]:
    """A bridge takes no address from its guests' advertisements, and its own IPv6 addresses work
    at once: there is nobody on a new bridge to have taken them.

    ``loopback``: the host uses forwards by 127.0.0.1, so that answers from the bridge have to be
    routed to it. The firewall drops what guests themselves send to or from such addresses.
    """
    base = f"net/ipv6/conf/{name}"
    return (
        (f"net/ipv4/conf/{name}/route_localnet", "1" if loopback else "0"),
        (f"{base}/disable_ipv6", "0" if ipv6 else "1"),
        (f"{base}/accept_ra", "0"),
        (f"{base}/autoconf", "0"),
        (f"{base}/accept_dad", "0"),
    )
