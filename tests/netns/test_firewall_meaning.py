"""Limits, denies that end connections, and what is counted: with real packets."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import ip_address
from uuid import uuid5

import pytest

from tests.support.eventually import soon
from tests.support.firewall_lab import SPACE, FirewallLab, address, digests, ruleset
from tests.support.lab import Lab
from tests.support.packets import Fate, Probe, visiting
from vnet_tui.engine.drivers.firewall.iptables.driver import IptablesDriver
from vnet_tui.engine.drivers.firewall.nftables import NftablesDriver
from vnet_tui.engine.drivers.firewall.protocol import choose
from vnet_tui.engine.resources import Ruleset
from vnet_tui.engine.rule_counters import DEFAULT_IN, DEFAULT_OUT, Count, NetworkCounters
from vnet_tui.engine.steps import SetFirewall

NAT = '<forwarding mode="nat"/>'
FOO = uuid5(SPACE, "foo")


Driver = NftablesDriver | IptablesDriver

LIMITS = {"nftables": 1, "iptables": 2}
"""How many limits a rule has: on legacy tables each address family draws on its own."""


@pytest.fixture(params=["nftables", "iptables"])
async def driver(lab: Lab, request: pytest.FixtureRequest) -> Driver:
    if request.param == "iptables":
        return IptablesDriver(lab.paths, "in a test")
    made = NftablesDriver.find(lab.paths)
    assert made is not None
    return made


@pytest.fixture
async def world(lab: Lab, driver: Driver) -> AsyncIterator[FirewallLab]:
    made = FirewallLab(lab, driver)
    yield made
    await made.close()


def route(incoming: str = "", outgoing: str = "", default: str = "deny") -> str:
    return (
        f'<forwarding mode="route"><incoming default="{default}">{incoming}</incoming>'
        f"<outgoing>{outgoing}</outgoing></forwarding>"
    )


def fates(
    world: FirewallLab, who: str, to: str, port: int, times: int, families: tuple[int, ...] = (4, 6)
) -> Counter[Fate]:
    """What becomes of so many new connections at once, in each family."""
    probes = [
        Probe(who, "tcp", address(to, family), port) for family in families for _ in range(times)
    ]
    return Counter(answer.fate for answer in world.packets.probe(probes))


async def test_a_limit_lets_so_many_through_a_second_and_the_rest_goes_on(
    world: FirewallLab, driver: Driver
) -> None:
    await world.install(
        foo=route('<allow port="80" limit="5"/><deny port="123" limit="5"/><allow port="123"/>')
    )
    limits = LIMITS[driver.name]
    began = time.monotonic()
    first = fates(world, "outside", "web", 80, 10)
    refilled = 5 * (time.monotonic() - began) + 1
    assert set(first) == {Fate.PASS, Fate.DENIED}
    assert 5 * limits <= first[Fate.PASS] <= (5 + refilled) * limits
    denied = fates(world, "outside", "web", 123, 10)
    assert set(denied) == {Fate.PASS, Fate.DENIED}
    assert 5 * limits <= denied[Fate.DENIED] <= (5 + refilled) * limits
    await asyncio.sleep(0.5)  # the time is what is tested
    assert fates(world, "outside", "mail", 80, 1, (4,)) == {Fate.PASS: 1}


async def test_a_limited_forward_leads_no_further_and_outgoing_limits_hold(
    world: FirewallLab, driver: Driver
) -> None:
    await world.install(
        foo='<forwarding><incoming><allow port="2000" domain="web" destport="80" limit="4"/>'
        '<allow port="2001" domain="web" destport="80"/></incoming>'
        '<outgoing default="deny"><allow protocol="tcp" limit="4"/></outgoing></forwarding>'
    )
    came = fates(world, "outside", "host", 2000, 10, (4,))
    assert set(came) == {Fate.PASS, Fate.DENIED}
    assert 4 <= came[Fate.PASS] <= 7
    assert fates(world, "outside", "host", 2001, 10, (4,)) == {Fate.PASS: 10}
    went = fates(world, "web", "outside", 80, 10)
    assert set(went) == {Fate.PASS, Fate.DENIED}
    limits = LIMITS[driver.name]
    assert 4 * limits <= went[Fate.PASS] <= 4 * limits + 3


@pytest.mark.parametrize(
    ("after", "passes"),
    [
        ('<allow port="2000" domain="mail" destport="80"/>', False),
        ('<allow port="80"/>', True),
        ('<allow port="2000" domain="web" destport="80"/>', True),
    ],
)
async def test_beyond_the_limit_of_a_forward_other_rules_decide_but_lead_nowhere_else(
    world: FirewallLab, after: str, passes: bool
) -> None:
    """Whose the port is doesn't change: a second forward to another guest is an error of the
    document's, and leads nobody there who is beyond the limit of the first."""
    limited = '<allow port="2000" domain="web" destport="80" limit="4"/>'
    await world.install(foo=f"<forwarding><incoming>{limited}{after}</incoming></forwarding>")
    probes = [Probe("outside", "tcp", address("host", 4), 2000)] * 12
    answers = Counter((answer.fate, answer.server) for answer in world.packets.probe(probes))
    assert answers.keys() - {(Fate.DENIED, "")} == {(Fate.PASS, "web")}
    assert (answers[Fate.PASS, "web"] == len(probes)) is passes
    assert answers[Fate.PASS, "web"] >= 4


