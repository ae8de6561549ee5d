"""From what should be and what is to ordered steps. Pure: the same question, the same plan.

The order of the stages leaves no moment in which something is open that shouldn't be, and makes a
batch fast: services stop before what they stand on goes, all bridges are there before the first
dnsmasq starts (each running one wakes on every new link), rules are there before guests are
attached and packets forwarded, and records are written when all else is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set as AbstractSet
from dataclasses import dataclass, field, replace
from uuid import UUID

from vnet_tui.engine import steps
from vnet_tui.engine.desired import (
    FLOW_ACCOUNTING,
    IP6_FORWARD,
    IP_FORWARD,
    Desired,
    DesiredNetwork,
    marked_network,
    owners,
)
from vnet_tui.engine.model import Action, Mode
from vnet_tui.engine.observe import Observed, accept_ra, advertised
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import (
    BridgeSettings,
    BridgeSpec,
    DnsmasqProcess,
    Link,
    NetworkRules,
    PolicyRules,
    Ruleset,
    rules_digest,
)
from vnet_tui.engine.steps import Plan, Stage, Step
from vnet_tui.engine.switch_plan import SwitchSteps, switch_steps

IPV6_MIN_MTU = 1280
"""The least MTU that IPv6 works with (RFC 8200, section 5)."""

SERVICES_WIDTH = 4
"""How many services start or stop at once: more gain nothing on two to four cores."""

_NO_PORTS: Mapping[UUID, tuple[tuple[str, int], ...]] = {}


@dataclass(slots=True)
class _Draft:
    """The steps of each stage, while a plan is put together."""

    stop_services: list[Step] = field(default_factory=list)
    restore_sysctls: list[Step] = field(default_factory=list)
    remove_links: list[Step] = field(default_factory=list)
    make_links: list[Step] = field(default_factory=list)
    firewall: list[Step] = field(default_factory=list)
    set_sysctls: list[Step] = field(default_factory=list)
    start_switches: list[Step] = field(default_factory=list)
    attach_ports: list[Step] = field(default_factory=list)
    start_services: list[Step] = field(default_factory=list)
    records: list[Step] = field(default_factory=list)

    def plan(self) -> Plan:
        stages = (
            Stage(steps=tuple(self.stop_services), width=SERVICES_WIDTH),
            Stage(steps=tuple(self.restore_sysctls)),
            Stage(steps=tuple(self.remove_links)),
            Stage(steps=tuple(self.make_links)),
            Stage(steps=tuple(self.firewall)),
            Stage(steps=tuple(self.set_sysctls)),
            Stage(steps=tuple(self.start_switches), width=SERVICES_WIDTH),
            Stage(steps=tuple(self.attach_ports)),
            Stage(steps=tuple(self.start_services), width=SERVICES_WIDTH),
            Stage(steps=tuple(self.records)),
        )
        return Plan(stages=tuple(stage for stage in stages if stage.steps))


def make_plan(
    desired: Desired,
    before: Desired,
    observed: Observed,
    paths: Paths,
    *,
    scope: AbstractSet[UUID],
    recreate: AbstractSet[UUID] = frozenset(),
    ports: Mapping[UUID, tuple[tuple[str, int], ...]] = _NO_PORTS,
    spared: AbstractSet[UUID] = frozenset(),
) -> Plan:
    """The smallest plan that brings the networks in ``scope`` from ``observed`` to ``desired``.

    ``before`` is what was desired until now: what it had and ``desired`` hasn't is removed, while
    additions that somebody else made by hand stay. Networks in ``recreate`` are made anew;
    ``ports``, by name and interface index, are attached again where they are in no bridge. The
    firewall and host-wide settings are always those of all of ``desired``, and of networks that are
    ``spared``: nobody knows what these are made of, and all that there is of them stays, but for
    rules that nobody knows either where the table has to be changed. Then such a network is closed.
    """
    draft = _Draft()
    ipv6 = observed.sysctls.get(IP6_FORWARD) is not None
    links = observed.links.links
    bridges: dict[UUID, list[Link]] = {}
    for interface, owner in owners(links.values(), before, paths).items():
        if links[interface].settings is not None:
            bridges.setdefault(owner, []).append(links[interface])

    def name(uuid: UUID) -> tuple[str, UUID]:
        one = desired.networks.get(uuid) or before.networks.get(uuid)
        return (one.record.name if one else "", uuid)

    for uuid in sorted(scope, key=name):
        want, had = desired.networks.get(uuid), before.networks.get(uuid)
        anew = uuid in recreate
        found = bridges.get(uuid, [])
        keep = [link for link in found if want and not anew and link.name == want.bridge.name]
        loose = _loose(ports.get(uuid, ()), observed)
        switches = [one for one in observed.switches if one.spec.network == uuid]
        switch = switch_steps(want, had, switches, observed, anew=not keep)
        draft.stop_services.extend(switch.stop)
        draft.start_switches.extend(switch.start)
        _plan_links(draft, want, had, found, keep, loose, switch, observed, ipv6=ipv6)
        draft.attach_ports.extend(switch.plug)
        processes = [one for one in observed.dnsmasqs if one.spec.network == uuid]
        _plan_service(draft, want, had, processes, anew=not keep)
        record, recorded = want.record if want else None, observed.records.get(uuid)
        if record != recorded:
            draft.records.append(steps.SaveRecord(before=recorded, after=record))
    closed = _closed(spared - desired.spared_rules.keys(), observed, paths)
    _plan_firewall(draft, desired, before, observed, closed)
    _plan_sysctls(draft, desired, observed, keep=bool(spared))
    return draft.plan()


def _plan_links(
    draft: _Draft,
    want: DesiredNetwork | None,
    had: DesiredNetwork | None,
    found: list[Link],
    keep: list[Link],
    loose: list[str],
    switch: SwitchSteps,
    observed: Observed,
    *,
    ipv6: bool,
) -> None:
    attach = list(loose)
    for link in found:
        if link in keep:
            continue
        ports = ports_of(link.name, observed)
        if switch.gone:
            ports = tuple(port for port in ports if port != switch.tap)
        attach.extend(ports)
        draft.remove_links.append(_delete(link, ports, had, ipv6=ipv6))
    if want is None:
        return
    name = want.bridge.name
    sysctls = _there(want.sysctls, want.bridge.settings, ipv6=ipv6)
    if not keep:
        draft.make_links.append(steps.CreateBridge(spec=want.bridge))
        draft.make_links.extend(
            steps.SetSysctl(key=key, before="", after=value) for key, value in sysctls
        )
        draft.make_links.append(steps.MarkBridge(spec=want.bridge))
        draft.make_links.extend(
            steps.AddAddress(bridge=name, address=address) for address in want.addresses
        )
    attach = [port for port in attach if port != switch.tap]
    if attach:
        draft.attach_ports.append(steps.AttachPorts(bridge=name, ports=tuple(attach)))
    if not keep:
        return
    link = keep[0]
    if link.settings is not None and link.settings != want.bridge.settings:
        draft.make_links.append(
            steps.ChangeBridge(bridge=name, before=link.settings, after=want.bridge.settings)
        )
    for key, value in sysctls:
        current = observed.sysctls.get(key)
        if current is None and _lacks_ipv6(link.settings):
            draft.make_links.append(steps.SetSysctl(key=key, before="", after=value))
        elif current is not None and current != value:
            draft.make_links.append(steps.SetSysctl(key=key, before=current, after=value))
    if link.alias != want.bridge.mark:
        draft.make_links.append(steps.MarkBridge(spec=want.bridge))
    elif not link.up:
        draft.make_links.append(steps.RaiseBridge(bridge=name))
    outdated = set(had.addresses if had else ()) - set(want.addresses)
    draft.make_links.extend(
        steps.RemoveAddress(bridge=name, address=address)
        for address in sorted(outdated & link.addresses, key=str)
    )
    draft.make_links.extend(
        steps.AddAddress(bridge=name, address=address)
        for address in want.addresses
        if address not in link.addresses
    )


def _loose(ports: Iterable[tuple[str, int]], observed: Observed) -> list[str]:
    """Those of these interfaces that are there and in no bridge."""
    links = observed.links.links
    return [
        name
        for name, index in ports
        if name in links and links[name].index == index and links[name].master is None
    ]


def _lacks_ipv6(settings: BridgeSettings | None) -> bool:
    """Whether the kernel takes IPv6, and its settings, from such a bridge (addrconf_notify())."""
    return settings is not None and settings.mtu < IPV6_MIN_MTU


def _there(
    sysctls: Iterable[tuple[str, str]], settings: BridgeSettings, *, ipv6: bool
) -> tuple[tuple[str, str], ...]:
    """Those of a bridge's sysctls that the kernel has."""
    ipv6 = ipv6 and not _lacks_ipv6(settings)
    return tuple((key, value) for key, value in sysctls if ipv6 or "/ipv6/" not in key)


