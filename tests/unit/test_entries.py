"""Single values as they are typed into a form."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network

import pytest

from vnet_tui.engine import entries
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.model import INFINITE_LEASE, PortRange


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (entries.address, " 10.0.0.1 ", ip_address("10.0.0.1")),
        (entries.any_address, "ff02::1", ip_address("ff02::1")),
        (entries.prefix, "24", 24),
        (entries.prefix, "255.255.252.0", 22),
        (entries.subnet, "10.0.0.0/8", ip_network("10.0.0.0/8")),
        (entries.mac, "52:54:00:AB:00:01", "52:54:00:ab:00:01"),
        (entries.port, "53", 53),
        (entries.ports, "8000-8010", PortRange(first=8000, last=8010)),
        (entries.lease_time, "infinite", INFINITE_LEASE),
        (entries.lease_time, "12h", 43200),
        (entries.number, "7", 7),
        (entries.limit, "100", 100),
        (entries.comment, "the printer", "the printer"),
        (entries.title, "Machines of the course", "Machines of the course"),
        (entries.network_name, "Foo", "Foo"),
        (entries.interface_name, "vnet-foo", "vnet-foo"),
        (entries.host_label, "web", "web"),
        (entries.host_name, "lab.example", "lab.example"),
        (entries.record_name, "_sip._udp.example", "_sip._udp.example"),
        (entries.guest_name, "web_01", "web_01"),
    ],
)
def test_what_is_right_is_read(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (entries.address, "10.0.0.256", "an address is expected"),
        (entries.address, "224.0.0.1", "a multicast address"),
        (entries.any_address, "web", "an address is expected"),
        (entries.prefix, "129", "a prefix length is expected"),
        (entries.prefix, "255.0.255.0", "a netmask is expected"),
        (entries.subnet, "10.0.0.1/8", "10.0.0.0/8"),
        (entries.mac, "52:54", "a MAC is expected"),
        (entries.mac, "01:00:00:00:00:01", "a group address"),
        (entries.port, "0", "port 0 doesn't exist"),
        (entries.ports, "80-70", "ends before it starts"),
        (entries.ports, "70000", "port 70000 doesn't exist"),
        (entries.lease_time, "5s", "too short"),
        (entries.lease_time, "soon", "a lease time is expected"),
        (entries.number, "-1", "a whole number is expected"),
        (entries.limit, "0", "too small"),
        (entries.comment, "x" * 200, "200 bytes"),
        (entries.title, "a\nb", "control characters"),
        (entries.title, "x" * 201, "201 characters"),
        (entries.network_name, "", "is empty"),
        (entries.network_name, "a/b", "has a /"),
        (entries.interface_name, "sixteen-letters-x", "17 bytes"),
        (entries.host_label, "web.lab", "no host name"),
        (entries.host_name, "a..b", "no host name"),
        (entries.record_name, "-x", "no name of a record"),
        (entries.guest_name, "web 1", "no name of a guest"),
        (entries.line, "a\x1bb", "control characters"),
    ],
)
def test_what_is_wrong_is_told(read: Callable[[str], object], text: str, message: str) -> None:
    with pytest.raises(VnetError, match=message):
        read(text)
