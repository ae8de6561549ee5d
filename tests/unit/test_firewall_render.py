"""What nft is told: golden files, and the arithmetic that keeps first-match in maps.

In ``tests/golden/nftables/*``, ``before`` and ``after`` are documents of the networks that run;
``table`` is how all of ``after`` is written, ``edit`` the way from ``before``, ``undo`` the way
back. Run with ``UPDATE_GOLDEN=1`` to write them anew.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from vnet_tui.engine.drivers.firewall.layout import EMPTY
from vnet_tui.engine.drivers.firewall.matches import quoted
from vnet_tui.engine.drivers.firewall.ports import Claim, Piece, first_match, overlay
from vnet_tui.engine.drivers.firewall.render import render
from vnet_tui.engine.drivers.firewall.transaction import change, rewrite
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Address, PortRange, Protocol
from vnet_tui.engine.policy import network_rules
from vnet_tui.engine.resources import NetworkRules, Ruleset
from vnet_tui.engine.xml import parse

GOLDEN = Path(__file__).parent.parent / "golden" / "nftables"
INSTANCE = "0123abcd"
GUESTS: dict[str, tuple[str, ...]] = {
    "foobar": ("10.0.0.131",),
    "web": ("10.0.0.10", "fd00:a::10"),
    "mail": ("10.0.0.11", "fd00:a::11"),
    "bob": ("10.0.1.10",),
}


def find_guest(name: str) -> frozenset[Address]:
    return frozenset(map(ip_address, GUESTS.get(name, ())))


def ruleset(directory: Path) -> Ruleset:
    made: dict[UUID, NetworkRules] = {}
    for path in sorted(directory.glob("*.xml")):
        network = parse(path.read_text())
        assert network.uuid is not None
        assert network.bridge is not None
        assert network.bridge.name is not None
        made[network.uuid] = network_rules(network, network.uuid, network.bridge.name, find_guest)
    return Ruleset(networks=made)


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir()))
def test_golden(case: str) -> None:
    directory = GOLDEN / case
    before, after = (render(ruleset(directory / name), INSTANCE) for name in ("before", "after"))
    commands = {
        "table": rewrite(EMPTY, after),
        "edit": change(before, after),
        "undo": change(after, before),
    }
    files = {name: "".join(f"{line}\n" for line in lines) for name, lines in commands.items()}
    if os.environ.get("UPDATE_GOLDEN"):
        for name, text in files.items():
            (directory / name).write_text(text)
    assert files == {name: (directory / name).read_text() for name in files}
    assert change(after, after) == []


RANGES = st.builds(
    lambda first, length: PortRange(first=first, last=first + length),
    st.integers(1, 40),
    st.integers(0, 12),
)
PROTOCOLS = st.sampled_from([(Protocol.TCP,), (Protocol.UDP,), (Protocol.TCP, Protocol.UDP)])


@st.composite
def claims(draw: st.DrawFn) -> list[Claim[int]]:
    drawn = draw(st.lists(st.tuples(PROTOCOLS, RANGES), max_size=12))
    return [Claim(protocols, ports, number) for number, (protocols, ports) in enumerate(drawn)]


def owners(made: list[Claim[int]], protocol: Protocol, port: int) -> tuple[int, ...]:
    return tuple(
        claim.value
        for claim in made
        if protocol in claim.protocols and claim.ports.first <= port <= claim.ports.last
    )


def values(pieces: list[Piece[int]], protocol: Protocol, port: int) -> list[int]:
    return [
        piece.value
        for piece in pieces
        if piece.protocol is protocol and piece.first <= port <= piece.last
    ]


@given(claims())
def test_every_port_belongs_to_the_first_claim_on_it(made: list[Claim[int]]) -> None:
    pieces = first_match(made)
    for protocol in (Protocol.TCP, Protocol.UDP):
        for port in range(1, 60):
            assert values(pieces, protocol, port) == list(owners(made, protocol, port)[:1])


@given(claims())
def test_an_overlay_knows_every_claim_in_order(made: list[Claim[int]]) -> None:
    several: list[Claim[tuple[int, ...]]] = [
        Claim(claim.protocols, claim.ports, (claim.value,)) for claim in made
    ]
    pieces = overlay(several, lambda old, new: old + new)
    for protocol in (Protocol.TCP, Protocol.UDP):
        for port in range(1, 60):
            found = [
                piece.value
                for piece in pieces
                if piece.protocol is protocol and piece.first <= port <= piece.last
            ]
            wanted = owners(made, protocol, port)
            assert found == ([wanted] if wanted else [])


def test_a_port_that_is_claimed_whole_by_an_earlier_rule_stays_in_one_piece() -> None:
    both = [
        Claim((Protocol.TCP,), PortRange(first=1, last=1000), "a"),
        Claim((Protocol.TCP,), PortRange(first=80, last=80), "b"),
    ]
    assert [str(piece) for piece in first_match(both)] == ["tcp . 1-1000"]


@pytest.mark.parametrize("name", ["", 'a"b', "all*", "back\\slash", "two\nlines"])
def test_names_that_nft_would_read_otherwise_are_refused(name: str) -> None:
    with pytest.raises(DriverError, match="bridge name"):
        quoted(name)


def test_other_names_are_quoted() -> None:
    assert quoted("vnet-{foo};") == '"vnet-{foo};"'