def _delete(link: Link, ports: tuple[str, ...], had: DesiredNetwork | None, *, ipv6: bool) -> Step:
    if link.settings is None:
        raise ValueError(f"{link.name} bears our mark and is no bridge")
    sysctls = had.sysctls if had and had.bridge.name == link.name else ()
    return steps.DeleteBridge(
        spec=BridgeSpec(name=link.name, mark=link.alias, settings=link.settings),
        sysctls=_there(sysctls, link.settings, ipv6=ipv6),
        addresses=tuple(sorted((a for a in link.addresses if not a.ip.is_link_local), key=str)),
        ports=ports,
    )


def ports_of(bridge: str, observed: Observed) -> tuple[str, ...]:
    """The interfaces that are ports of a bridge, by name."""
    return tuple(
        sorted(link.name for link in observed.links.links.values() if link.master == bridge)
    )


def _plan_service(
    draft: _Draft,
    want: DesiredNetwork | None,
    had: DesiredNetwork | None,
    found: list[DnsmasqProcess],
    *,
    anew: bool,
) -> None:
    spec = want.dnsmasq if want else None
    if spec is None or anew:
        draft.stop_services.extend(steps.StopDnsmasq(spec=one.spec) for one in found)
        if want is None and had is not None and had.dnsmasq is not None and not found:
            # It was killed, and its files are left.
            draft.stop_services.append(steps.StopDnsmasq(spec=replace(had.dnsmasq, config="")))
        if spec is not None:
            draft.start_services.append(steps.StartDnsmasq(spec=spec))
        return
    if not found:
        draft.start_services.append(steps.StartDnsmasq(spec=spec))
        return
    best = next((one for one in found if one.spec.config == spec.config), found[0])
    draft.stop_services.extend(steps.StopDnsmasq(spec=one.spec) for one in found if one != best)
    if best.spec != spec:
        draft.start_services.append(steps.ChangeDnsmasq(before=best.spec, after=spec))


