"""Forwards that keep connections from the host's own sockets, and guests that nobody knows."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from vnet_tui.engine.check.known import unknown_guests
from vnet_tui.engine.check.listeners import host_ports_warning, taken_from_host
from vnet_tui.engine.errors import Severity
from vnet_tui.engine.guests import guest_names
from vnet_tui.engine.model import Network
from vnet_tui.engine.resources import HeldPort
from vnet_tui.engine.views import Lease
from vnet_tui.engine.xml import parse

FOUR = '<ip address="10.0.0.1" prefix="24" start="10.0.0.8" end="10.0.0.9"/>'
SIX = '<ip address="fd00::1" prefix="64" start="fd00::8" end="fd00::9"/>'


def network(rules: str, ips: str = FOUR + SIX, words: str = "", dns: str = "") -> Network:
    return parse(
        f"<network><name>foo</name>{dns}<dhcp>{ips}</dhcp>"
        f"<forwarding {words}><incoming>\n{rules}</incoming></forwarding></network>"
    )


def held(place: str, *, waits: bool = True) -> HeldPort:
    """A socket, from ``tcp ADDRESS PORT``."""
    protocol, address, port = place.split()
    return HeldPort(
        protocol=protocol,
        address=ip_address(address),
        port=int(port),
        inode=abs(hash(place)),
        waits=waits,
    )


@pytest.mark.parametrize(
    ("rule", "place", "taken"),
    [
        ('<allow port="80" domain="a"/>', "tcp 0.0.0.0 80", True),
        ('<allow port="80" domain="a"/>', "udp :: 80", True),
        ('<allow port="80" domain="a"/>', "tcp 192.0.2.1 80", True),
        ('<allow port="80" domain="a"/>', "tcp 127.0.0.1 80", True),
        ('<allow port="80" domain="a"/>', "tcp ::1 80", False),
        ('<allow port="80" domain="a"/>', "tcp 0.0.0.0 81", False),
        ('<allow port="70-90" domain="a" destport="170-190"/>', "tcp 0.0.0.0 90", True),
        ('<allow port="80" protocol="tcp" domain="a"/>', "udp 0.0.0.0 80", False),
        ('<allow port="80" domain="a" destination="192.0.2.1"/>', "tcp 0.0.0.0 80", True),
        ('<allow port="80" domain="a" destination="192.0.2.1"/>', "tcp :: 80", True),
        ('<allow port="80" domain="a" destination="192.0.2.1"/>', "tcp 192.0.2.2 80", False),
        ('<allow port="80" domain="a" destination="192.0.2.1"/>', "tcp fd00::2 80", False),
        ('<allow port="80" domain="a" source="2001:db8::/64"/>', "tcp 0.0.0.0 80", False),
        ('<allow port="80" domain="a" source="2001:db8::/64"/>', "tcp :: 80", True),
        ('<allow port="80" domain="a" enabled="false"/>', "tcp 0.0.0.0 80", False),
        ('<allow port="80"/>', "tcp 0.0.0.0 80", False),
        ('<deny port="80" domain="a"/>', "tcp 0.0.0.0 80", False),
        # our own dnsmasqs, whom guests reach whatever is forwarded
        ('<allow port="53" domain="a"/>', "udp 10.0.0.1 53", False),
        ('<allow port="53" domain="a"/>', "udp fd00::1 53", False),
        ('<allow port="53" domain="a"/>', "udp 192.0.2.1 53", True),
        ('<allow port="67" domain="a"/>', "udp 0.0.0.0 67", False),
    ],
)
def test_whose_connections_go_elsewhere(rule: str, place: str, taken: bool) -> None:
    found = network(rule)
    assert bool([*taken_from_host(found, [held(place)], [found])]) is taken


def test_a_socket_of_a_family_that_the_network_hasnt_keeps_its_connections() -> None:
    only_six = network('<allow port="80" domain="a"/>', SIX)
    places = [held("tcp 0.0.0.0 80"), held("tcp 192.0.2.1 80"), held("tcp :: 80")]
    assert [*taken_from_host(only_six, places, [])] == [(only_six.incoming.rules[0], (places[2],))]
    off = network('<allow port="80" domain="a"/>', words='enabled="false"')
    assert [*taken_from_host(off, places, [])] == []


def test_the_warning_names_line_services_and_where_they_listen() -> None:
    found = network('<allow port="1-1000" domain="a"/>')
    rule = found.incoming.located(0)
    sockets = [
        (held("tcp 0.0.0.0 22"), "sshd (pid 8)"),
        (held("tcp :: 22"), "sshd (pid 8)"),
        (held("udp 192.0.2.1 123"), ""),
    ]
    problem = host_ports_warning(rule, sockets)
    assert (problem.severity, problem.line) == (Severity.WARNING, 2)
    assert problem.message == (
        "the host itself listens on 22/tcp (sshd (pid 8) on all addresses) and 123/udp (another "
        "program on 192.0.2.1): connections to it go to a instead"
    )
    assert "destination" in problem.remedy
    many = host_ports_warning(rule, [(held(f"tcp 127.0.0.1 {port}"), "") for port in range(1, 9)])
    assert "and 5 more: the host's own connections to it go to a instead" in many.message


def test_guests_that_nobody_knows_are_told_once_each() -> None:
    found = network(
        '<allow port="1" domain="web"/>\n<allow port="2" domain="Web.lan"/>\n'
        '<allow port="3" domain="db"/>\n<allow port="4" domain="there"/>\n'
        '<deny domain="kept.lan"/><deny domain="off" enabled="false"/>',
        f'{FOUR}<host name="kept" address="10.0.0.5"/>',
        dns='<dns domain="lan"/>',
    )
    lease = Lease(address=ip_address("10.0.0.8"), mac="", name="There.lan", expires=None)
    names = guest_names(found, [lease])
    assert names == {"kept", "there"}
    told = [*unknown_guests(found, names)]
    assert [(one.line, one.severity) for one in told] == [
        (2, Severity.WARNING),
        (4, Severity.WARNING),
    ]
    assert told[0].message == (
        "no guest is known as web now: this rule waits until one is, as one more does"
    )
    assert told[1].remedy.startswith("give the guest this host name")
    (typed,) = unknown_guests(network('<allow port="1" domain="ther"/>'), names)
    assert typed.remedy == "did you mean there?"
    many = "".join(f'<allow port="{number}" domain="g{number}"/>' for number in range(1, 1001))
    *_, last = found_many = [*unknown_guests(network(many), names)]
    assert len(found_many) == 51
    assert "wait for 950 more guests" in last.message
    # that it can't become known is told by the check of the document itself
    no_range = network('<allow port="1" domain="web"/>', '<ip address="10.0.0.1" prefix="24"/>')
    assert [*unknown_guests(no_range, [])] == []
