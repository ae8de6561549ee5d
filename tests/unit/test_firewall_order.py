"""Rules change places only where no packet meets two of them; then blocks of rules share sets."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import combinations
from operator import attrgetter

import pytest
from hypothesis import given, strategies as st

from tests.support.firewall_lab import SPACE, network
from vnet_tui.engine.drivers.firewall.order import Ends, Span, gather, places, spans
from vnet_tui.engine.drivers.firewall.render import render
from vnet_tui.engine.drivers.firewall.scopes import Prefixes
from vnet_tui.engine.model import Address, PortRange, Protocol, Subnet
from vnet_tui.engine.policy import network_rules
from vnet_tui.engine.resources import Ruleset

SUBNETS = [
    None,
    *map(ip_network, ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.1", "10.0.1.0/24")),
    *map(ip_network, ("::/0", "fd00::/64", "fd00::1", "fd01::/64")),
]


@dataclass(frozen=True)
class Placed:
    """The least that has a place among others."""

    number: int
    kind: str
    about: tuple[Span, ...]
    ends: tuple[Ends, ...]

    @property
    def places(self) -> tuple[int, ...]:
        return places(self.about)


def about(protocol: Protocol | None, first: int | None, length: int) -> tuple[Span, ...]:
    transports = (Protocol.TCP, Protocol.UDP) if protocol is None else (protocol,)
    if first is None or protocol is Protocol.ICMP:
        return tuple(spans(protocol, transports, None))
    return tuple(spans(protocol, transports, PortRange(first=first, last=first + length)))


ABOUT = st.builds(
    about,
    st.sampled_from((None, Protocol.TCP, Protocol.UDP, Protocol.ICMP)),
    st.sampled_from((None, 1, 2, 3, 7)),
    st.sampled_from((0, 0, 0, 1, 5)),
)
ENDS = st.lists(
    st.tuples(st.sampled_from(SUBNETS), st.sampled_from(SUBNETS)), min_size=1, max_size=2
).map(tuple)
MEMBERS = st.lists(st.tuples(st.sampled_from("abc"), ABOUT, ENDS), max_size=12).map(
    lambda all_: [Placed(number, *one) for number, one in enumerate(all_)]
)


def overlap(one: Subnet | None, other: Subnet | None) -> bool:
    if one is None or other is None:
        return True
    return one.version == other.version and bool(
        int(one.network_address) <= int(other.broadcast_address)
        and int(other.network_address) <= int(one.broadcast_address)
    )


def meet(one: Placed, other: Placed) -> bool:
    """Whether a packet can be about both."""
    return any(a < d and c < b for a, b in one.about for c, d in other.about) and any(
        overlap(mine[0], theirs[0]) and overlap(mine[1], theirs[1])
        for mine in one.ends
        for theirs in other.ends
    )


@given(MEMBERS)
def test_rules_that_a_packet_can_meet_both_of_keep_their_order(members: list[Placed]) -> None:
    groups = list(gather(members, attrgetter("kind")))
    assert all(one.kind == kind for kind, own in groups for one in own)
    placed = [one for _, own in groups for one in own]
    assert sorted(one.number for one in placed) == list(range(len(members)))
    at = {one.number: place for place, one in enumerate(placed)}
    for one, other in combinations(members, 2):
        if meet(one, other):
            assert at[one.number] < at[other.number]


@given(MEMBERS)
def test_kinds_that_are_ordered_never_pass_each_other(members: list[Placed]) -> None:
    groups = list(gather(members, attrgetter("kind"), lambda one, other: {one, other} == {*"ab"}))
    order = [one.number for _, own in groups for one in own if one.kind in "ab"]
    assert order == [one.number for one in members if one.kind in "ab"]


@given(st.lists(st.sampled_from(SUBNETS[1:6])), st.sampled_from(SUBNETS[1:6]))
def test_a_subnet_is_known_to_overlap_others(known: list[Subnet], asked: Subnet) -> None:
    prefixes = Prefixes()
    for subnet in known:
        prefixes.add(subnet)
        prefixes.overlap(asked)  # what it keeps in mind has to stay true
    assert prefixes.overlap(asked) == any(overlap(one, asked) for one in known)


@pytest.mark.parametrize(
    "block",
    [
        '<allow port="80" domain="g{0}"/><deny domain="g{0}"/>',
        '<allow port="8{0:02}" domain="g{0}" destport="80"/><deny domain="g{0}"/>',
        '<allow protocol="tcp" source="203.0.{0}.0/24"/><deny port="25" source="203.0.{0}.0/24"/>'
        '<allow port="{0}" source="203.0.{0}.0/24" domain="g1"/>',
    ],
)
def test_blocks_of_rules_for_one_guest_after_another_share_sets(block: str) -> None:
    def guest(name: str) -> frozenset[Address]:
        return frozenset({ip_address(f"10.0.0.{name[1:]}")})

    def rules(count: int) -> int:
        text = "".join(block.format(number) for number in range(10, 10 + count))
        made = network("foo", f"<forwarding><incoming>{text}</incoming></forwarding>")
        ruleset = Ruleset(networks={SPACE: network_rules(made, SPACE, "vnet-foo", guest)})
        return sum(len(chain.rules) for chain in render(ruleset, "0123abcd").chains.values())

    assert rules(2) == rules(80)