async def test_a_limit_goes_on_over_edits(world: FirewallLab) -> None:
    rule = '<allow port="80" limit="3"/>'
    await world.install(foo=route(rule))
    assert fates(world, "outside", "web", 80, 10, (4,))[Fate.PASS] >= 3
    await world.install(foo=route(f'<allow port="25"/>{rule}'))
    assert fates(world, "outside", "web", 80, 10, (4,))[Fate.PASS] <= 3


CUT = '<deny port="{}" established="false"/>'


async def test_a_deny_ends_connections_only_where_it_says_so(world: FirewallLab) -> None:
    allow = '<allow port="80"/><allow port="321"/>'
    await world.install(foo=route(allow), bar=NAT)
    connect = world.packets.connect
    incoming = connect("outside", address("web", 4), 80, server=("web", 80))
    spared = connect("outside", address("web", 4), 321, server=("web", 321))
    six = connect("outside", address("mail", 6), 80, server=("mail", 80))
    outgoing = connect("web", address("outside", 4), 80, server=("outside", 80))
    other = connect("bob", address("outside", 4), 80, server=("outside", 80))
    await world.install(foo=route('<deny port="80"/>', '<deny port="80"/>'), bar=NAT)
    assert all(one.works() for one in (incoming, spared, six, outgoing, other))
    await world.install(foo=route(CUT.format(80)), bar=NAT)
    assert not incoming.works()
    assert not six.works()
    assert all(one.works() for one in (spared, outgoing, other))
    world.check("outside tcp+udp web:80 denied")
    await world.install(foo=route("", CUT.format(80)), bar=NAT)
    assert not outgoing.works()
    assert all(one.works() for one in (spared, other))
    for one in (incoming, spared, six, outgoing, other):
        one.close()


async def test_the_first_match_decides_of_established_connections_too(world: FirewallLab) -> None:
    cut_all = '<deny protocol="tcp" established="false"/>'
    kept = '<allow port="80" source="198.51.100.2"/><allow port="123" limit="1"/>'
    await world.install(foo=route(default="allow"))
    connect = world.packets.connect
    allowed = connect("outside", address("web", 4), 80, server=("web", 80))
    limited = connect("outside", address("web", 4), 123, server=("web", 123))
    denied = connect("outside", address("web", 4), 25, server=("web", 25))
    ended = connect("outside", address("mail", 4), 321, server=("mail", 321))
    await world.install(foo=route(f'{kept}<deny port="25"/>{cut_all}', default="allow"))
    assert allowed.works()
    assert limited.works()
    assert denied.works()
    assert not ended.works()
    for one in (allowed, limited, denied, ended):
        one.close()


