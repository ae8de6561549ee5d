"""Guests: ports, leases and reservations put together, and the guest that a rule names."""

from ipaddress import ip_address

from vnet_tui.engine.guests import find_guest, guest_names, guests, name_at, namesakes
from vnet_tui.engine.model import Dhcp, Dns, Ip, Network, Range, Reservation
from vnet_tui.engine.views import Guest, Lease

NOW = 1000.0
A, B, C = "52:54:00:00:00:0a", "52:54:00:00:00:0b", "52:54:00:00:00:0c"


def lease(
    address: str,
    mac: str = "",
    name: str = "",
    expires: float | None = 2000.0,
    since: float | None = None,
    attached: str = "",
) -> Lease:
    return Lease(
        address=ip_address(address),
        mac=mac,
        name=name,
        expires=expires,
        since=since,
        attached=attached,
    )


def kept(address: str, mac: str | None = None, name: str | None = None) -> Reservation:
    return Reservation(address=ip_address(address), mac=mac, name=name)


def network(*reservations: Reservation, domain: str | None = None) -> Network:
    return Network(name="foo", dns=Dns(domain=domain), dhcp=Dhcp(reservations=reservations))


def addresses(guest: Guest) -> list[str]:
    return [str(address) for address in guest.addresses]


def test_one_mac_is_one_guest() -> None:
    four, six = lease("10.0.0.5", A, "web"), lease("fd00::5", A, "web")
    (guest,) = guests(network(), [six, four], {"tap0": [A.upper()]}, NOW)
    assert guest == Guest(
        name="web",
        mac=A,
        addresses=(four.address, six.address),
        port="tap0",
        lease=four,
        reserved=False,
    )


def test_a_lease_without_a_mac_goes_with_its_name() -> None:
    leases = [lease("10.0.0.5", A, "Web"), lease("fd00::5", "", "web.lan")]
    (guest,) = guests(network(domain="lan"), leases, {}, NOW)
    assert addresses(guest) == ["10.0.0.5", "fd00::5"]
    assert guest.name == "Web"
    assert len(guests(network(domain="other"), leases, {}, NOW)) == 2


def test_two_macs_are_two_guests_whatever_their_names() -> None:
    found = guests(network(), [lease("10.0.0.5", A, "web"), lease("10.0.0.6", B, "web")], {}, NOW)
    assert [guest.mac for guest in found] == [A, B]


def test_a_reservation_waits_and_is_replaced_by_the_lease_of_its_family() -> None:
    reserved = network(kept("10.0.0.9", A, "db"), kept("fd00::9", A), kept("10.0.0.8", None, "ns"))
    waiting = guests(reserved, [], {}, NOW)
    assert [(guest.name, addresses(guest)) for guest in waiting] == [
        ("ns", ["10.0.0.8"]),
        ("db", ["10.0.0.9", "fd00::9"]),
    ]
    assert all(guest.reserved and guest.lease is None for guest in waiting)
    found = guests(reserved, [lease("10.0.0.77", A, "other"), lease("10.0.0.8", B, "NS")], {}, NOW)
    assert [(guest.name, guest.mac, addresses(guest)) for guest in found] == [
        ("ns", B, ["10.0.0.8"]),
        ("db", A, ["10.0.0.77", "fd00::9"]),
    ]


def test_ports_appear_whatever_is_known_of_them() -> None:
    found = guests(network(), [lease("10.0.0.5", A)], {"p2": [], "p1": [A, B], "p3": [C]}, NOW)
    assert [(guest.port, guest.mac) for guest in found] == [
        ("p1", A),
        ("p2", ""),
        ("p1", B),
        ("p3", C),
    ]


def test_leases_that_ended_do_not_count() -> None:
    leases = [lease("10.0.0.5", A, expires=NOW), lease("10.0.0.6", B, expires=None)]
    assert [guest.mac for guest in guests(network(), leases, {}, NOW)] == [B]


def test_a_reservation_decides_where_a_rule_leads() -> None:
    reserved = network(kept("10.0.0.9", A, "web"))
    leases = [lease("10.0.0.5", B, "WEB"), lease("fd00::5", B, "web")]
    assert find_guest(reserved, leases, "Web") == {ip_address("10.0.0.9"), ip_address("fd00::5")}


def test_whose_reservation_was_changed_is_where_its_lease_is() -> None:
    reserved = network(kept("10.0.0.9", A.upper(), "web"), kept("fd00::9", A, "web"))
    four, six, later = lease("10.0.0.5", A), lease("fd00::5", A), lease("10.0.0.7", A, expires=None)
    assert find_guest(reserved, [four, six], "web") == {four.address, six.address}
    assert find_guest(reserved, [four, later], "web") == {later.address, ip_address("fd00::9")}
    renewed = lease("10.0.0.9", A, "web")
    assert find_guest(reserved, [later, renewed], "web") >= {renewed.address}
    assert find_guest(network(kept("10.0.0.9", None, "web")), [four], "web") == {renewed.address}


def test_a_lease_is_found_by_its_host_name() -> None:
    leases = [
        lease("10.0.0.7", C, "foobar", expires=None),
        lease("10.0.0.6", B, "foobar", expires=3000),
        lease("10.0.0.5", A, "FooBar", expires=2500),
        lease("10.0.0.4", A, "", expires=2400),
    ]
    assert find_guest(network(), leases, "foobar") == {ip_address("10.0.0.5")}
    assert find_guest(network(domain="Lan"), leases, "foobar.lan.") == {ip_address("10.0.0.5")}
    assert find_guest(network(), leases, "foobar.lan") == frozenset()
    assert find_guest(network(), leases, "") == frozenset()
    assert find_guest(Network(name="x"), [], "foobar") == frozenset()


