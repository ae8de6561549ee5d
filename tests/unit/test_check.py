"""What makes no sense in one network, each alone: the message, and no other."""

from __future__ import annotations

import time

import pytest

from vnet_tui.engine.check import check
from vnet_tui.engine.errors import Problem, Severity
from vnet_tui.engine.model import (
    Action,
    Dhcp,
    DhcpOption,
    Dns,
    Forwarding,
    Mode,
    Network,
    Policy,
    PortRange,
    Record,
    Rule,
)
from vnet_tui.engine.xml import parse

FRAME = """\
<network>
  <name>Foo</name>
  {}
</network>
"""
IP = '<ip address="10.0.0.1" netmask="255.255.255.0"/>'


def document(inside: str) -> str:
    """A network's document; a fragment that begins with < is taken as it is, else: KIND:FRAGMENT,
    put where fragments of its kind stand."""
    kind, _, fragment = inside.partition(":") if not inside.startswith("<") else ("", "", inside)
    frames = {
        "": "{}",
        "dhcp": "<dhcp>{}</dhcp>",
        "host": f"<dhcp>{IP}{{}}</dhcp>",
        "dns": f"<dhcp>{IP}</dhcp><dns>{{}}</dns>",
        "in": '<dhcp><ip address="10.0.0.1" prefix="24" start="10.0.0.8" end="10.0.0.9"/></dhcp>'
        "<forwarding><incoming>{}</incoming></forwarding>",
        "out": f"<dhcp>{IP}</dhcp><forwarding><outgoing>{{}}</outgoing></forwarding>",
    }
    return FRAME.format(frames[kind].format(fragment))


def named(name: str) -> str:
    """The document of a network of this name."""
    return f"<network>\n<name>{name}</name></network>"


