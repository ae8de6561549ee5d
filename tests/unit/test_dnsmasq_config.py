"""What dnsmasq is told of a network: golden files, and documents that mean to break out of them.

``tests/golden/dnsmasq/*/network.xml`` are documents; beside each stands what becomes of it. Run
with ``UPDATE_GOLDEN=1`` to write them anew.
"""

import os
from dataclasses import replace
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from uuid import UUID

import pytest

from vnet_tui.engine.dnsmasq_check import unsupported
from vnet_tui.engine.dnsmasq_config import dnsmasq_spec
from vnet_tui.engine.errors import UnsupportedError
from vnet_tui.engine.model import (
    Dhcp,
    DhcpOption,
    Dns,
    DnsHost,
    Forwarder,
    Forwarding,
    Ip,
    Network,
    Range,
    Record,
    Reservation,
)
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import DnsmasqSpec
from vnet_tui.engine.xml import parse

GOLDEN = Path(__file__).parent.parent / "golden" / "dnsmasq"
PATHS = Paths(state=Path("/var/lib/vnet"), run=Path("/run/vnet"))
FOO = UUID("596a5d21-71f4-8fb2-e068-e2386a5c413e")
IP4 = Ip(address=ip_address("10.0.0.1"), prefix=24)


def spec(network: Network, paths: Paths = PATHS) -> DnsmasqSpec:
    made = dnsmasq_spec(network, FOO, "vnet-foo", paths)
    assert made is not None
    return made


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir()))
def test_golden(case: str) -> None:
    directory = GOLDEN / case
    network = parse((directory / "network.xml").read_text())
    made = spec(network)
    files = {"conf": made.config, "reservations": made.reservations, "hosts": made.hosts}
    if os.environ.get("UPDATE_GOLDEN"):
        for name, text in files.items():
            (directory / name).write_text(text)
    assert files == {name: (directory / name).read_text() for name in files}


def test_nothing_served_needs_no_dnsmasq() -> None:
    silent = Network(name="x", dns=Dns(enabled=False), dhcp=Dhcp(enabled=False, ips=(IP4,)))
    assert dnsmasq_spec(silent, FOO, "vnet-x", PATHS) is None
    assert dnsmasq_spec(Network(name="x"), FOO, "vnet-x", PATHS) is None


def test_reservations_and_hosts_change_without_a_restart() -> None:
    before = Network(name="x", dhcp=Dhcp(ips=(IP4,)))
    after = Network(
        name="x",
        dns=Dns(hosts=(DnsHost(name="a", address=ip_address("10.0.0.5")),)),
        dhcp=Dhcp(
            ips=(IP4,), reservations=(Reservation(address=ip_address("10.0.0.6"), name="b"),)
        ),
    )
    assert spec(before).config == spec(after).config
    assert spec(after).reservations == "10.0.0.6,b\n"
    assert spec(after).hosts == "10.0.0.5 a\n"


def test_several_addresses_of_one_guest() -> None:
    mac = "52:54:00:00:00:0a"
    kept = [
        Reservation(address=ip_address(address), mac=mac, name=name)
        for address, name in (("10.0.0.6", None), ("fd00::6", "web"), ("10.1.0.6", None))
    ]
    network = Network(name="x", dhcp=Dhcp(ips=(IP4,), reservations=tuple(kept)))
    assert spec(network).reservations.splitlines() == [
        f"{mac},10.0.0.6,[fd00::6],web",
        f"{mac},10.1.0.6,web",
    ]


def test_a_prefix_shorter_than_64_serves_ranges_in_the_hosts_own_64() -> None:
    def serve(*ranges: Range) -> Network:
        ip = Ip(address=IPv6Address("fd00:0:0:5::1"), prefix=48, ranges=ranges)
        return Network(name="x", dhcp=Dhcp(ips=(ip,)))

    inside = Range(start=ip_address("fd00:0:0:5::10"), end=ip_address("fd00:0:0:5::20"))
    outside = replace(inside, end=ip_address("fd00:0:0:6::"))
    assert "dhcp-range=fd00:0:0:5::10,fd00:0:0:5::20,64,3600s\n" in spec(serve(inside)).config
    assert "same /64" in unsupported(serve(outside))[0].message
    assert 'prefix="64"' in unsupported(serve())[0].remedy


def test_paths_are_quoted() -> None:
    paths = Paths(state=Path('/s "x", #1'), run=Path("/r\\n\nport=0"))
    lines = spec(Network(name="x", dhcp=Dhcp(ips=(IP4,))), paths).config.splitlines()
    assert f'dhcp-leasefile="/s \\"x\\", #1/leases/{FOO}.leases"' in lines
    assert f'pid-file="/r\\\\n\\nport=0/dnsmasq/{FOO}/pid"' in lines
    assert "port=0" not in lines


