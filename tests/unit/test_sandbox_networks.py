"""The sandbox's definitions are right, and fit the world around them."""

from __future__ import annotations

from uuid import UUID

import pytest

from vnet_tui.engine.definitions import examined
from vnet_tui.engine.model import Network
from vnet_tui.sandbox import world
from vnet_tui.sandbox.guests import GUESTS
from vnet_tui.sandbox.networks import ACTIVE, documents, from_pairs, to_pairs


@pytest.fixture
def networks() -> dict[str, Network]:
    """All of them, looked at one after another: none has a problem, alone or beside the others."""
    known: dict[UUID, Network] = {}
    for document in documents():
        network, problems = examined(document, known)
        assert problems == ()
        assert network is not None
        assert network.uuid is not None
        known[network.uuid] = network
    return {network.name: network for network in known.values()}


def test_some_run_and_some_are_only_defined(networks: dict[str, Network]) -> None:
    assert set(ACTIVE) < set(networks)
    assert {guest.network for guest in GUESTS} == set(ACTIVE)


def test_port_names_fit_an_interface() -> None:
    assert all(len(guest.port.encode()) <= 15 for guest in GUESTS)


def test_the_internet_routes_to_the_network_that_is_routed(networks: dict[str, Network]) -> None:
    dmz = networks["dmz"]
    assert dmz.dhcp is not None
    assert tuple(str(ip.subnet) for ip in dmz.ips) == world.ROUTED
    (reservation,) = dmz.dhcp.reservations
    (shop,) = (guest for guest in GUESTS if guest.network == "dmz")
    assert (reservation.name, reservation.mac) == (shop.name, shop.mac)
    assert str(reservation.address) == world.ROUTED_GUEST


def test_the_visitor_knocks_at_the_port_that_foo_forwards(networks: dict[str, Network]) -> None:
    (forward,) = networks["Foo"].incoming.rules
    assert forward.domain in {guest.name for guest in GUESTS if guest.network == "Foo"}
    assert forward.port is not None
    assert forward.port.first == world.OPEN_PORT


def test_bridges_survive_being_written_as_arguments() -> None:
    bridges = {"Foo": "vnet-foo", "lab": "br=odd"}
    assert from_pairs(to_pairs(bridges)) == bridges