ERRORS = {
    # the bridge
    '<bridge name="sixteen-bytes-xx"/>': "the bridge's name 'sixteen-bytes-xx' has 16 bytes",
    '<bridge name="brücke-brücke"/>': "has characters that names",
    '<bridge name="a/b"/>': "has characters that names of interfaces can't have",
    '<bridge name="-a"/>': "has characters that names of interfaces can't have",
    '<bridge name=""/>': "is empty",
    '<bridge name="all"/>': "means something else to the kernel",
    '<bridge mtu="67"/>': "an MTU of 67 bytes is too small",
    '<bridge mtu="65536"/>': "an MTU of 65536 bytes is too large",
    '<bridge mtu="1279"/><dhcp><ip address="fd00::1" prefix="64"/></dhcp>': "IPv6 doesn't work",
    '<bridge delay="31"/>': "a forward delay of 31 seconds is too large",
    '<bridge stp="true" delay="1"/>': "a forward delay of 1 seconds is too small",
    '<bridge mac="03:00:00:00:00:01"/>': "is a group address",
    '<bridge mac="00:00:00:00:00:00"/>': "is all zeros",
    '<bridge name="eth0"/><interface name="eth0"/>': "are both named eth0",
    '<interface name="a b"/>': "the interface's name 'a b' has characters",
    # the switch
    '<switch type="vde" socket="run/vde"/>': "is no absolute path",
    f'<switch type="vde" socket="/{"x" * 100}"/>': "the socket's path has 101 bytes",
    '<switch type="vde" group="a b"/>': "is no name of a group",
    # the tunnel
    '<listen address="10.0.0.1" port="0"/>': "the port 0 doesn't exist",
    '<listen address="10.0.0.1" port="65536"/>': "the port 65536 doesn't exist",
    '<listen address="10.0.0.1" port="1" vni="16777216"/>': "a VNI of 16777216 is too large",
    '<listen address="::" port="1"/>': ":: is no address of one host",
    '<connections><connection address="10.0.0.2" port="1"/></connections>': "but no <listen>",
    '<listen address="10.0.0.1" port="1"/><connections><connection address="::2" port="1"/>'
    "</connections>": "::2 can't be reached from 10.0.0.1",
    '<listen address="10.0.0.1" port="1"/><connections><connection address="10.0.0.1" port="1"/>'
    "</connections>": "10.0.0.1 is this host's own end",
    '<listen address="10.0.0.1" port="1"/><connections><connection address="10.0.0.2" port="1"/>'
    '<connection address="10.0.0.2" port="1"/></connections>': "is connected twice",
    # addresses
    'dhcp:<ip address="10.0.0.0" prefix="24"/>': "10.0.0.0 is the address of the network itself",
    'dhcp:<ip address="10.0.0.255" prefix="24"/>': "10.0.0.255 is the broadcast address",
    'dhcp:<ip address="10.0.0.1" prefix="0"/>': "can't have a prefix of 0",
    'dhcp:<ip address="fd00::" prefix="64"/>': "fd00:: is the address that stands for any router",
    'dhcp:<ip address="127.0.0.1" prefix="8"/>': "is a loopback address",
    'dhcp:<ip address="224.0.0.1" prefix="24"/>': "is a multicast address",
    'dhcp:<ip address="240.0.0.1" prefix="24"/>': "is a reserved address",
    'dhcp:<ip address="0.0.0.1" prefix="24"/>': "is an address of 0.0.0.0/8",
    'dhcp:<ip address="fe80::1" prefix="64"/>': "is a link-local address",
    'dhcp:<ip address="10.0.0.1" prefix="8"/><ip address="10.1.0.1" prefix="16"/>': "the subnet "
    "10.1.0.0/16 overlaps 10.0.0.0/8",
    'dhcp:<ip address="10.0.0.1" prefix="24"/><ip address="10.0.0.2" prefix="24"/>': "overlaps",
    # ranges
    'dhcp:<ip address="10.0.0.1" prefix="24" start="10.0.0.8" end="10.0.1.9"/>': "the range "
    "10.0.0.8 to 10.0.1.9 is outside its subnet 10.0.0.0/24: 10.0.1.9",
    'dhcp:<ip address="10.0.0.1" prefix="24" start="fd00::1" end="fd00::2"/>': "is outside its",
    'dhcp:<ip address="10.0.0.1" prefix="24" start="10.0.0.9" end="10.0.0.8"/>': "ends before it",
    'dhcp:<ip address="10.0.0.5" prefix="24" start="10.0.0.1" end="10.0.0.9"/>': "holds the host's "
    "own address 10.0.0.5",
    'dhcp:<ip address="10.0.0.1" prefix="24" start="10.0.0.2" end="10.0.0.255"/>': "holds "
    "10.0.0.255, the broadcast address",
    'dhcp:<ip address="10.0.0.9" prefix="24" start="10.0.0.0" end="10.0.0.8"/>': "holds 10.0.0.0, "
    "the address of the network itself",
    'dhcp:<ip address="10.0.0.1" prefix="24" start="10.0.0.2" end="10.0.0.9">'
    '<range start="10.0.0.9" end="10.0.0.10"/></ip>': "the range 10.0.0.9 to 10.0.0.10 overlaps "
    "10.0.0.2 to 10.0.0.9",
    'dhcp:<ip address="fd00::1" prefix="48" start="fd00:0:0:1::2" end="fd00:0:0:1::9"/>': "isn't "
    "in the same /64",
    f'<dhcp leasetime="119">{IP}</dhcp>': "a lease time of 119 seconds is too short",
    'dhcp:<ip address="10.0.0.1" prefix="24"><range start="10.0.0.2" end="10.0.0.9" '
    'leasetime="99999999d"/></ip>': "seconds is too long",
    # reservations
    'host:<host address="10.0.0.5"/>': "the reservation of 10.0.0.5 names no guest",
    'host:<host address="10.0.0.5" mac="01:00:5e:00:00:01"/>': "is a group address",
    'host:<host address="10.0.0.5" name="a_b"/>': "'a_b' is no host name of a guest",
    'host:<host address="10.0.0.5" name="a.b"/>': "'a.b' is no host name of a guest",
    'host:<host address="10.0.0.5" name="-a"/>': "'-a' is no host name of a guest",
    f'host:<host address="10.0.0.5" name="{"a" * 64}"/>': "is no host name of a guest",
    'host:<host address="10.0.1.5" name="a"/>': "10.0.1.5 is outside every subnet",
    'host:<host address="10.0.0.1" name="a"/>': "10.0.0.1 is the host's own address",
    'host:<host address="10.0.0.0" name="a"/>': "10.0.0.0 is the address of the network itself",
    'host:<host address="10.0.0.255" name="a"/>': "10.0.0.255 is the broadcast address",
    'host:<host address="10.0.0.5" name="a"/><host address="10.0.0.5" name="b"/>': "10.0.0.5 is "
    "reserved twice (line 3)",
    'host:<host address="10.0.0.5" name="a"/><host address="10.0.0.6" name="A"/>': "the name A has "
    "a reservation already: 10.0.0.5",
    'host:<host address="10.0.0.5" mac="52:54:00:00:00:01"/><host address="10.0.0.6" '
    'mac="52:54:00:00:00:01"/>': "the MAC 52:54:00:00:00:01 has a reservation already",
    # options
    'host:<option value="x"/>': "an option has neither number nor name",
    'host:<option number="3" name="router" value="x"/>': "an option has number and name",
    'host:<option number="255" value="x"/>': "a number of 255 is too large",
    'host:<option number="70000" family="6" value="x"/>': "a number of 70000 is too large",
    'host:<option name="NTP server" value="x"/>': "'NTP server' is no name of an option",
    'host:<option number="3" value="a&#10;b"/>': "the value has control characters",
    'host:<option number="3" value="a"/><option number="3" value="b"/>': "the option 3 is given "
    "twice",
    # DNS
    f'<dns domain="a_b"/><dhcp>{IP}</dhcp>': "'a_b' is no domain",
    'dns:<forwarder address="10.0.0.9" port="0"/>': "the port 0 doesn't exist",
    'dns:<forwarder address="10.0.0.9" domain="a b"/>': "'a b' is no domain",
    'dns:<forwarder address="0.0.0.0"/>': "0.0.0.0 is no server",
    'dns:<host name="a b" address="10.0.0.9"/>': "'a b' is no host name",
    'dns:<host name="a" address="::"/>': ":: is no address of a host",
    'dns:<record type="cname" name="a"/>': "a cname record needs target",
    'dns:<record type="txt" name="a"/>': "a txt record needs value",
    'dns:<record type="mx" name="a" target="b" value="c"/>': "a mx record has no value",
    'dns:<record type="srv" name="_a._tcp.x" target="b"/>': "a srv record needs port",
    'dns:<record type="srv" name="a" target="b" port="1"/>': "'a' names no service",
    'dns:<record type="mx" name="a" target="b" priority="65536"/>': "a priority of 65536 is too",
    'dns:<record type="mx" name="a b" target="b"/>': "'a b' is no name for a mx record",
    'dns:<record type="mx" name="a" target="b c"/>': "the target 'b c' is no host name",
    f'dns:<record type="txt" name="a" value="{"x" * 256}"/>': "the value has 256 bytes",
    'dns:<record type="cname" name="a" target="a"/>': "the alias a leads back to itself",
    'dns:<record type="cname" name="a" target="b"/><record type="cname" name="A" target="c"/>': "A "
    "is an alias already",
    # rules
    'in:<allow port="0"/>': "port 0 doesn't exist",
    'in:<allow port="1-65536"/>': "port 65536 doesn't exist",
    'in:<allow port="9-8"/>': "port 9-8 ends before it starts",
    'in:<allow port="80" destport="81"/>': "destport stands without domain",
    'in:<allow domain="a" destport="81"/>': "destport stands without port",
    'in:<allow port="80-81" domain="a" destport="81"/>': "2 ports (80-81) can't lead to 1 (81)",
    'in:<deny port="80" domain="a" destport="81"/>': "a <deny> leads nowhere",
    f'<dhcp>{IP}<host name="a" address="10.0.0.5"/></dhcp><forwarding><outgoing><allow port="80" '
    'domain="a" destport="81"/></outgoing></forwarding>': "destport has no meaning in <outgoing>",
    'in:<allow port="80" protocol="icmp"/>': "icmp has no ports",
    'in:<allow source="10.0.0.0/8" destination="fd00::/8"/>': "no connection goes from 10.0.0.0/8",
    'in:<allow domain="a b"/>': "'a b' is no name of a guest",
    'in:<allow limit="0"/>': "a limit of 0 connections a second is too small",
    f'in:<allow comment="{"€" * 43}"/>': "the comment has 129 bytes",
    'in:<allow comment="&#x202e;"/>': "the comment has control characters",
    'in:<allow port="80" domain="a"/><allow port="70-90" domain="b" protocol="tcp"/>': "port 70-90 "
    "of the host leads to a already",
    # texts
    "<title>a\nb</title>": "the title has control characters or several lines",
    f"<title>{'x' * 201}</title>": "the title has 201 characters",
    "<description>&#x202e;</description>": "the description has control characters",
}

