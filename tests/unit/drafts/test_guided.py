"""A new network as the form makes it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from vnet_tui.drafts.guided import (
    first_of,
    ip_of,
    proposed,
    read_interface,
    served,
    with_interface,
)
from vnet_tui.engine.check import check
from vnet_tui.engine.errors import Severity, VnetError
from vnet_tui.engine.model import Dhcp, Mode, Network, Range, Reservation


def addressed(text: str) -> Network:
    return with_interface(proposed(()), 4, ip_interface(text))


def ranges(network: Network) -> list[str]:
    return [f"{one.start}-{one.end}" for ip in network.ips for one in ip.ranges]


def errors(network: Network) -> list[str]:
    return [one.message for one in check(network) if one.severity is Severity.ERROR]


def test_what_is_proposed_works_and_has_a_free_name() -> None:
    network = proposed({"net1", "net2"})
    assert network.name == "net3"
    assert network.mode is Mode.NAT
    assert errors(network) == []
    assert errors(addressed("10.0.0.1/24")) == []


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("10.0.0.1/24", "10.0.0.1/24"),
        ("10.0.0.0/24", "10.0.0.1/24"),
        ("10.0.0.254", "10.0.0.254/24"),
        ("10.0.0.1/255.255.0.0", "10.0.0.1/16"),
        (" 10.0.0.1/24 ", "10.0.0.1/24"),
        ("10.0.0.0/31", "10.0.0.0/31"),
    ],
)
def test_an_address_or_a_subnet_is_the_hosts_address(text: str, host: str) -> None:
    assert str(read_interface(text, 4)) == host


def test_of_an_ipv6_subnet_the_first_address_is_the_hosts() -> None:
    assert str(read_interface("fd00:77::/64", 6)) == "fd00:77::1/64"
    assert str(first_of(ip_network("fd00:77::/64"))) == "fd00:77::1/64"


@pytest.mark.parametrize(
    ("text", "version", "complaint"),
    [
        ("10.0.0", 4, "an address is expected"),
        ("fd00::1/64", 4, "is no IPv4 address"),
        ("10.0.0.1/24", 6, "is no IPv6 address"),
        ("10.0.0.1/64", 4, "prefix of 64"),
        ("10.0.0.1/x", 4, "a prefix length is expected"),
        ("127.0.0.1/8", 4, "a loopback address"),
        ("", 4, "an address is expected"),
    ],
)
def test_what_is_no_address_of_a_host_is_refused(text: str, version: int, complaint: str) -> None:
    with pytest.raises(VnetError, match=complaint):
        read_interface(text, version)


@pytest.mark.parametrize("prefix", range(8, 33))
def test_every_subnet_is_served_without_error(prefix: int) -> None:
    host = first_of(ip_network(f"10.0.0.0/{prefix}"))
    ip = served(host)
    assert errors(replace(proposed(()), dhcp=Dhcp(ips=(ip,)))) == []
    assert bool(ip.ranges) == (prefix < 31)


def test_a_range_that_nobody_chose_follows_the_subnet() -> None:
    small = with_interface(addressed("10.0.0.1/24"), 4, ip_interface("10.9.0.1/28"))
    assert ranges(small) == ["10.9.0.8-10.9.0.14"]
    assert ranges(with_interface(small, 4, ip_interface("10.0.0.1/24"))) == [
        "10.0.0.128-10.0.0.254"
    ]


def test_ranges_and_reservations_move_along_as_far_as_they_fit() -> None:
    network = addressed("10.0.0.1/24")
    assert network.dhcp is not None
    chosen = (
        Range(start=ip_address("10.0.0.5"), end=ip_address("10.0.0.9"), lease_time=600),
        Range(start=ip_address("10.0.0.100"), end=ip_address("10.0.0.199")),
    )
    kept = Reservation(address=ip_address("10.0.0.3"), name="web")
    ips = (replace(network.ips[0], ranges=chosen),)
    network = replace(network, dhcp=replace(network.dhcp, ips=ips, reservations=(kept,)))
    moved = with_interface(network, 4, ip_interface("10.7.7.1/28"))
    assert ranges(moved) == ["10.7.7.5-10.7.7.9"]
    assert moved.ips[0].ranges[0].lease_time == 600
    assert moved.dhcp is not None
    assert [str(one.address) for one in moved.dhcp.reservations] == ["10.7.7.3"]
    assert errors(moved) == []


def test_families_come_and_go_alone() -> None:
    both = with_interface(addressed("10.0.0.1/24"), 6, ip_interface("fd00::1/64"))
    assert [str(ip.interface) for ip in both.ips] == ["10.0.0.1/24", "fd00::1/64"]
    assert errors(both) == []
    six = with_interface(both, 4, None)
    assert ip_of(six, 4) is None
    assert [
        str(ip.interface) for ip in with_interface(six, 4, ip_interface("10.1.0.1/24")).ips
    ] == [
        "10.1.0.1/24",
        "fd00::1/64",
    ]
    assert with_interface(six, 6, None).dhcp is None
