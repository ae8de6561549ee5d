"""From rules to the layout of the table ``inet vnet``.

Shared by all networks are the base chains, the maps that lead from a bridge to its network's
chains, and those that lead from a port of the host to the networks that forward it: the cost of a
packet doesn't grow with the number of networks. Each network has

- ``out_ID``: what its guests open beyond it; ``return`` lets pass, ``deny`` rejects;
- ``in_ID``: what reaches its guests from beyond; ``accept`` lets pass;
- ``masq_ID``: masquerade, in mode nat;
- ``dnat_ID`` and ``hairpin_ID``: its forwards, where it has some;
- an element of the set ``marks``, whose comment says whose this is and what was installed.

Policies see a connection as it reaches the guest, after translation; a deny of incoming ports
also looks at the port that was asked for, so that it holds before a forward that changes the port.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from vnet_tui.engine.drivers.firewall.layout import (
    EMPTY,
    VERSION,
    Chain,
    Hook,
    Layout,
    Lookup,
    structure,
    tag,
)
from vnet_tui.engine.drivers.firewall.matches import INET_PORT, GroupWriter, quoted, subnet_match
from vnet_tui.engine.drivers.firewall.ports import Claim, overlay, protocols
from vnet_tui.engine.drivers.firewall.translation import Translation
from vnet_tui.engine.model import Action, Mode
from vnet_tui.engine.resources import (
    Forward,
    NetworkRules,
    PolicyRules,
    Ruleset,
    rules_digest,
)

DENY = "goto deny"

BRIDGES_OUT = "bridges_out"
BRIDGES_IN = "bridges_in"
BRIDGES_NAT = "bridges_nat"
BRIDGES_HAIRPIN = "bridges_hairpin"
DISPATCHES = (BRIDGES_OUT, BRIDGES_IN, BRIDGES_NAT, BRIDGES_HAIRPIN)
"""Maps from a bridge to a chain of its network."""

BRIDGES = "bridges"
"""All bridges. A set beside the maps, since the kernel checks wherever a map is used that all
chains it leads to may run there."""

MARKS = "marks"
"""Bridges with marks as comments; ``lo`` has the mark of what all networks share."""

PORTS = "ports"
PORT_RANGES = "port_ranges"
SHARED_MARK = '"lo"'

SHARED_CHAINS: Mapping[str, Chain] = {
    "deny": Chain(("reject with icmpx admin-prohibited",)),
    # A guest must not get a port below 1024 of the host, which some servers trust.
    "masquerade_all": Chain(
        ("meta l4proto { tcp, udp } masquerade to :1024-65535", "masquerade"),
    ),
    "to_host": Chain(
        (
            f"meta l4proto . th dport vmap @{PORTS}",
            f"meta l4proto . th dport vmap @{PORT_RANGES}",
        )
    ),
    "forward": Chain(
        (
            "ct state established,related accept",
            f"iifname vmap @{BRIDGES_OUT}",
            f"oifname vmap @{BRIDGES_IN}",
        ),
        Hook("filter", "forward", 0),
    ),
    "prerouting": Chain(
        (
            # Our own DHCP and DNS at a guest's gateway are never forwarded away from it.
            f"iifname @{BRIDGES} fib daddr . iif type local meta l4proto . th dport "
            "{ tcp . 53, udp . 53, udp . 67, udp . 547 } return",
            "fib daddr type local goto to_host",
        ),
        Hook("nat", "prerouting", -100),
    ),
    "output": Chain(
        (
            "ip daddr 127.0.0.0/8 return",
            "ip6 daddr ::1 return",
            "fib daddr type local goto to_host",
        ),
        Hook("nat", "output", -100),
    ),
    "postrouting": Chain(
        (
            # Replies to guests of the same network, and to the host, have to come back through us.
            f"ct status dnat oifname vmap @{BRIDGES_HAIRPIN}",
            f"ct status dnat oifname @{BRIDGES} fib saddr type local masquerade",
            "ip daddr { 224.0.0.0/4, 255.255.255.255 } return",
            "ip6 daddr ff00::/8 return",
            f"iifname vmap @{BRIDGES_NAT}",
        ),
        Hook("nat", "postrouting", 100),
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One network's part: what is its own, and its elements in the maps that all share."""

    network: UUID
    bridge: str
    digest: str
    structure: str
    layout: Layout
    dispatch: Mapping[str, str]
    claims: tuple[Claim[tuple[str, ...]], ...]


def render(ruleset: Ruleset, instance: str) -> Layout:
    """The whole table for a ruleset, marked with the instance; empty when there is no network."""
    if not ruleset.networks:
        return EMPTY
    parts = [render_network(ruleset.networks[uuid]) for uuid in sorted(ruleset.networks)]
    chains = dict(SHARED_CHAINS)
    lookups = dict(_shared_lookups(parts, chains))
    marks = {SHARED_MARK: mark(instance, "shared", str(VERSION), part_structure(chains, lookups))}
    for part in parts:
        marks[part.bridge] = mark(instance, str(part.network), part.digest, part.structure)
        chains.update(part.layout.chains)
        lookups.update(part.layout.lookups)
    lookups[MARKS] = Lookup("ifname", elements=marks)
    return Layout(chains, lookups)


