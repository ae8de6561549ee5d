"""Who reaches whom: every row is real packets, over IPv4 and IPv6, through each driver."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import closing, suppress

import pytest

from tests.support.eventually import eventually
from tests.support.firewall_lab import FirewallLab
from tests.support.lab import Lab
from vnet_tui.engine.drivers.firewall.protocol import FirewallDriver, choose

NAT = '<forwarding mode="nat"/>'


@pytest.fixture(params=["nftables", "iptables"])
def driver(lab: Lab, request: pytest.FixtureRequest) -> FirewallDriver:
    return choose(request.param, lab.paths)


@pytest.fixture(params=[False, True], ids=["plain", "bridge-netfilter"])
async def world(
    lab: Lab, driver: FirewallDriver, request: pytest.FixtureRequest
) -> AsyncIterator[FirewallLab]:
    made = FirewallLab(lab, driver, bridge_netfilter=request.param)
    yield made
    await made.close()


async def test_nat_lets_guests_out_under_the_hosts_address_and_nobody_in(
    world: FirewallLab,
) -> None:
    await world.install(foo=NAT, bar=NAT)
    world.check("""
        web     tcp+udp outside:80  pass   seen=host
        web     icmp    outside     pass
        bob     tcp+udp outside:123 pass   seen=host
        outside tcp+udp web:80      denied
        outside icmp    web         denied
        web     tcp+udp mail:80     pass   seen=web
        web     icmp    mail        pass
        web     tcp+udp bob:80      denied
        bob     tcp+udp web:80      denied
        bob     icmp    web         denied
    """)


async def test_nothing_of_the_host_is_opened_or_closed(world: FirewallLab) -> None:
    before = """
        web     tcp+udp host:8000   pass    server=host seen=web
        web     tcp+udp gw-foo:53   pass    server=host
        web     udp     gw-bar:53   pass    server=host
        outside tcp+udp host:8000   pass    server=host seen=outside
        outside tcp+udp host:9      refused
        outside icmp    host        pass
        host    tcp+udp web:80      pass    seen=gw-foo
        host    tcp+udp outside:80  pass    seen=host
    """
    world.check(before)
    await world.install(foo=NAT, bar='<forwarding enabled="false"/>')
    world.check(before)
    closed = '<forwarding><incoming default="deny"/><outgoing default="deny"/></forwarding>'
    await world.install(foo=closed, bar=closed)
    world.check(before)


async def test_route_keeps_addresses_and_follows_the_policies(world: FirewallLab) -> None:
    await world.install(
        foo='<forwarding mode="route"><incoming default="allow"/></forwarding>', bar=NAT
    )
    world.check("""
        web     tcp+udp outside:80 pass   seen=web
        outside tcp+udp web:80     pass   seen=outside
        outside icmp    mail       pass
        outside tcp     web:9      refused
        bob     tcp+udp web:80     pass
        web     tcp+udp bob:80     denied
    """)


async def test_nothing_passes_to_or_from_an_isolated_network(world: FirewallLab) -> None:
    open_ = '<forwarding mode="route"><incoming default="allow"/></forwarding>'
    await world.install(foo='<forwarding enabled="false"/>', bar=open_)
    world.check("""
        web     tcp+udp mail:80    pass
        web     tcp+udp gw-foo:53  pass   server=host
        web     tcp+udp outside:80 denied
        web     icmp    outside    denied
        outside tcp+udp web:80     denied
        web     tcp+udp bob:80     denied
        bob     tcp+udp web:80     denied
        bob     tcp     outside:80 pass
    """)


async def test_outgoing_rules_in_document_order(world: FirewallLab) -> None:
    await world.install(
        foo="""<forwarding mode="nat"><outgoing default="allow">
            <allow port="25" destination="198.51.100.3"/>
            <allow port="25" destination="2001:db8::3"/>
            <deny port="25"/>
            <deny protocol="udp" port="100-200"/>
            <allow port="123"/>
            <deny port="80" domain="mail"/>
            <deny port="5000" enabled="false"/>
            <allow protocol="tcp" port="6001"/>
            <deny port="6000-6002"/>
            <deny protocol="icmp" domain="web"/>
        </outgoing></forwarding>""",
        bar="""<forwarding mode="nat"><outgoing default="deny">
            <allow protocol="tcp" port="80"/>
            <allow destination="198.51.100.3"/>
            <allow protocol="icmp"/>
            <allow port="321" domain="nobody"/>
        </outgoing></forwarding>""",
    )
    world.check("""
        web  tcp+udp friend:25    pass   server=outside
        web  tcp+udp outside:25   denied
        web  tcp     outside:123  pass
        web  udp     outside:123  denied
        web  tcp+udp outside:80   pass
        mail tcp+udp outside:80   denied
        mail tcp+udp outside:5000 pass
        web  tcp     outside:6001 pass
        web  udp     outside:6001 denied
        web  tcp+udp outside:6000 denied
        web  tcp+udp outside:6002 denied
        web  icmp    outside      denied
        mail icmp    outside      pass
        web  tcp+udp mail:25      pass
        bob  tcp     outside:80   pass
        bob  udp     outside:80   denied
        bob  tcp+udp outside:321  denied
        bob  tcp+udp friend:321   pass   server=outside families=4
        bob  tcp+udp friend:321   denied families=6
        bob  icmp    outside      pass
        bob  udp     gw-bar:53    pass   server=host
    """)


async def test_incoming_rules_in_document_order(world: FirewallLab) -> None:
    await world.install(
        foo="""<forwarding mode="route"><incoming default="deny">
            <deny port="80" source="198.51.100.3"/>
            <deny port="80" source="2001:db8::3"/>
            <allow port="80"/>
            <allow protocol="icmp"/>
            <allow protocol="udp" port="6000-6001"/>
            <allow port="321" destination="10.0.0.11"/>
            <allow domain="mail" source="198.51.100.3"/>
            <allow domain="nobody"/>
            <allow protocol="tcp"/>
            <deny port="25"/>
        </incoming></forwarding>""",
        bar="""<forwarding mode="nat">
            <incoming default="allow"><deny protocol="tcp"/><deny port="25"/></incoming>
            <outgoing default="allow"><deny port="80" destination="10.0.0.0/24"/></outgoing>
        </forwarding>""",
    )
    world.check("""
        outside tcp+udp web:80    pass    seen=outside
        outside tcp+udp web:80    denied  source=friend
        outside icmp    web       pass
        outside udp     web:6001  pass
        outside udp     web:6002  denied
        outside udp     mail:321  pass    families=4
        outside udp     mail:321  denied  families=6
        outside udp     web:321   denied
        outside udp     mail:2000 pass    source=friend families=4
        outside udp     mail:2000 denied
        outside udp     web:2000  denied  source=friend
        outside tcp     web:25    pass
        outside udp     web:25    denied
        outside udp     bob:80    pass
        outside tcp     bob:80    denied
        outside udp     bob:25    denied
        web     udp     bob:80    pass    seen=web
        web     tcp     bob:80    denied
        bob     tcp+udp web:80    denied  families=4
        bob     tcp+udp web:80    pass    families=6
        bob     tcp     web:25    pass
    """)


async def test_rules_that_tell_limit_or_end_open_and_close_no_more_than_others(
    world: FirewallLab,
) -> None:
    await world.install(
        foo="""<forwarding mode="route">
            <incoming default="deny">
                <deny port="80" source="198.51.100.3" log="true"/>
                <deny port="80" source="2001:db8::3" log="true"/>
                <allow port="80" log="true" limit="900"/>
                <deny port="25" established="false" limit="900"/>
                <allow port="25-123" limit="900"/>
                <allow port="2000" domain="web" destport="321" log="true"/>
                <allow port="2001" domain="mail" destport="80" limit="900"/>
                <deny protocol="udp" port="5000" established="false"/>
                <allow port="5000" domain="mail" log="true" limit="900"/>
                <allow protocol="icmp" log="true"/>
            </incoming>
            <outgoing default="allow">
                <allow port="25" destination="198.51.100.3" log="true"/>
                <deny port="25" log="true" established="false"/>
                <deny protocol="icmp" domain="mail" established="false"/>
                <deny domain="mail" limit="900"/>
            </outgoing>
        </forwarding>""",
        bar="""<forwarding mode="nat"><outgoing default="deny">
            <allow protocol="tcp" port="80" log="true"/><allow protocol="icmp" limit="900"/>
        </outgoing></forwarding>""",
    )
    world.check("""
        outside tcp+udp web:80    pass
        outside tcp+udp web:80    denied source=friend
        outside tcp+udp web:25    denied
        outside tcp+udp web:123   pass
        outside tcp+udp web:2000  denied
        outside tcp+udp host:2000 pass   server=web
        outside tcp+udp host:2001 pass   server=mail
        outside tcp     host:5000 pass   server=mail
        outside udp     host:5000 denied
        outside icmp    web       pass
        mail    tcp+udp host:2000 pass   server=web
        host    tcp+udp host:2001 pass   server=mail
        web     tcp+udp friend:25 pass   server=outside families=4
        web     tcp+udp outside:25 denied
        web     tcp+udp outside:80 pass
        web     icmp    outside   pass
        mail    icmp    outside   denied
        mail    tcp+udp outside:80 denied
        bob     tcp     outside:80 pass
        bob     udp     outside:80 denied
        bob     icmp    outside   pass
        bob     tcp     web:80    pass
        bob     udp     web:123   denied
    """)


FORWARDS = """<forwarding mode="nat"><incoming default="deny">
    <deny port="2000" source="198.51.100.3"/>
    <deny port="2000" source="2001:db8::3"/>
    <allow port="123" domain="web" destport="321"/>
    <allow protocol="udp" port="2000" domain="mail"/>
    <allow protocol="tcp" port="2000" domain="mail" destport="25"/>
    <allow port="5000-5002" domain="web" destport="6000-6002"/>
    <allow port="7000-7003" domain="mail"/>
    <allow port="3000" source="198.51.100.3" domain="web" destport="80"/>
    <allow port="3000" source="2001:db8::3" domain="web" destport="80"/>
    <allow port="3000" domain="mail" destport="80"/>
    <allow port="3001" destination="198.51.100.9" domain="web" destport="80"/>
    <allow port="3002" domain="nobody" destport="80"/>
    <allow port="9000-9001" domain="web" destport="80"/>
    <allow port="4000" domain="web" destport="9" enabled="false"/>
