"""Datagrams of a sender who doesn't pause go where forwards lead now, not where they led first."""

from __future__ import annotations

import select
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from ipaddress import ip_address
from uuid import uuid5

import pytest

from tests.support.eventually import soon
from tests.support.firewall_lab import EMPTY, SPACE, FirewallLab, address, network
from tests.support.lab import Lab
from tests.support.packets import visiting
from vnet_tui.engine.drivers.datagrams import Strays
from vnet_tui.engine.drivers.firewall.protocol import choose
from vnet_tui.engine.drivers.firewall.strays import GATHER_SECONDS, strays
from vnet_tui.engine.model import Address
from vnet_tui.engine.policy import network_rules
from vnet_tui.engine.resources import Ruleset
from vnet_tui.engine.steps import SetFirewall

PORT = 7777
FORWARD = '<allow port="7777" domain="service"/>'
WEB = {ip_address(address("web", family)) for family in (4, 6)}
REFUSED, DENIED = "refused", "denied"
PATIENCE = 2.0


class Senders:
    """A machine outside that sends to the host from one port, in each family, and who gets it."""

    def __init__(self, world: FirewallLab, family: int) -> None:
        self._open = ExitStack()
        self._world, self._version = world, family
        self._family = socket.AF_INET if family == 4 else socket.AF_INET6
        self._listening = {
            name: self._socket(world, name, PORT) for name in ("web", "mail", "host")
        }
        self._sender = self._socket(world, "outside", 4444)
        self._sender.connect((address("host", family), PORT))

    def _socket(self, world: FirewallLab, name: str, port: int) -> socket.socket:
        with visiting(world.machines[name]):
            made = self._open.enter_context(socket.socket(self._family, socket.SOCK_DGRAM))
        made.bind(("", port))
        return made

    def close(self, name: str = "") -> None:
        """Close the socket of one machine, or all."""
        if name:
            self._listening.pop(name).close()
        else:
            self._open.close()

    def reaches(self, *, answered: bool = False) -> str:
        """Who gets the next datagram, and perhaps answers it; or that it was refused."""
        self._sender.send(b"next")
        waiting = [*self._listening.values(), self._sender]
        ready, _, _ = select.select(waiting, [], [], PATIENCE)
        assert ready, "it went nowhere"
        if self._sender in ready:
            with pytest.raises((ConnectionRefusedError, PermissionError)) as refusal:
                self._sender.recv(64)
            return REFUSED if refusal.type is ConnectionRefusedError else DENIED
        data, peer = ready[0].recvfrom(64)
        assert data == b"next"
        if answered:
            ready[0].sendto(b"answer", peer)
            assert self._sender.recv(64) == b"answer"
        return next(name for name, one in self._listening.items() if one is ready[0])

    def asked(self, name: str) -> Callable[[], None]:
        """The machine outside asks, and that one gets it; gives what answers."""
        self._sender.send(b"next")
        return self._answering(self._listening[name], self._sender)

    def asked_by(self, name: str) -> Callable[[], None]:
        """A guest asks the machine outside."""
        with visiting(self._world.machines["outside"]):
            outside = self._open.enter_context(socket.socket(self._family, socket.SOCK_DGRAM))
        outside.bind(("", PORT))
        self._listening[name].sendto(b"next", (address("outside", self._version), PORT))
        return self._answering(outside, self._listening[name])

    def _answering(self, asked: socket.socket, asker: socket.socket) -> Callable[[], None]:
        asked.settimeout(PATIENCE)
        asker.settimeout(PATIENCE)
        _, peer = asked.recvfrom(64)

        def answer() -> None:
            asked.sendto(b"answer", peer)
            assert asker.recv(64) == b"answer"

        return answer


def rules(forward: str = FORWARD, *, at: str = "") -> Ruleset:
    """Those of network foo, its guest ``service`` being at another's addresses, or nowhere."""

    def find(domain: str) -> frozenset[Address]:
        name = at if domain == "service" else domain
        return frozenset(ip_address(address(name, family)) for family in (4, 6) if name)

    uuid = uuid5(SPACE, "foo")
    document = network("foo", f"<forwarding><incoming>{forward}</incoming></forwarding>")
    return Ruleset(networks={uuid: network_rules(document, uuid, "vnet-foo", find)})


@pytest.fixture(params=["nftables", "iptables"])
def world(lab: Lab, request: pytest.FixtureRequest) -> Iterator[FirewallLab]:
    made = FirewallLab(lab, choose(request.param, lab.paths))
    yield made
    made.packets.close()