def mark(instance: str, of: str, digest: str, made: str) -> str:
    """How a part says whose it is, which rules were installed, and how it was made."""
    return f'comment "vnet:{instance}:{of}:{digest}:{made}"'


@lru_cache(maxsize=1024)
def render_network(rules: NetworkRules) -> Part:
    """One network's part. Kept, since an edit of one network leaves the others as they were."""
    name = rules.network.hex
    bridge = quoted(rules.bridge)
    forwards = tuple(rule for rule in rules.incoming.rules if isinstance(rule, Forward))
    chains: dict[str, Chain] = {}
    lookups: dict[str, Lookup] = {}
    dispatch = {BRIDGES_OUT: f"jump out_{name}", BRIDGES_IN: f"goto in_{name}"}

    outgoing = GroupWriter(f"out_{name}", allow="return", deny=DENY, guests_are="saddr")
    outgoing.write(f"oifname {bridge} accept")
    _policy(outgoing, rules.outgoing)
    incoming = GroupWriter(
        f"in_{name}",
        allow="accept",
        deny=DENY,
        guests_are="daddr",
        deny_asked=any(forward.ports != forward.guest_ports for forward in forwards),
    )
    _policy(incoming, rules.incoming)
    for writer in (outgoing, incoming):
        chains[writer.chain] = Chain(tuple(writer.rules))
        lookups.update(writer.lookups)

    if rules.mode is Mode.NAT:
        chains[f"masq_{name}"] = Chain(tuple(_masquerade(rules, bridge)))
        dispatch[BRIDGES_NAT] = f"goto masq_{name}"

    claims: tuple[Claim[tuple[str, ...]], ...] = ()
    if forwards:
        translation = Translation(f"dnat_{name}", forwards)
        chains[f"dnat_{name}"] = Chain(tuple(translation.rules))
        lookups.update(translation.lookups)
        # By source and not by interface: bridge netfilter bridges such packets without one.
        hairpin = [f"{subnet_match('saddr', subnet)} masquerade" for subnet in rules.subnets]
        chains[f"hairpin_{name}"] = Chain(tuple(hairpin))
        dispatch[BRIDGES_HAIRPIN] = f"jump hairpin_{name}"
        claims = tuple(
            Claim(protocols(forward.protocol), forward.ports, (f"dnat_{name}",))
            for forward in forwards
            if forward.guests
        )

    entries = [(where, bridge, verdict) for where, verdict in dispatch.items()]
    return Part(
        network=rules.network,
        bridge=bridge,
        digest=rules_digest(rules),
        structure=part_structure(chains, lookups, entries),
        layout=Layout(chains, lookups),
        dispatch=dispatch,
        claims=claims,
    )


def part_structure(
    chains: Mapping[str, Chain],
    lookups: Mapping[str, Lookup],
    entries: Sequence[tuple[str, str, str]] = (),
) -> str:
    """The structure of a network's part, or of what all share."""
    return structure(
        ((name, chain.hook, [tag(rule) for rule in chain.rules]) for name, chain in chains.items()),
        ((name, len(lookup.elements)) for name, lookup in lookups.items()),
        entries,
    )


def _policy(writer: GroupWriter, policy: PolicyRules) -> None:
    for rule in policy.rules:
        if isinstance(rule, Forward):
            writer.forward(rule)
        else:
            writer.rule(rule)
    writer.default(policy.default is Action.ALLOW)


def _masquerade(rules: NetworkRules, bridge: str) -> Iterator[str]:
    yield f"oifname {bridge} return"
    for subnet in rules.subnets:
        yield f"{subnet_match('daddr', subnet)} return"
    for subnet in rules.subnets:
        yield f"{subnet_match('saddr', subnet)} goto masquerade_all"


def _shared_lookups(
    parts: Sequence[Part], chains: dict[str, Chain]
) -> Iterator[tuple[str, Lookup]]:
    """The maps that lead to networks; a port that several forward gets a chain in ``chains``."""
    for name in DISPATCHES:
        leads = {part.bridge: part.dispatch[name] for part in parts if name in part.dispatch}
        yield name, Lookup("ifname", "verdict", elements=leads)
    yield BRIDGES, Lookup("ifname", elements={part.bridge: "" for part in parts})
    singles: dict[str, str] = {}
    ranges: dict[str, str] = {}
    claims = [claim for part in parts for claim in part.claims]
    for piece in overlay(claims, lambda old, new: old if new[0] in old else old + new):
        target = piece.value[0]
        if len(piece.value) > 1:
            owners = hashlib.sha256(" ".join(piece.value).encode()).hexdigest()[:16]
            target = f"share_{owners}"
            chains[target] = Chain(tuple(f"jump {owner}" for owner in piece.value))
        (singles if piece.single else ranges)[str(piece)] = f"goto {target}"
    yield PORTS, Lookup(INET_PORT, "verdict", elements=singles)
    yield PORT_RANGES, Lookup(INET_PORT, "verdict", interval=True, elements=ranges)