async def test_nothing_leaves_a_network_with_nat_under_a_guests_own_address(
    world: FirewallLab,
) -> None:
    """Segments of no connection aren't translated; such ends of connections come late."""
    segment = bytes(20)  # with a wrong checksum
    for family, kind in ((4, socket.AF_INET), (6, socket.AF_INET6)):

        def tcp(who: str, kind: int = kind) -> socket.socket:
            with visiting(world.machines[who]):
                return socket.socket(kind, socket.SOCK_RAW, socket.IPPROTO_TCP)

        with tcp("web") as sending, tcp("outside") as hearing:
            to = address("outside", family)
            for mode, seen in (("route", address("web", family)), ("nat", address("host", family))):
                await world.install(foo=f'<forwarding mode="{mode}"/>', bar=NAT)
                sending.sendto(segment, (to, 0))
                hearing.settimeout(2)
                if mode == "nat":
                    world.check(f"web tcp outside:80 pass seen=host families={family}")
                assert hearing.recvfrom(256)[1][0] == seen
                hearing.settimeout(0)
                with suppress(BlockingIOError):
                    while True:
                        assert hearing.recvfrom(256)[1][0] == seen


async def test_errors_about_a_connection_pass_where_icmp_is_ended(world: FirewallLab) -> None:
    """Nobody else tells a client that no one listens, or how large a packet may be."""
    cut = '<deny protocol="icmp" established="false"/>'
    await world.install(foo=route(cut, cut, default="allow"), bar=NAT)
    world.check(
        """
        outside udp  web:9     refused
        web     udp  outside:9 refused
        outside icmp web       denied
        web     icmp outside   denied
        """
    )


async def test_forwarded_connections_are_ended_by_the_port_that_was_asked_for(
    world: FirewallLab,
) -> None:
    forward = (
        '<allow port="2000" domain="web" destport="80"/><allow port="2001" domain="web" '
        'destport="321"/>'
    )
    template = "<forwarding><incoming>{}</incoming></forwarding>"
    await world.install(foo=template.format(forward))
    connect = world.packets.connect
    ended = connect("outside", address("host", 4), 2000, server=("web", 80))
    kept = connect("outside", address("host", 4), 2001, server=("web", 321))
    from_host = connect("host", address("host", 4), 2001, server=("web", 321))
    await world.install(foo=template.format(CUT.format(2000) + forward))
    assert not ended.works()
    assert kept.works()
    assert from_host.works()
    for one in (ended, kept, from_host):
        one.close()


async def counted(driver: Driver) -> NetworkCounters:
    return (await driver.counters()).networks[FOO]


def packets(found: NetworkCounters, rules: Ruleset) -> list[int]:
    """By rule in document order, incoming first, and the defaults."""
    own = rules.networks[FOO]
    keys = [rule.key for rule in (*own.incoming.rules, *own.outgoing.rules)]
    return [found.rules.get(key, Count()).packets for key in (*keys, DEFAULT_IN, DEFAULT_OUT)]


async def test_rules_and_guests_are_counted(world: FirewallLab, driver: Driver) -> None:
    rules = ruleset(
        foo='<forwarding mode="route"><incoming>'
        '<allow port="80"/><deny port="1-100"/><allow port="2000" domain="web" destport="6000"/>'
        '<allow protocol="icmp"/><allow port="321" limit="9"/></incoming>'
        '<outgoing default="deny"><deny domain="mail"/><allow port="123"/></outgoing></forwarding>'
    )
    await world.install(rules)
    assert packets(await counted(driver), rules) == [0] * 9
    world.check("""
        outside tcp web:80     pass
        outside udp web:25     denied
        outside tcp host:2000  pass server=web
        outside icmp web       pass
        outside tcp web:321    pass
        outside tcp web:5000   denied
        mail    udp outside:80 denied
        web     tcp outside:123 pass
        web     tcp outside:80  denied
    """)
    found = await counted(driver)
    assert packets(found, rules) == [2, 2, 2, 2, 2, 2, 2, 2, 2]  # one a family
    assert all(one.bytes >= 28 * one.packets for one in found.rules.values())
    web = found.guests[ip_address(address("web", 4))]
    assert web.into.packets > 4
    assert web.out.packets > 4
    assert web.into.bytes > 40 * web.into.packets
    assert ip_address(address("mail", 4)) not in found.guests  # what is denied never left it


