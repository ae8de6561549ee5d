"""From rules of networks to the tables of one address family.

``filter``: ``VNET-GUARD`` keeps guests from the host's loopback addresses; ``VNET-FORWARD``, first
in FORWARD, lets established connections be and asks

- ``VNET-OUT-ID``, by the bridge that a packet came from: what guests open beyond their network;
- ``VNET-IN-ID``, by the bridge that it goes to: what reaches guests from beyond it.

Both deny, or return: then FORWARD goes on.

``nat``: ``VNET-HOST`` leads ports of the host's own addresses to ``VNET-DNAT-ID``;
``VNET-HAIRPIN`` to ``VNET-HAIR-ID``, which lets replies come back through the host; ``VNET-POST``
to ``VNET-NAT-ID``, which masquerades. All of them see the first packet of a connection only.

Policies see a connection as it reaches the guest, after translation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from uuid import UUID

from vnet_tui.engine.drivers.firewall.iptables.dispatch import checked, dispatch
from vnet_tui.engine.drivers.firewall.iptables.forwards import translation
from vnet_tui.engine.drivers.firewall.iptables.policies import policy_chains
from vnet_tui.engine.drivers.firewall.iptables.port_rules import Growing, write_ports
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    MARK,
    NOTHING,
    RETURN,
    VERSION,
    Chains,
    Extension,
    Mark,
    Rule,
    Table,
    chain_name,
)
from vnet_tui.engine.drivers.firewall.ports import Claim, first_match, protocols
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Mode, Protocol
from vnet_tui.engine.resources import Forward, NetworkRules, Ruleset, rules_digest

OWN_SERVICES = ((Protocol.TCP, (53,)), (Protocol.UDP, (53, 67, 547)))
"""DNS and DHCP at a guest's gateway are never forwarded away from it."""

LOCAL = Extension("addrtype", (("dst-type", "LOCAL"),))
"""To one of the host's own addresses."""

LOCAL_HERE = Extension("addrtype", (("dst-type", "LOCAL"), ("limit-iface-in", "")))
"""To an address of the interface that the packet came from."""

FROM_HOST = Extension("addrtype", (("src-type", "LOCAL"),))
TRANSLATED = Extension("conntrack", (("ctstate", "DNAT"),))
ESTABLISHED = Extension("conntrack", (("ctstate", "RELATED,ESTABLISHED"),))

_LOOPBACK = {4: "127.0.0.0/8", 6: "::1"}
_TO_MANY = {4: ("224.0.0.0/4", "255.255.255.255"), 6: ("ff00::/8",)}


@dataclass(frozen=True, slots=True)
class Part:
    """One network's part of both tables, and where what all networks share has to lead."""

    bridge: str
    digest: str
    filter: Chains
    nat: Chains
    masqueraded: tuple[str, ...]
    forwards: tuple[Forward, ...]


def compile_tables(ruleset: Ruleset, instance: str, family: int) -> dict[str, Table]:
    """``filter`` and ``nat`` for a ruleset; empty tables when there is no network."""
    if not ruleset.networks:
        return {"filter": NOTHING, "nat": NOTHING}
    networks = ruleset.networks
    parts = {uuid: compile_network(networks[uuid], family) for uuid in sorted(networks)}
    filters = {uuid: part.filter for uuid, part in parts.items()}
    nats = {uuid: part.nat for uuid, part in parts.items()}
    return {
        "filter": _table(_shared_filter(parts, family), filters, parts, instance),
        "nat": _table(_shared_nat(parts, family), nats, parts, instance),
    }


def _table(
    shared: Table,
    networks: Mapping[UUID, Chains],
    parts: Mapping[UUID, Part],
    instance: str,
) -> Table:
    """What all share and what each network has of its own, with their marks."""
    chains = dict(shared.chains)
    text = f"vnet:{instance}:shared:{VERSION}"
    marks = {MARK: Mark(text, tuple(chains), hooks=True)}
    for uuid, own in networks.items():
        chains.update(own)
        text = f"vnet:{instance}:{uuid}:{parts[uuid].digest}"
        marks[chain_name("MARK", uuid)] = Mark(text, tuple(own))
    return Table(chains, shared.hooks, marks)