</incoming></forwarding>"""


async def test_forwards_lead_to_guests_and_open_nothing_else(world: FirewallLab) -> None:
    await world.install(foo=FORWARDS, bar=NAT)
    world.check("""
        outside tcp+udp host:123  pass    server=web  seen=outside
        outside tcp+udp host2:123 pass    server=web  seen=outside
        outside udp     host:2000 pass    server=mail
        outside tcp     host:2000 pass    server=mail
        outside tcp+udp host:2000 denied  source=friend
        outside tcp+udp host:5000 pass    server=web
        outside tcp+udp host:5002 pass    server=web
        outside tcp     host:5003 refused
        outside tcp+udp host:7001 pass    server=mail
        outside tcp     host:7002 refused
        outside tcp+udp host:3000 pass    server=mail
        outside tcp+udp host:3000 pass    server=web  source=friend seen=friend
        outside tcp+udp host2:3001 pass   server=web  families=4
        outside tcp+udp host:3001 refused
        outside tcp+udp host:3002 refused
        outside tcp+udp host:9001 pass    server=web
        outside tcp+udp host:4000 refused
        outside tcp+udp host:8000 pass    server=host
        outside tcp+udp web:321   denied
        outside tcp+udp web:123   denied
        outside tcp+udp mail:80   denied
        outside tcp+udp gw-foo:123 pass   server=web
        outside icmp    web       denied
    """)


async def test_forwards_from_guests_and_from_the_host(world: FirewallLab) -> None:
    await world.install(foo=FORWARDS, bar=NAT)
    world.check("""
        mail tcp+udp host:123   pass server=web  seen=gw-foo
        mail tcp+udp gw-foo:123 pass server=web  seen=gw-foo
        bob  tcp+udp host:123   pass server=web
        bob  tcp+udp gw-bar:123 pass server=web
        bob  tcp+udp web:321    denied
        host tcp+udp host:123   pass server=web  seen=gw-foo
        host tcp+udp gw-foo:123 pass server=web  seen=gw-foo
        web  tcp+udp outside:123 pass server=outside seen=host
        bob  tcp+udp outside:123 pass server=outside seen=host
        host tcp+udp outside:123 pass server=outside
        host tcp+udp loopback:123  pass server=web seen=gw-foo families=4
        host tcp+udp loopback:5001 pass server=web families=4
        host tcp     127.0.0.2:123 refused families=4
        host tcp     loopback:123  refused families=6
        host tcp+udp loopback:8000 pass server=host
    """)
    if not world.bridge_netfilter:  # with it, a bridge never sends back through the same port
        world.check("web tcp+udp host:123 pass server=web seen=gw-foo")


async def test_the_hosts_loopback_addresses_are_for_nobody_else(world: FirewallLab) -> None:
    """Bridges with forwards route such addresses, so that nothing but our rules stops a guest who
    writes his packets himself."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as service:
        service.bind(("", 7777))
        service.setblocking(False)
        seen: list[str] = []

        def arrived() -> list[str]:
            with suppress(BlockingIOError):
                while True:
                    seen.append(service.recvfrom(64)[1][0])
            return seen

        def send(source: str, destination: str) -> None:
            world.packets.forge("web", "vnet-foo", (source, destination, 7777))

        send("10.0.0.10", "127.0.0.1")
        eventually(lambda: arrived() == ["10.0.0.10"], what="a packet that no rule stops yet")
        for forwarding in (FORWARDS, '<forwarding enabled="false"/>'):
            await world.install(foo=forwarding, bar=NAT)
            seen.clear()
            send("10.0.0.10", "127.0.0.1")
            send("10.0.0.11", "127.1.2.3")
            send("127.0.0.9", "10.0.0.1")
            send("10.0.0.12", "10.0.0.1")
            eventually(lambda: bool(arrived()), what="the last packet")
            assert seen == ["10.0.0.12"]


