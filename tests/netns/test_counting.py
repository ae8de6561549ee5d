"""What an engine that watches counts and tells of its rules, by real packets."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address

import pytest

from tests.support.lab import Lab
from tests.support.packets import Fate, Packets, Probe
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.model import Action
from vnet_tui.engine.rule_counters import DEFAULT_IN, DEFAULT_OUT
from vnet_tui.engine.rule_log import LOG_GROUP
from vnet_tui.engine.views import Denial, Event, EventKind, NetworkTraffic
from vnet_tui.sandbox.namespaces import veth

UPLINK, OUTSIDE, WEB = "198.51.100.2", "198.51.100.1", "10.0.0.10"
WEB_RULE = '<allow port="8080" protocol="tcp" domain="web" destport="80" log="true"/>'
DOCUMENT = """
<network>
  <name>foo</name>
  <dhcp>
    <ip address="10.0.0.1" prefix="24" start="10.0.0.100" end="10.0.0.199"/>
    <host mac="52:54:00:00:00:0a" name="web" address="10.0.0.10"/>
  </dhcp>
  <forwarding>
    <incoming>{}</incoming>
    <outgoing><deny port="25"/><allow protocol="icmp"/></outgoing>
  </forwarding>
</network>
"""


def nft(command: str) -> None:
    subprocess.run(["nft", command], check=True)


class Watched:
    """A network with a guest, a machine outside, and engines that watch."""

    def __init__(self, lab: Lab, engine: Engine) -> None:
        self.engine = engine
        self.web = lab.guest("web", "vnet-foo")
        self.web.run("ip", "address", "add", f"{WEB}/24", "dev", "eth0")
        self.web.run("ip", "route", "add", "default", "via", "10.0.0.1")
        outside = lab.machine("outside")
        veth("up0", "eth0", outside)
        lab.ip("address", "add", f"{UPLINK}/24", "dev", "up0")
        outside.run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "eth0")
        outside.run("ip", "route", "add", "10.0.0.0/24", "via", UPLINK)
        self.packets = Packets({"web": self.web, "outside": outside})
        self.packets.listen("web", 80)
        self.packets.listen("outside", 25, 80)

    async def probe(self, *probes: Probe) -> list[Fate]:
        return [answer.fate for answer in await asyncio.to_thread(self.packets.probe, probes)]

    async def counted(self, enough: Callable[[NetworkTraffic], bool]) -> NetworkTraffic:
        """The first sample in which so much was counted."""
        uuid = (await self.engine.network("foo")).uuid
        async with asyncio.timeout(10):
            async for sample in self.engine.samples():
                seen = sample.networks.get(uuid)
                if seen is not None and enough(seen):
                    return seen
        raise AssertionError("no more samples")

    async def packets_of(self, place: int, count: int) -> NetworkTraffic:
        """The sample in which a rule, told by its place among all, decided so many packets."""
        key = (await self.engine.rules("foo"))[place].key
        found = await self.counted(
            lambda seen: key in seen.rules and seen.rules[key].packets >= count
        )
        assert found.rules[key].packets == count
        return found


@pytest.fixture(params=["nftables", "iptables"])
def firewall(request: pytest.FixtureRequest) -> str:
    """Each test is done with both drivers."""
    return str(request.param)


@pytest.fixture
async def watched(lab: Lab, firewall: str) -> AsyncIterator[Watched]:
    engine = Engine(lab.paths, firewall=firewall)
    await engine.define(DOCUMENT.format(WEB_RULE))
    await engine.start(["foo"])
    await engine.watch()
    made = Watched(lab, engine)
    yield made
    made.packets.close()
    await made.engine.stop(["foo"])
    await made.engine.close()


FORWARDED = Probe("outside", "tcp", UPLINK, 8080)
MAIL = Probe("web", "tcp", OUTSIDE, 25)
KNOCK = Probe("outside", "tcp", WEB, 22)


async def test_samples_carry_what_rules_and_guests_counted(watched: Watched) -> None:
    assert await watched.probe(*[FORWARDED] * 5) == [Fate.PASS] * 5
    assert await watched.probe(MAIL, MAIL, KNOCK) == [Fate.DENIED] * 3
    seen = await watched.packets_of(0, 5)
    assert seen.rules[(await watched.engine.rules("foo"))[0].key].bytes >= 5 * 40
    seen = await watched.packets_of(1, 2)
    assert seen.rules[DEFAULT_IN].packets == 1
    assert seen.rules[DEFAULT_OUT].packets == 0
    before = seen.guests[ip_address(WEB)]
    pings = watched.web.run("ping", "-q", "-c10", "-i0.002", "-s972", "-W2", OUTSIDE)
    assert pings.returncode == 0
    after = (await watched.packets_of(2, 1)).guests[ip_address(WEB)]
    assert after.out.packets - before.out.packets == 10
    assert after.into.packets - before.into.packets == 10
    assert after.out.bytes - before.out.bytes == 10_000


async def test_counters_go_on_while_another_rule_is_edited(watched: Watched) -> None:
    await watched.probe(*[FORWARDED] * 3)
    await watched.packets_of(0, 3)
    await watched.engine.define(DOCUMENT.format(f'<allow port="22"/>{WEB_RULE}'))
    await watched.engine.apply("foo")
    assert await watched.probe(FORWARDED, FORWARDED, KNOCK) == [Fate.PASS] * 2 + [Fate.REFUSED]
    seen = await watched.packets_of(1, 5)
    assert seen.rules[(await watched.engine.rules("foo"))[0].key].packets == 1


async def test_a_rule_keeps_what_it_counted_while_another_stands_before_it(
    watched: Watched,
) -> None:
    alone = '<deny protocol="tcp" port="25"/>'
    plain = DOCUMENT.format(WEB_RULE).replace('<deny port="25"/>', alone)
    before = plain.replace(alone, f'<deny protocol="tcp" port="20-30"/>{alone}')

    async def change(document: str) -> None:
        await watched.engine.define(document)
        await watched.engine.apply("foo")

    await change(plain)
    await watched.probe(MAIL, MAIL)
    await watched.packets_of(1, 2)
    await change(before)
    await watched.probe(MAIL)
    await watched.packets_of(1, 1)
    await watched.packets_of(2, 2)
    await change(plain)
    await watched.probe(MAIL)
    await watched.packets_of(1, 3)


async def test_whoever_begins_to_look_is_shown_what_was_counted_before(
    watched: Watched, firewall: str
) -> None:
    await watched.probe(*[FORWARDED] * 4)
    await watched.engine.close()
    watched.engine = Engine(watched.engine.paths, firewall=firewall)
    await watched.packets_of(0, 4)


async def hear(events: AsyncIterator[Event], kind: EventKind) -> Denial:
    """The next event of that kind."""
    async with asyncio.timeout(10):
        async for event in events:
            if event.kind is kind:
                assert event.denial is not None
                assert event.network == event.denial.network
                assert event.name == "foo"
                assert event.message == str(event.denial)
                assert event.time.timestamp() == pytest.approx(event.denial.time, abs=1e-3)
                return event.denial
    raise AssertionError("no more events")


async def test_who_was_denied_what_is_an_event(watched: Watched) -> None:
    engine = watched.engine
    uuid = (await engine.network("foo")).uuid
    events = engine.events()
    assert await watched.probe(MAIL) == [Fate.DENIED]
    told = await hear(events, EventKind.DENIED)
    assert told == Denial(
        time=told.time,
        network=uuid,
        direction="outgoing",
        action=Action.DENY,
        guest="web",
        protocol="tcp",
        source=ip_address(WEB),
        destination=ip_address(OUTSIDE),
        source_port=told.source_port,
        port=25,
        asked=told.asked,  # not every kernel tells
        asked_port=told.asked_port,
        rule="rule 1 of <outgoing> of foo: deny tcp+udp 25",
    )
    assert told.source_port > 1023
    assert await watched.probe(FORWARDED) == [Fate.PASS]
    passed = await hear(events, EventKind.LOGGED)
    ends = (passed.direction, passed.action, passed.guest, passed.source, passed.destination)
    wanted = ("incoming", Action.ALLOW, "web", ip_address(OUTSIDE), ip_address(WEB))
    assert (*ends, passed.port) == (*wanted, 80)
    assert passed.rule.endswith("allow tcp 8080 → web:80 and log")
    kept = [event.denial for event in await engine.past_events("foo") if event.denial]
    assert kept == [told, passed]


async def test_an_edit_is_known_to_the_next_denial(watched: Watched) -> None:
    events = watched.engine.events()
    await watched.engine.define(DOCUMENT.format('<deny port="20-30"/>'))
    await watched.engine.apply("foo")
    assert await watched.probe(KNOCK) == [Fate.DENIED]
    told = await hear(events, EventKind.DENIED)
    assert told.rule == "rule 1 of <incoming> of foo: deny tcp+udp 20-30"


async def test_two_engines_tell_it_once_and_the_second_goes_on_alone(
    watched: Watched, lab: Lab, firewall: str
) -> None:
    other = Engine(lab.paths, firewall=firewall)
    await other.watch()
    here, there = watched.engine.events(), other.events()
    assert await watched.probe(MAIL) == [Fate.DENIED]
    first = await hear(here, EventKind.DENIED)
    assert await hear(there, EventKind.DENIED) == first
    for engine in (watched.engine, other):
        assert len([1 for event in await engine.past_events() if event.denial]) == 1
    await watched.engine.close()
    watched.engine = other
    knocks = (Probe("outside", "tcp", WEB, port) for port in range(100, 200))

    async def knock() -> None:
        """Until somebody listens again."""
        for probe in knocks:
            await watched.probe(probe)

    knocking = asyncio.create_task(knock())
    told = await hear(there, EventKind.DENIED)
    knocking.cancel()
    await asyncio.wait([knocking])
    assert (told.direction, told.guest) == ("incoming", "web")


async def test_what_a_stranger_logs_under_our_mark_is_not_told(watched: Watched) -> None:
    events = watched.engine.events()
    nft(
        "add table ip stranger; "
        "add chain ip stranger out { type filter hook forward priority -300; }; "
        f"add rule ip stranger out ip saddr {WEB} udp dport 80 "
        f'log prefix "vnet:{"0" * 32}:out:deny" group {LOG_GROUP}'
    )
    assert await watched.probe(Probe("web", "udp", OUTSIDE, 80)) == [Fate.PASS]
    assert await watched.probe(MAIL) == [Fate.DENIED]
    assert (await hear(events, EventKind.DENIED)).port == 25
    nft("delete table ip stranger")