def test_a_name_by_which_a_guest_is_attached_comes_before_what_guests_say() -> None:
    says = lease("10.0.0.5", A, "web", since=1.0)
    attached = lease("10.0.0.6", B, "other", since=2.0, attached="Web")
    leases = [says, attached]
    assert find_guest(network(), leases, "web") == {attached.address}
    assert find_guest(network(), leases, "other") == {attached.address}
    (pair,) = namesakes(network(), leases)
    assert str(pair).startswith(
        f"{A} at 10.0.0.5 says that it is web, the name by which {B} at 10.0.0.6 is attached"
    )
    reserved = network(kept("10.0.0.9", C, "web"))
    assert find_guest(reserved, leases, "web") == {ip_address("10.0.0.9")}
    assert namesakes(network(), [lease("10.0.0.6", B, "web", attached="web.lan")]) == ()
    assert name_at(network(), [lease("10.0.0.7", attached="db")], ip_address("10.0.0.7")) == "db"
    assert guest_names(network(), leases) == {"web", "other"}
    nameless = lease("10.0.0.7", C, attached="db")
    found = guests(network(), [*leases, nameless], {}, NOW)
    assert [guest.name for guest in found] == ["web", "other", "db"]


def test_of_two_guests_with_one_name_it_was_the_first_who_has_it() -> None:
    old, new = lease("10.0.0.9", B, "Web", since=5), lease("10.0.0.4", A, "web", since=7)
    six = lease("fd00::4", A, "web", since=7)
    assert find_guest(network(), [new, six, old], "web") == {old.address, six.address}
    (pair,) = namesakes(network(), [new, six, old])
    assert (pair.name, pair.first, pair.other) == ("web", old, new)
    # Who was seen with it comes before who wasn't.
    unseen = lease("10.0.0.2", C, "web", expires=10)
    assert find_guest(network(), [unseen, new], "web") == {new.address}


def test_one_guest_with_two_leases_is_where_its_latest_is() -> None:
    boot, system = lease("10.0.0.4", A, "web", since=5), lease("10.0.0.9", A, "web", since=6)
    other = lease("10.0.0.2", B, "web", since=5.5)
    assert find_guest(network(), [boot, other, system], "web") == {system.address}
    assert [pair.other for pair in namesakes(network(), [boot, other, system])] == [other]
    assert namesakes(network(), [boot, system, lease("10.0.0.3", C)]) == ()


def test_a_reserved_name_is_its_owners_wherever_others_say_they_are() -> None:
    reserved = network(kept("10.0.0.9", A, "web"), domain="lan")
    (pair,) = namesakes(reserved, [lease("10.0.0.5", B, "web.lan", since=1)])
    assert pair.first == reserved.dhcp.reservations[0] if reserved.dhcp else False
    assert namesakes(reserved, [lease("10.0.0.5", A, "web"), lease("fd00::5", B, "web")]) == ()


def test_ten_thousand_guests_are_put_together_in_one_pass() -> None:
    macs = [f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}" for number in range(10_000)]
    first = int(ip_address("10.0.0.0"))
    leases = [
        Lease(address=ip_address(first + number), mac=mac, name=f"g{number}", expires=None)
        for number, mac in enumerate(macs)
    ]
    found = guests(network(), leases, {f"p{n}": [mac] for n, mac in enumerate(macs)}, NOW)
    assert [guest.name for guest in found] == [f"g{number}" for number in range(10_000)]


def test_why_one_that_is_attached_has_no_address() -> None:
    def why(network: Network, *leases: Lease, macs: tuple[str, ...] = (A,)) -> str:
        (guest,) = (one for one in guests(network, leases, {"tap0": macs}, NOW) if one.port)
        return guest.note

    def serving(*ranges: tuple[str, str], reserved: str = "", enabled: bool = True) -> Network:
        given = tuple(Range(start=ip_address(a), end=ip_address(b)) for a, b in ranges)
        subnet = Ip(address=ip_address("10.0.0.1"), prefix=24, ranges=given)
        keeping = (kept(reserved, B),) if reserved else ()
        dhcp = Dhcp(enabled=enabled, ips=(subnet,), reservations=keeping)
        return Network(name="foo", dhcp=dhcp)

    two = serving(("10.0.0.10", "10.0.0.11"), reserved="10.0.0.11")
    other = lease("10.0.0.10", C)
    assert why(two, macs=()) == "nothing was heard from it in the last minutes"
    assert why(Network(name="foo")) == "the network has no addresses"
    assert why(serving(enabled=False)).startswith("DHCP is off")
    assert why(serving()).startswith("DHCP has no range")
    assert why(two).startswith("it didn't ask DHCP for one")
    assert why(two, other) == "all 2 addresses of DHCP's ranges are leased or reserved"
    more = serving(("10.0.0.10", "10.0.0.10"), ("10.0.0.20", "10.0.0.20"))
    assert why(more, other).startswith("it didn't ask DHCP for one")
    assert why(network(kept("10.0.0.5", A))).startswith("it didn't ask DHCP for 10.0.0.5")
    assert why(two, lease("10.0.0.10", A)) == ""