WARNINGS = {
    "<dns/>": "DNS can't be served",
    "<dhcp/>": "there is no address to serve",
    "<forwarding/>": "nothing can be forwarded",
    'dhcp:<ip address="169.254.0.1" prefix="16"/>': "is a link-local address",
    'dhcp:<ip address="fd00::1" prefix="96"/>': "guests can't make addresses of their own",
    'dns:<host name="a" address="10.0.0.9"/><host name="A" address="10.0.0.9"/>': "has the address "
    "10.0.0.9 already",
    'in:<allow port="80"/><deny port="80"/>': "this rule never decides anything",
    'out:<deny domain="nobody"/>': "no guest can become known as nobody by DHCP",
    'out:<deny source="10.9.0.0/16"/>': "no guest has an address in 10.9.0.0/16",
    'in:<allow destination="10.9.0.0/16"/>': "no guest has an address in 10.9.0.0/16",
    'out:<deny destination="10.0.0.128/25"/>': "nothing from 10.0.0.128/25 or to it asks this rule",
    'in:<allow source="10.0.0.9"/>': "nothing from 10.0.0.9/32 or to it asks this rule",
    'in:<allow source="2001:db8::/32"/>': "the network has no IPv6",
    'in:<allow port="80" domain="a" source="fd00::/8"/>': "the network has no IPv6",
    'out:<deny destination="fd00::/8"/>': "the network has no IPv6",
    'in:<deny port="1-9"/><deny port="10-20"/><allow port="5-15"/>': "earlier ones (line 3 and "
    "line 3) match all that it does",
    "in:"
    + "".join(f'<deny port="{port}"/>' for port in range(1, 10))
    + '<allow port="2-9"/>': "earlier ones (line 3 and line 3 and line 3 and 5 more) match",
}