@pytest.fixture(params=[4, 6], ids=["IPv4", "IPv6"])
async def senders(world: FirewallLab, request: pytest.FixtureRequest) -> AsyncIterator[Senders]:
    made = Senders(world, request.param)
    yield made
    made.close()
    await world.driver.close()


async def test_they_follow_the_guest(world: FirewallLab, senders: Senders) -> None:
    await world.install(rules(at="web"))
    assert senders.reaches() == "web"
    assert senders.reaches(answered=True) == "web"
    await world.install(rules(at="mail"))
    assert senders.reaches() == "mail"
    assert senders.reaches(answered=True) == "mail"


async def test_they_reach_a_guest_whom_the_forward_waited_for(
    world: FirewallLab, senders: Senders
) -> None:
    senders.close("host")
    await world.install(rules())
    assert senders.reaches() == REFUSED
    await world.install(rules(at="web"))
    assert senders.reaches(answered=True) == "web"
    # Who has left isn't sent to: another guest may have that address next.
    await world.install(rules())
    assert senders.reaches() == REFUSED


async def test_they_are_led_again_after_somebody_took_the_rules_away(
    world: FirewallLab, senders: Senders
) -> None:
    senders.close("host")
    await world.install(rules(at="web"))
    led = world.now
    await world.install(EMPTY)
    assert senders.reaches() == REFUSED
    world.now = led
    await world.write_anew()
    assert senders.reaches() == "web"


async def test_a_service_of_the_host_keeps_those_that_it_answered(
    world: FirewallLab, senders: Senders
) -> None:
    await world.install(rules(""))  # the kernel tracks connections as soon as there are rules
    assert senders.reaches(answered=True) == "host"
    await world.install(rules(at="web"))
    assert senders.reaches() == "host"
    senders.close("host")
    await world.install(rules('<allow port="7777" domain="mail"/>'))
    assert senders.reaches() == REFUSED


async def test_an_edit_leaves_those_that_were_answered_where_they_are(
    world: FirewallLab, senders: Senders
) -> None:
    await world.install(rules(at="web"))
    assert senders.reaches(answered=True) == "web"
    await world.install(rules('<allow port="7777" domain="mail"/>'))
    await world.install(rules(""))
    await world.driver.close()
    assert senders.reaches() == "web"


async def test_an_edit_leads_those_that_nobody_answers(
    world: FirewallLab, senders: Senders
) -> None:
    senders.close("host")
    await world.install(rules(""))
    assert senders.reaches() == REFUSED
    await world.install(rules(at="web"))
    await soon(lambda: _reaches(senders, "web"), within=3 * GATHER_SECONDS)
    await world.install(rules('<allow port="7777" domain="mail"/>'))
    await world.driver.close()  # who ends leaves nothing for later
    assert senders.reaches() == "mail"
    await world.install(rules(""))
    await world.driver.close()
    assert senders.reaches() == REFUSED


async def test_what_is_on_its_way_is_answered_all_the_same(
    world: FirewallLab, senders: Senders
) -> None:
    await world.install(rules(at="web"))
    answer = senders.asked("web")
    await world.write_anew()
    answer()
    # What only passes by has nothing to do with a forward, though it asks for the same port.
    answer = senders.asked_by("mail")
    await world.install(rules(""))
    await world.driver.close()
    answer()


async def _reaches(senders: Senders, name: str) -> bool:
    return senders.reaches() == name


def test_only_forwards_that_lead_elsewhere_are_looked_for() -> None:
    more = f'<allow port="80" domain="web"/>{FORWARD}<allow port="1-9" domain="service"/>'
    one, other = rules(more, at="web"), rules(more, at="mail")
    assert strays(SetFirewall(before=one, after=one)) == (Strays(), Strays())
    moved, edited = strays(SetFirewall(before=one, after=other))
    assert [str(ports) for ports in moved.ports] == ["7777", "1-9"]
    assert (moved.left, moved.versions, edited) == (WEB, {4, 6}, Strays())
    moved, edited = strays(SetFirewall(before=one, after=rules("", at="mail")))
    assert (len(edited.ports), edited.left, moved) == (3, set(), Strays())
    tcp = rules(FORWARD.replace("/>", ' protocol="tcp"/>'), at="web")
    assert strays(SetFirewall(before=rules(""), after=tcp)) == (Strays(), Strays())
    moved, edited = strays(SetFirewall(before=rules(""), after=one))
    assert (moved.versions, edited.versions, edited.left) == (set(), {4, 6}, set())
    assert len(strays(SetFirewall(before=EMPTY, after=one))[0].ports) == 3
    assert len(strays(SetFirewall(before=one, after=one, rewrite=True))[0].ports) == 3