EVIL = [
    "x\nserver=/#/192.0.2.1",
    "x,192.0.2.1",
    "x #",
    'x"',
    "x/192.0.2.1",
    "x y",
    "*",
    "",
    ".",
    "a..b",
    "-x",
    "ünïcode",
    "x" * 64,
    ".".join(["x" * 60] * 5),
    "x\r",
    "x\x00",
    "set:x",
    "x\u2028",
]


def with_dns(**elements: object) -> Network:
    dns = Dns(**elements)  # type: ignore[arg-type]
    return Network(name="x", dns=dns, dhcp=Dhcp(ips=(IP4,)), forwarding=Forwarding())


def with_dhcp(**elements: object) -> Network:
    dhcp = Dhcp(ips=(IP4,), **elements)  # type: ignore[arg-type]
    return Network(name="x", dhcp=dhcp, forwarding=Forwarding())


@pytest.mark.parametrize("evil", EVIL)
def test_no_name_breaks_out(evil: str) -> None:
    four = ip_address("10.0.0.5")
    networks = [
        with_dns(domain=evil),
        with_dns(forwarders=(Forwarder(address=four, domain=evil),)),
        with_dns(hosts=(DnsHost(name=evil, address=four),)),
        *(
            with_dns(records=(Record(type=kind, name=evil, target="a", value="a", port=1),))
            for kind in ("cname", "txt", "srv", "mx")
        ),
        *(
            with_dns(records=(Record(type=kind, name="a", target=evil, port=1),))
            for kind in ("cname", "srv", "mx")
        ),
        with_dhcp(reservations=(Reservation(address=four, name=evil),)),
        with_dhcp(reservations=(Reservation(address=four, mac=evil),)),
        with_dhcp(options=(DhcpOption(name=evil, value="1"),)),
    ]
    for network in networks:
        with pytest.raises(UnsupportedError) as caught:
            spec(network)
        assert len(caught.value.problems) >= 1


@pytest.mark.parametrize("bridge", ["a b", "vnet*", "a\nb", "", "x" * 16, "a,b", "a:1", "a/b"])
def test_no_bridge_name_breaks_out(bridge: str) -> None:
    with pytest.raises(UnsupportedError, match="bridge"):
        dnsmasq_spec(with_dhcp(), FOO, bridge, PATHS)


@pytest.mark.parametrize("name", ["infinite", "ignore", "12h", "5", "3600s", "2W"])
def test_names_that_dnsmasq_reads_as_something_else_are_refused(name: str) -> None:
    network = with_dhcp(reservations=(Reservation(address=ip_address("10.0.0.5"), name=name),))
    assert "keyword" in unsupported(network)[0].message


def test_a_zone_could_be_any_text() -> None:
    evil = IPv6Address("fe80::1%eth0\nport=0")
    for network in (
        with_dns(forwarders=(Forwarder(address=evil),)),
        with_dns(hosts=(DnsHost(name="a", address=evil),)),
        with_dhcp(reservations=(Reservation(address=evil, name="a"),)),
    ):
        assert "zone" in unsupported(network)[0].message


def test_texts_are_one_line_whatever_they_hold() -> None:
    evil = 'a"\nport=0\n\\"#, \t\r'
    network = replace(
        with_dns(records=(Record(type="txt", name="a", value=evil),)),
        dhcp=Dhcp(ips=(IP4,), options=(DhcpOption(number=240, value=evil),)),
    )
    lines = spec(network).config.split("\n")
    quoted = '"a\\"\\nport=0\\n\\\\\\"#, \\t\\r"'
    assert f"txt-record=a,{quoted}" in lines
    assert f"dhcp-option=240,{quoted}" in lines
    assert "port=0" not in lines


@pytest.mark.parametrize("value", ["\x00", "\x1b[2J", "x" * 1000, "é" * 500, "\u2028"])
def test_texts_that_cannot_be_expressed_are_refused(value: str) -> None:
    assert unsupported(with_dns(records=(Record(type="txt", name="a", value=value),)))
    assert unsupported(with_dhcp(options=(DhcpOption(number=240, value=value),)))


def test_long_texts_are_several_strings() -> None:
    network = with_dns(records=(Record(type="txt", name="a", value="é" * 200),))
    assert f'txt-record=a,"{"é" * 127}","{"é" * 73}"\n' in spec(network).config


@pytest.mark.parametrize(
    "option",
    [
        DhcpOption(number=0, value="1"),
        DhcpOption(number=255, value="1"),
        DhcpOption(number=70000, value="1", family=6),
        DhcpOption(value="1"),
        DhcpOption(number=3, value="1", family=5),
    ],
)
def test_options_that_are_none(option: DhcpOption) -> None:
    assert unsupported(with_dhcp(options=(option,)))


def test_every_problem_is_told_with_its_line() -> None:
    network = with_dns(
        domain="a b",
        hosts=(DnsHost(name="c d", address=ip_address("10.0.0.5"), line=7),),
        records=(Record(type="cname", name="e", line=8), Record(type="a", name="f", line=9)),
        line=6,
    )
    assert [problem.line for problem in unsupported(network)] == [6, 7, 8, 9]