@lru_cache(maxsize=1024)
def compile_network(rules: NetworkRules, family: int) -> Part:
    """One network's part. Kept, since an edit of one network leaves the others as they were."""
    uuid, bridge = rules.network, checked(rules.bridge)
    _check_expressible(rules)
    forwards = tuple(
        forward
        for forward in rules.incoming.rules
        if isinstance(forward, Forward) and any(guest.version == family for guest in forward.guests)
    )
    subnets = tuple(str(subnet) for subnet in rules.subnets if subnet.version == family)
    nat: dict[str, tuple[Rule, ...]] = {}
    if forwards:
        nat.update(translation(chain_name("DNAT", uuid), family, forwards))
        nat[chain_name("HAIR", uuid)] = (
            *(Rule(target="MASQUERADE", source=subnet) for subnet in subnets),
            Rule(target="MASQUERADE", matches=(FROM_HOST,)),
        )
    masqueraded = subnets if rules.mode is Mode.NAT else ()
    if masqueraded:
        nat[chain_name("NAT", uuid)] = (
            Rule(target=RETURN, goes_out=bridge),
            *(Rule(target=RETURN, destination=subnet) for subnet in subnets),
            Rule(target=RETURN, matches=(FROM_HOST,)),
            Rule(target="VNET-MASQ", goto=True),
        )
    outgoing = policy_chains(
        chain_name("OUT", uuid),
        family,
        rules.outgoing,
        Rule(target=RETURN, goes_out=bridge),
        guests_are="source",
    )
    incoming = policy_chains(
        chain_name("IN", uuid),
        family,
        rules.incoming,
        Rule(target=RETURN, came_in=bridge),
        guests_are="destination",
        deny_asked=any(forward.ports != forward.guest_ports for forward in forwards),
    )
    return Part(
        bridge=bridge,
        digest=rules_digest(rules),
        filter={**outgoing, **incoming},
        nat=nat,
        masqueraded=masqueraded,
        forwards=forwards,
    )


def _check_expressible(rules: NetworkRules) -> None:
    """Never do less than was asked for."""
    for rule in (*rules.incoming.rules, *rules.outgoing.rules):
        lasting = isinstance(rule, Forward) or rule.established
        for asked, words in (
            (rule.log, 'log="true"'),
            (rule.limit is not None, "limit"),
            (not lasting, 'established="false"'),
        ):
            if asked:
                raise DriverError(
                    f"the iptables driver can't do what {words} asks for, on {rules.bridge}",
                    "remove it, or choose the nftables driver",
                )


def _shared_filter(parts: Mapping[UUID, Part], family: int) -> Table:
    # The host's loopback addresses are for the host alone, though bridges with forwards route them
    # (route_localnet), so that it can use its forwards by 127.0.0.1.
    guarded = family == 4
    spoofed = (Rule(target="VNET-GUARD", source=_LOOPBACK[4]),) if guarded else ()
    entry = (
        Rule(target=RETURN, matches=(ESTABLISHED,)),
        *spoofed,
        Rule(target="VNET-FROM"),
        Rule(target="VNET-TO", goto=True),
    )
    out = {part.bridge: chain_name("OUT", uuid) for uuid, part in parts.items()}
    into = {part.bridge: chain_name("IN", uuid) for uuid, part in parts.items()}
    chains = {
        "VNET-FORWARD": entry,
        **dispatch("VNET-FROM", "came_in", out),
        **dispatch("VNET-TO", "goes_out", into),
    }
    hooks = {"FORWARD": (Rule(target="VNET-FORWARD"),)}
    if guarded:
        chains["VNET-GUARD"] = (
            Rule(target=RETURN, matches=(ESTABLISHED,)),
            *(Rule(target="DROP", came_in=part.bridge) for part in parts.values()),
        )
        hooks["INPUT"] = (Rule(target="VNET-GUARD", destination=_LOOPBACK[4]), *spoofed)
    return Table(chains, hooks)