NAMES = {
    "": "is empty",
    "a/b": "has a /",
    "-a": "begins with -",
    "..": "is ..",
    "a\nb": "has control characters",
    "a&#x202e;b": "has control characters",
    "x" * 65: "has 65 characters",
}

SOUND = [
    'in:<allow port="80" domain="a" source="10.9.0.0/16"/><allow port="80" domain="b"/>',
    'in:<allow port="80" domain="a" protocol="tcp"/><allow port="80" domain="b" protocol="udp"/>',
    'in:<allow port="80" domain="a" enabled="false"/><allow port="80" domain="b"/>',
    'in:<allow port="80" limit="5"/><deny port="80"/>',
    'in:<deny port="1-9"/><deny port="11-20"/><allow port="5-15"/>',
    'in:<deny port="1-9"/><deny port="10-20" protocol="tcp"/><allow port="5-15"/>',
    'in:<allow port="80" domain="a" source="10.0.0.9"/><allow source="10.0.0.0/8"/>',
    'in:<allow port="80" domain="a" destination="192.0.2.1"/><allow destination="10.0.0.9"/>',
    'out:<deny source="10.0.0.9" destination="10.0.1.0/24"/><deny destination="10.0.0.0/8"/>',
    'out:<deny destination="fd00::/8" enabled="false"/>',
    'in:<allow port="80-82" domain="a" destport="8080-8082"/><allow port="83" domain="b"/>',
    'dhcp:<ip address="10.0.0.0" prefix="31"/>',
    'dhcp:<ip address="10.0.0.1" prefix="32"/>',
    'dhcp:<ip address="fd00::1" prefix="48" start="fd00::2" end="fd00::9"/>',
    'dhcp:<ip address="10.0.0.1" prefix="24"/><ip address="fd00::1" prefix="64"/>'
    '<host mac="52:54:00:00:00:01" name="a" address="10.0.0.2"/>'
    '<host mac="52:54:00:00:00:01" name="a" address="fd00::2"/>',
    '<bridge stp="false" delay="0" mtu="68"/>',
    '<listen address="10.0.0.1" port="1"/><connections/>',
    "<description>two\n\tlines</description>",
]


