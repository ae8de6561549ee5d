"""What is denied, or passes under a rule with ``log``, is told: by real packets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from uuid import UUID, uuid5

import pytest

from tests.support.firewall_lab import (
    ADDRESSES,
    GUESTS,
    SPACE,
    FirewallLab,
    address,
    network,
    ruleset,
)
from tests.support.lab import Lab
from tests.support.packets import Probe
from vnet_tui.engine.denials import AT_ONCE, Denials, denial, guest_end
from vnet_tui.engine.desired import DesiredNetwork, desired_network
from vnet_tui.engine.drivers.firewall.protocol import choose
from vnet_tui.engine.drivers.nflog import LoggedPacket, Nflog, TakenError
from vnet_tui.engine.model import Action, Address
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.views import Denial

FOO = uuid5(SPACE, "foo")


def name_of(guest: Address) -> str:
    return next((name for name in GUESTS if str(guest) in ADDRESSES[name]), "")


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it, but not for ever."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


class Heard:
    """A laboratory with somebody who listens."""

    def __init__(self, lab: Lab, driver: str) -> None:
        self.lab = lab
        self.world = FirewallLab(lab, choose(driver, lab.paths))
        self.told: list[Denial] = []
        self.networks: dict[UUID, DesiredNetwork] = {}
        self.log = Nflog()
        self.denials = Denials(self.tell)
        self.task = asyncio.create_task(self.denials.run(self.log))

    def tell(self, packet: LoggedPacket, times: int) -> None:
        guest = name_of(guest_end(packet))
        network = self.networks[packet.mark.network]
        self.told.append(denial(packet, times, network, guest, time.time()))

    async def install(self, **forwarding: str) -> None:
        rules = ruleset(**forwarding)
        for name, text in forwarding.items():
            uuid = uuid5(SPACE, name)
            record = RunRecord(uuid=uuid, name=name, id=1, started=0, definition="")
            made = desired_network(record, network(name, text), (), self.lab.paths)
            self.networks[uuid] = replace(made, rules=rules.networks[uuid])
        await self.world.install(rules)

    async def told_of(self, count: int) -> list[Denial]:
        """The first so many, once they are there."""
        await until(lambda: len(self.told) >= count)
        return self.told

    async def close(self) -> None:
        self.log.close()
        with suppress(asyncio.CancelledError):
            await self.task
        await self.world.close()


@pytest.fixture(params=["nftables", "iptables"])
async def heard(lab: Lab, request: pytest.FixtureRequest) -> AsyncIterator[Heard]:
    made = Heard(lab, request.param)
    yield made
    await made.close()


FORWARDING = """<forwarding mode="nat"><incoming>
    <deny port="2000" source="198.51.100.3"/>
    <allow port="2000" domain="web" destport="321"/>
    <allow port="2001" domain="web" destport="80" log="true"/>
    <allow protocol="udp" port="53"/>
    </incoming><outgoing>
    <allow port="80" log="true"/><deny port="25"/><deny protocol="icmp"/>
    </outgoing></forwarding>"""


async def test_who_was_denied_what_by_which_rule(heard: Heard) -> None:
    await heard.install(foo=FORWARDING)
    heard.world.check("""
        web     tcp  outside:25   denied
        web     icmp outside      denied
        web     udp  outside:80   pass   families=4
        outside tcp  web:5000     denied
        outside udp  host:2000    denied source=friend families=4
        outside tcp  host:2001    pass   server=web families=4
        outside udp  web:53       pass
        web     tcp  outside:123  pass
    """)
    told = await heard.told_of(9)
    four = {str(one) for one in told if one.source.version == 4}
    assert {
        "denied tcp 25 web (10.0.0.10) → 198.51.100.2: "
        "rule 2 of <outgoing> of foo: deny tcp+udp 25",
        "denied icmp web (10.0.0.10) → 198.51.100.2: rule 3 of <outgoing> of foo: deny icmp",
        "passed udp 80 web (10.0.0.10) → 198.51.100.2: "
        "rule 1 of <outgoing> of foo: allow tcp+udp 80 and log",
        "denied tcp 5000 198.51.100.2 → web (10.0.0.10): default deny of <incoming> of foo",
    } < four
    led = {one.port: one for one in told if one.source.version == 4 and one.port in (80, 321)}
    passed = next(one for one in told if one.port == 80 and one.direction == "incoming")
    assert passed.rule == "rule 3 of <incoming> of foo: allow tcp+udp 2001 → web:80 and log"
    refused = led[321]
    asked = (ip_address(address("host", 4)), 2000)
    sure = "rule 1 of <incoming> of foo: deny tcp+udp 2000 from 198.51.100.3"
    # Not every kernel tells where a connection was opened to; then nothing wrong is said.
    told_asked = (refused.asked, refused.asked_port)
    assert (*told_asked, refused.rule) in ((*asked, sure), (None, 0, ""))
    six = {(one.protocol, str(one.source), str(one.destination), one.port) for one in told}
    assert ("tcp", address("web", 6), address("outside", 6), 25) in six
    assert ("icmp", address("web", 6), address("outside", 6), 0) in six
    assert len(told) == 9
    assert all(one.network == FOO and one.times == 1 for one in told)
    assert {one.guest for one in told} == {"web"}
    assert all(one.source_port > 0 for one in told if one.protocol != "icmp")


async def test_beyond_a_limit_is_said_so(heard: Heard) -> None:
    await heard.install(
        foo='<forwarding mode="route"><incoming><allow port="80" limit="1"/></incoming>'
        "</forwarding>"
    )
    probe = Probe("outside", "tcp", address("web", 4), 80)
    heard.world.packets.probe([probe] * 4)
    (limited, *_) = await heard.told_of(1)
    assert limited.action is Action.DENY
    assert (
        limited.rule
        == "beyond the limit of rule 1 of <incoming> of foo: allow tcp+udp 80 at most 1/s"
    )


async def test_beyond_the_limit_of_a_forward_nothing_wrong_is_said(heard: Heard) -> None:
    forward = '<allow port="2000" domain="web" destport="80" limit="1"/>'
    await heard.install(foo=f"<forwarding><incoming>{forward}</incoming></forwarding>")
    heard.world.packets.probe([Probe("outside", "tcp", address("host", 4), 2000)] * 4)
    (limited, *_) = await heard.told_of(1)
    assert (limited.action, limited.port) == (Action.DENY, 80)
    sure = (
        "beyond the limit of rule 1 of <incoming> of foo: allow tcp+udp 2000 → web:80 at most 1/s"
    )
    # A kernel that doesn't tell what was asked for may mean the guest's own port, too.
    assert (limited.asked_port, limited.rule) in ((2000, sure), (0, ""))


async def test_what_comes_again_is_counted_and_a_flood_bounded(heard: Heard) -> None:
    await heard.install(foo="<forwarding/>", bar="<forwarding/>")
    again = [Probe("outside", "tcp", address("web", 4), 80)] * 5
    heard.world.packets.probe(again)
    (first,) = await heard.told_of(1)
    assert (first.port, first.times) == (80, 1)
    heard.denials.flush(float("inf"))
    (_, second) = await heard.told_of(2)
    assert (second.port, second.times) == (80, 4)
    flood = [Probe("outside", "udp", address("mail", 4), port) for port in range(1000, 1060)]
    heard.world.packets.probe(flood)
    heard.world.packets.probe([Probe("outside", "udp", address("bob", 4), 80)])
    await heard.told_of(AT_ONCE)
    # The other network's isn't hidden by the flood.
    await until(lambda: any(one.guest == "bob" for one in heard.told))
    assert len([one for one in heard.told if one.guest == "mail"]) <= AT_ONCE


async def test_one_listener_at_a_time(heard: Heard) -> None:
    with pytest.raises(TakenError, match="denied"):
        Nflog()


def test_addresses_of_the_laboratory_are_told_apart() -> None:
    assert name_of(ip_address("10.0.0.10")) == "web"