def _shared_nat(parts: Mapping[UUID, Part], family: int) -> Table:
    chains: dict[str, tuple[Rule, ...]] = {}
    hooks: dict[str, tuple[Rule, ...]] = {}
    hairpins = {
        part.bridge: chain_name("HAIR", uuid) for uuid, part in parts.items() if part.forwards
    }
    if hairpins:
        spared = _own_services(parts)
        chains |= {**_to_host(parts), **spared, **dispatch("VNET-HAIRPIN", "goes_out", hairpins)}
        entry = "VNET-PRE" if spared else "VNET-HOST"
        hooks["PREROUTING"] = (Rule(target=entry, matches=(LOCAL,)),)
        loopback = f"!{_LOOPBACK[family]}"
        hooks["OUTPUT"] = (Rule(target="VNET-HOST", destination=loopback, matches=(LOCAL,)),)
        if family == 4:  # the rest of the loopback addresses is often a resolver's own
            hooks["OUTPUT"] += (Rule(target="VNET-HOST", destination="127.0.0.1"),)
        hooks["POSTROUTING"] = (Rule(target="VNET-HAIRPIN", matches=(TRANSLATED,)),)
    if any(part.masqueraded for part in parts.values()):
        chains["VNET-POST"] = tuple(
            Rule(target=chain_name("NAT", uuid), goto=True, source=subnet)
            for uuid, part in parts.items()
            for subnet in part.masqueraded
        )
        # A guest must not get a port below 1024 of the host, which some servers trust.
        high = (("to-ports", "1024-65535"),)
        chains["VNET-MASQ"] = (
            *(Rule(target=RETURN, destination=many) for many in _TO_MANY[family]),
            Rule(target="MASQUERADE", protocol="tcp", options=high),
            Rule(target="MASQUERADE", protocol="udp", options=high),
            Rule(target="MASQUERADE"),
        )
        hooks["POSTROUTING"] = (*hooks.get("POSTROUTING", ()), Rule(target="VNET-POST"))
    return Table(chains, hooks)


def _to_host(parts: Mapping[UUID, Part]) -> Chains:
    """From a port of the host to each network that forwards it, one after another."""
    grow = Growing("VNET-HOST")
    _, rules = grow.chain()
    for uuid, part in parts.items():
        lead = Rule(target=chain_name("DNAT", uuid))
        claims = [Claim(protocols(one.protocol), one.ports, lead) for one in part.forwards]
        for _, pieces in groupby(first_match(claims), key=lambda piece: piece.protocol):
            write_ports(rules, list(pieces), grow)
    return grow.done()


def _own_services(parts: Mapping[UUID, Part]) -> Chains:
    """Past our own services, where a forward is in their way: the chain that packets to the host
    meet first, and those it needs."""
    spared: list[Rule] = []
    forwards = [forward for part in parts.values() for forward in part.forwards]
    for protocol, numbers in OWN_SERVICES:
        taken = [
            str(number)
            for number in numbers
            if any(
                protocol in protocols(forward.protocol)
                and forward.ports.first <= number <= forward.ports.last
                for forward in forwards
            )
        ]
        if taken:
            match = Extension("multiport", (("dports", ",".join(taken)),))
            spared.append(
                Rule(
                    target="VNET-OWN",
                    goto=True,
                    protocol=str(protocol),
                    matches=(match, LOCAL_HERE),
                )
            )
    if not spared:
        return {}
    returning = {part.bridge: RETURN for part in parts.values()}
    return {
        "VNET-PRE": (*spared, Rule(target="VNET-HOST", goto=True)),
        **dispatch("VNET-OWN", "came_in", returning, missed="VNET-HOST"),
    }