def told(text: str) -> tuple[Problem, ...]:
    return check(parse(text))


@pytest.mark.parametrize(("inside", "expected"), ERRORS.items())
def test_an_error(inside: str, expected: str) -> None:
    [problem] = told(document(inside))
    assert expected in problem.message
    assert problem.severity is Severity.ERROR
    assert problem.line == 3
    assert problem.remedy


@pytest.mark.parametrize(("inside", "expected"), WARNINGS.items())
def test_a_warning(inside: str, expected: str) -> None:
    [problem] = told(document(inside))
    assert expected in problem.message
    assert problem.severity is Severity.WARNING
    assert problem.line == 3
    assert problem.remedy


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_a_name_that_a_network_cannot_have(name: str, expected: str) -> None:
    [problem] = told(named(name))
    assert expected in problem.message
    assert problem.severity is Severity.ERROR
    assert problem.line == 2


@pytest.mark.parametrize("name", ["12", "596a5d2171f48fb2e068e2386a5c413e"])
def test_a_name_that_looks_like_something_else_deserves_a_look(name: str) -> None:
    [problem] = told(named(name))
    assert problem.severity is Severity.WARNING


@pytest.mark.parametrize("name", ["Foo", "a b", "Büro 3", "日本", "a.b", "x" * 64])
def test_names_that_a_network_can_have(name: str) -> None:
    assert told(named(name)) == ()


@pytest.mark.parametrize("inside", SOUND)
def test_nothing_is_said_of_what_makes_sense(inside: str) -> None:
    assert told(document(inside)) == ()


def test_networks_that_never_were_documents_are_checked_too() -> None:
    network = Network(
        name=" Foo ",
        dns=Dns(records=(Record(type="ptr", name="x"),), enabled=False),
        dhcp=Dhcp(enabled=False, options=(DhcpOption(value="x", number=1, family=5),)),
        forwarding=Forwarding(
            enabled=False,
            mode=Mode.ISOLATED,
            incoming=Policy(
                rules=(Rule(action=Action.ALLOW, port=PortRange(first=-1, last=70000)),)
            ),
        ),
    )
    assert [problem.message for problem in check(network)] == [
        "the network's name has spaces around it",
        "there are no records of type 'ptr' here",
        "there is no DHCP of family 5",
        "there is no mode isolated",
        "port -1 doesn't exist",
        "port 70000 doesn't exist",
    ]


def test_ten_thousand_forwards_are_compared_without_comparing_all_with_all() -> None:
    rules = tuple(
        Rule(action=Action.ALLOW, port=PortRange(first=port, last=port), domain=f"g{port}")
        for port in range(1, 10_001)
    )
    network = parse(document("in:<deny/>"))
    assert network.forwarding is not None
    forwarding = Forwarding(incoming=Policy(rules=rules))
    begin = time.process_time()
    found = check(Network(name="Foo", dhcp=network.dhcp, forwarding=forwarding))
    assert time.process_time() - begin < 2.0
    assert found == ()