RULE = '<allow port="80"/>'
EDITS = {
    "a port beside it": '<allow port="25"/>' + RULE,
    "a rule that takes nothing of it": '<allow protocol="icmp"/><deny domain="mail"/>' + RULE,
    "a range around it": RULE + '<deny port="70-90"/>',
    "another group before it": '<deny source="192.0.2.0/24"/>' * 1 + RULE + '<deny port="25"/>',
    "nothing": RULE,
}


@pytest.mark.parametrize("rewrite", [False, True], ids=["edit", "rewrite"])
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
async def test_counters_go_on_over_edits_of_other_rules(
    world: FirewallLab, driver: Driver, edit: str, rewrite: bool
) -> None:
    before = ruleset(foo=route(RULE))
    await world.install(before)
    world.check("outside tcp+udp web:80 pass\noutside tcp web:25 denied\nweb tcp outside:80 pass")
    first = await counted(driver)
    key = before.networks[FOO].incoming.rules[0].key
    assert first.rules[key].packets == 4
    after = ruleset(foo=route(edit))
    await driver.set(SetFirewall(before=before, after=after, rewrite=rewrite))
    world.now = after
    second = await counted(driver)
    assert second.rules[key] == first.rules[key]
    assert second.rules[DEFAULT_IN] == first.rules[DEFAULT_IN]
    assert second.guests == first.guests
    world.check("outside tcp+udp web:80 pass")
    assert (await counted(driver)).rules[key].packets == 8
    fresh = choose(driver.name, world.lab.paths)
    assert (await fresh.observe()).digests == digests(after)
    await fresh.close()


async def test_pieces_of_a_rule_count_as_one(world: FirewallLab, driver: Driver) -> None:
    before = ruleset(foo=route('<allow port="79-321"/>'))
    await world.install(before)
    world.check("outside tcp web:80 pass\noutside tcp web:123 pass\noutside tcp web:321 pass")
    key = before.networks[FOO].incoming.rules[0].key
    first = (await counted(driver)).rules[key]
    assert first.packets == 6
    await world.install(foo=route('<deny port="100"/><allow port="79-321"/>'))
    assert (await counted(driver)).rules[key] == first
    world.check("outside tcp web:80 pass\noutside tcp web:123 pass")
    assert (await counted(driver)).rules[key].packets == 10
    await world.install(foo=route('<allow port="79-321"/>'))
    assert (await counted(driver)).rules[key].packets == 10


async def test_no_packet_goes_uncounted_while_other_rules_are_edited(
    world: FirewallLab, driver: Driver
) -> None:
    deny = '<deny protocol="udp" port="4444"/>'
    states = [
        ruleset(foo=route(outgoing=deny + more))
        for more in ("", '<deny port="25"/>', '<deny port="26"/><allow port="25"/>')
    ]
    await world.install(states[0])
    key = states[0].networks[FOO].outgoing.rules[0].key
    sent = 0
    with visiting(world.machines["web"]):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stop = asyncio.Event()

    async def send() -> None:
        nonlocal sent
        while not stop.is_set():
            with suppress(OSError):
                sender.sendto(b"x", (address("outside", 4), 4444))
                sent += 1
            await asyncio.sleep(0.001)

    sending = asyncio.create_task(send())
    for number in range(1, 25):
        await world.install(states[number % len(states)])
    stop.set()
    await sending
    sender.close()
    assert sent > 24

    async def all_arrived() -> bool:
        return (await counted(driver)).rules[key].packets >= sent

    await soon(all_arrived, what="the last packets of the flood")
    assert (await counted(driver)).rules[key].packets == sent
