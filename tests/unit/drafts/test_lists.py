"""Lists of a network, edited: nothing but the element changes, and it finds its place."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.support.networks import network
from vnet_tui.drafts.guest_edits import forwarded, named, reserved
from vnet_tui.drafts.lists import (
    ADDRESS,
    FORWARDER,
    HOST,
    INCOMING,
    OPTION,
    OUTGOING,
    RANGE,
    RECORD,
    RESERVATION,
    Kind,
    Place,
    added,
    changed,
    free_address,
    moved,
    place_at,
    proposed,
    removed,
    switched,
)
from vnet_tui.engine.errors import StateError
from vnet_tui.engine.model import (
    Action,
    DhcpOption,
    DnsHost,
    Forwarder,
    Ip,
    Mode,
    Network,
    PortRange,
    Protocol,
    Range,
    Record,
    Reservation,
    Rule,
)
from vnet_tui.engine.views import Guest, Lease
from vnet_tui.engine.xml import parse, write

A = ip_address
WEB = Guest(
    name="web",
    mac="52:54:00:00:00:0a",
    addresses=(A("10.1.0.150"),),
    port="tap0",
    lease=Lease(address=A("10.1.0.150"), mac="52:54:00:00:00:0a", name="web", expires=None),
)

ELEMENTS = (
    (ADDRESS, Ip(address=A("10.2.0.1"), prefix=24)),
    (RANGE, Range(start=A("10.1.0.10"), end=A("10.1.0.19"))),
    (RESERVATION, Reservation(address=A("10.1.0.20"), name="web")),
    (OPTION, DhcpOption(value="10.1.0.1", number=42)),
    (FORWARDER, Forwarder(address=A("192.0.2.53"))),
    (HOST, DnsHost(name="nas", address=A("10.1.0.9"))),
    (RECORD, Record(type="cname", name="www", target="nas")),
    (INCOMING, Rule(action=Action.ALLOW, port=PortRange(first=80, last=80))),
    (OUTGOING, Rule(action=Action.DENY, port=PortRange(first=25, last=25))),
)


@pytest.mark.parametrize(("kind", "element"), ELEMENTS, ids=[kind.word for kind, _ in ELEMENTS])
def test_what_is_added_is_written_changed_and_removed(kind: Kind, element: object) -> None:
    before = network("foo")
    place = Place(kind, len(kind.get(before)))
    after = added(before, place, element)  # type: ignore[arg-type]
    written = parse(write(after))
    assert kind.get(written)[place.at] == place.of(written) == element
    assert place_at(written, place.line(written), kind) == place
    assert place_at(written, 1, kind) is None
    assert changed(after, place, element) == after  # type: ignore[arg-type]
    assert kind.get(removed(after, place)) == kind.get(before)


def test_a_range_goes_where_its_subnet_is() -> None:
    two = added(network("foo"), Place(ADDRESS, 1), Ip(address=A("10.2.0.1"), prefix=24))
    new = Range(start=A("10.2.0.10"), end=A("10.2.0.19"))
    after = added(two, Place(RANGE, 0), new)
    assert after.ips[1].ranges == (new,)
    assert len(after.ips[0].ranges) == 1


def test_a_range_needs_a_subnet() -> None:
    new = Range(start=A("10.2.0.10"), end=A("10.2.0.19"))
    with pytest.raises(StateError, match="no address of the host"):
        added(Network(name="foo"), Place(RANGE, 0), new)


def test_rules_move_one_place_and_stop_at_the_ends() -> None:
    rules = '<forwarding><incoming><allow port="1"/><deny port="2"/></incoming></forwarding>'
    before = network("foo", rules)
    first, second = INCOMING.get(before)
    after, place = moved(before, Place(INCOMING, 0), 1)
    assert (INCOMING.get(after), place.at) == ((second, first), 1)
    assert moved(after, place, 1) == (after, place)
    assert moved(before, Place(INCOMING, 0), -1)[0] is before


def test_a_rule_is_switched_off_and_on() -> None:
    before = network("foo", '<forwarding><incoming><allow port="1"/></incoming></forwarding>')
    off = switched(before, Place(INCOMING, 0))
    assert not INCOMING.get(off)[0].enabled
    assert switched(off, Place(INCOMING, 0)) == before


def test_a_rule_leaves_an_isolated_network_isolated() -> None:
    isolated = Network(name="foo")
    after = added(isolated, Place(OUTGOING, 0), Rule(action=Action.DENY))
    assert after.mode is Mode.ISOLATED
    assert len(after.outgoing.rules) == 1


def test_new_ones_begin_with_something_that_makes_sense() -> None:
    bare = Network(name="foo")
    assert proposed(bare, RANGE) == {}
    assert proposed(bare, RESERVATION) == {}
    one = added(bare, Place(ADDRESS, 0), Ip(address=A("10.1.0.1"), prefix=24))
    assert proposed(one, RANGE) == {"start": A("10.1.0.128"), "end": A("10.1.0.254")}
    assert proposed(network("foo"), RANGE) == {}
    assert proposed(one, RESERVATION) == {"address": A("10.1.0.2")}
    assert proposed(one, INCOMING) == {"action": Action.ALLOW, "protocol": Protocol.TCP}


def test_an_address_is_free_that_nothing_has_or_hands_out() -> None:
    small = parse(
        '<network><name>foo</name><dhcp><ip address="10.0.0.1" prefix="29" start="10.0.0.2" '
        'end="10.0.0.4"/><host name="a" address="10.0.0.5"/></dhcp></network>'
    )
    assert free_address(small) == A("10.0.0.6")
    full = added(small, Place(RESERVATION, 1), Reservation(address=A("10.0.0.6"), name="b"))
    assert free_address(full) is None


def test_a_lease_is_kept_once_and_follows_its_guest() -> None:
    after = reserved(network("foo"), WEB)
    (kept,) = RESERVATION.get(after)
    assert kept == Reservation(address=A("10.1.0.150"), mac=WEB.mac, name="web")
    with pytest.raises(StateError, match="kept for web already"):
        reserved(after, WEB)
    elsewhere = changed(
        after, Place(RESERVATION, 0), Reservation(address=A("10.1.0.9"), mac=WEB.mac, name="www")
    )
    (kept,) = RESERVATION.get(reserved(elsewhere, WEB))
    assert kept == Reservation(address=A("10.1.0.150"), mac=WEB.mac, name="www")


def test_a_name_that_another_has_is_left_out() -> None:
    other = Reservation(address=A("10.1.0.9"), mac="52:54:00:00:00:0b", name="web")
    after = reserved(added(network("foo"), Place(RESERVATION, 0), other), WEB)
    assert RESERVATION.get(after)[1].name is None


def test_a_guest_without_an_address_has_nothing_to_keep() -> None:
    with pytest.raises(StateError, match="no address that could be kept"):
        reserved(network("foo"), Guest(name="web", mac=WEB.mac, addresses=()))


def test_rules_find_a_guest_by_its_reservation_first() -> None:
    assert named(network("foo"), WEB) == "web"
    kept = Reservation(address=A("10.1.0.150"), name="www")
    assert named(added(network("foo"), Place(RESERVATION, 0), kept), WEB) == "www"
    assert named(network("foo"), Guest(name="", mac=WEB.mac, addresses=())) is None


def test_a_forward_goes_before_the_deny_that_would_leave_it_nothing() -> None:
    rules = '<forwarding><incoming><allow port="1"/><deny/><deny port="2"/></incoming></forwarding>'
    rule = Rule(
        action=Action.ALLOW,
        port=PortRange(first=8080, last=8080),
        protocol=Protocol.TCP,
        domain="web",
    )
    after = forwarded(network("foo", rules), rule)
    assert INCOMING.get(after).index(rule) == 1
    assert INCOMING.get(forwarded(network("foo"), rule)) == (rule,)


def test_nothing_is_forwarded_in_an_isolated_network() -> None:
    with pytest.raises(StateError, match="isolated"):
        forwarded(network("foo", forwarding="isolated"), Rule(action=Action.ALLOW, domain="web"))