def _digests(ruleset: Ruleset) -> dict[UUID, str]:
    return {uuid: rules_digest(rules) for uuid, rules in ruleset.networks.items()}


def _closed(
    networks: AbstractSet[UUID], observed: Observed, paths: Paths
) -> dict[UUID, NetworkRules]:
    """Rules that let nothing through, for networks whose rules nobody knows."""
    nothing = PolicyRules(default=Action.DENY)
    marked = (
        (uuid, link.name)
        for link in observed.links.links.values()
        if (uuid := marked_network(link.alias, paths)) is not None
    )
    return {
        uuid: NetworkRules(
            network=uuid,
            bridge=bridge,
            mode=Mode.ISOLATED,
            subnets=(),
            incoming=nothing,
            outgoing=nothing,
        )
        for uuid, bridge in marked
        if uuid in networks
    }


def _plan_firewall(
    draft: _Draft,
    desired: Desired,
    before: Desired,
    observed: Observed,
    closed: Mapping[UUID, NetworkRules],
) -> None:
    state, after, was = observed.firewall, desired.ruleset, before.ruleset
    there = {uuid: digest for uuid, digest in state.digests.items() if uuid not in closed}
    if not after.networks and not closed:
        right = not state.present
    else:
        right = state.present and state.intact and there == _digests(after)
    if right:
        return
    known = not closed and there == _digests(was) and (state.intact or not state.present)
    after = Ruleset(networks={**closed, **after.networks})
    draft.firewall.append(steps.SetFirewall(before=was, after=after, rewrite=not known))


def host_sysctls(desired: Desired, observed: Observed) -> dict[str, str]:
    """The host-wide settings that these networks need, in the order in which to set them.

    An interface that got its default route from a router advertisement would stop listening to
    them once the host forwards IPv6, so it is told to go on first.
    """
    wanted: dict[str, str] = {}
    if desired.forwards(4):
        wanted[IP_FORWARD] = "1"
    if desired.forwards(6):
        listening = [
            key
            for key in map(accept_ra, sorted(advertised(observed.links)))
            if observed.sysctls.get(key) == "1"
        ]
        remembered = [key for key in observed.remembered if key.endswith("/accept_ra")]
        wanted |= dict.fromkeys([*listening, *remembered], "2")
        wanted[IP6_FORWARD] = "1"
    if desired.networks and FLOW_ACCOUNTING in observed.remembered:
        wanted[FLOW_ACCOUNTING] = "1"  # somebody looked at connections while these ran
    return wanted


def _plan_sysctls(
    draft: _Draft, desired: Desired, observed: Observed, *, keep: bool = False
) -> None:
    """With ``keep``, what isn't needed any more stays as it is: somebody may need it."""
    wanted = host_sysctls(desired, observed)
    for key, value in wanted.items():
        current = observed.sysctls.get(key)
        if current is not None and current != value:
            draft.set_sysctls.append(
                steps.SetSysctl(
                    key=key,
                    before=current,
                    after=value,
                    remember=key not in observed.remembered,
                )
            )
    for key in reversed(list(observed.remembered)):
        if key not in wanted and not keep:
            old, ours = observed.remembered[key]
            draft.restore_sysctls.append(steps.RestoreSysctl(key=key, before=ours, after=old))


def needed_sysctls(desired: Desired, scope: AbstractSet[UUID]) -> set[str]:
    """The keys whose values a plan for these networks has to know."""
    return {IP_FORWARD, IP6_FORWARD} | {
        key
        for uuid in scope
        if uuid in desired.networks
        for key, _ in desired.networks[uuid].sysctls
    }