async def test_a_forward_of_dns_leaves_the_guests_their_resolver(world: FirewallLab) -> None:
    await world.install(
        foo='<forwarding><incoming><allow port="53" domain="web"/></incoming></forwarding>', bar=NAT
    )
    world.check("""
        outside tcp+udp host:53   pass server=web
        mail    tcp+udp gw-foo:53 pass server=host seen=mail
        bob     tcp+udp gw-bar:53 pass server=host seen=bob
        bob     tcp+udp host:53   pass server=web
    """)


async def test_two_networks_share_a_port_at_different_addresses(world: FirewallLab) -> None:
    template = """<forwarding><incoming>
        <allow port="80" destination="{}" domain="{}"/>
        <allow port="5000-5010" destination="{}" domain="{}" destport="80"/>
    </incoming></forwarding>"""
    await world.install(
        foo=template.format("198.51.100.1", "web", "198.51.100.1", "web"),
        bar=template.format("198.51.100.9", "bob", "198.51.100.9", "bob"),
    )
    world.check("""
        outside tcp+udp host:80    pass server=web families=4
        outside tcp+udp host2:80   pass server=bob families=4
        outside tcp+udp host:5007  pass server=web families=4
        outside tcp+udp host2:5007 pass server=bob families=4
    """)


async def test_traffic_inside_a_network_passes_under_every_policy(world: FirewallLab) -> None:
    closed = '<forwarding><incoming default="deny"/><outgoing default="deny"/></forwarding>'
    for forwarding in (closed, '<forwarding enabled="false"/>'):
        await world.install(foo=forwarding, bar=FORWARDS.replace('"web"', '"bob"'))
        world.check("""
            web  tcp+udp mail:80  pass seen=web
            mail tcp+udp web:123  pass seen=mail
            web  icmp    mail     pass
            outside tcp+udp host:123 pass server=bob
        """)


async def test_multicast_and_the_networks_own_subnets_are_not_masqueraded(
    world: FirewallLab,
) -> None:
    """A second subnet of the same network is reached under the guest's own address."""
    world.lab.ip("address", "add", "10.0.9.1/24", "dev", "vnet-foo")
    mail = world.machines["mail"]
    assert mail is not None
    mail.run("ip", "address", "add", "10.0.9.11/24", "dev", "eth0")
    await world.install(foo=NAT, bar=NAT)
    world.check("web tcp+udp 10.0.9.11:80 pass server=mail seen=web families=4")
