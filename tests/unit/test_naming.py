"""Names and MACs that are derived."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from vnet_tui.engine.check.names import interface_name_problem, mac_problem
from vnet_tui.engine.naming import derive_bridge_name, derive_mac


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Foo", "vnet-foo"),
        ("Büro Süd", "vnet-buro-sud"),
        ("a very long name", "vnet-a-very-lon"),
        ("../../etc", "vnet-etc"),
        ("exactly-10", "vnet-exactly-10"),
        ("nine-char- s", "vnet-nine-char"),
    ],
)
def test_the_name_of_a_bridge_is_like_that_of_its_network(name: str, expected: str) -> None:
    assert derive_bridge_name(name, set()) == expected


def test_a_taken_name_gets_a_number() -> None:
    taken = {"vnet-foo", "vnet-foo-2"}
    assert derive_bridge_name("foo", taken) == "vnet-foo-3"
    assert derive_bridge_name("abcdefghijkl", {"vnet-abcdefghij"}) == "vnet-abcdefgh-2"


@given(st.lists(st.text(max_size=20), max_size=30))
def test_every_name_is_one_that_the_kernel_takes_and_nobody_has(names: list[str]) -> None:
    taken: set[str] = set()
    for name in names:
        bridge = derive_bridge_name(name, taken)
        assert bridge not in taken
        assert interface_name_problem(bridge) is None
        assert bridge == derive_bridge_name(name, taken)
        taken.add(bridge)


def test_the_mac_stays() -> None:
    uuid = UUID("596a5d21-71f4-8fb2-e068-e2386a5c413e")
    assert derive_mac(uuid) == "02:a4:8d:4f:d1:be"


@given(st.uuids())
def test_every_mac_is_one_that_a_bridge_can_have(uuid: UUID) -> None:
    mac = derive_mac(uuid)
    assert mac_problem(mac) is None
    assert int(mac[:2], 16) & 2, "locally administered"
