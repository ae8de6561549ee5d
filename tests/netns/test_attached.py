"""Rules that name a guest by its port on the host: whatever the guest says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.dhcp import lease4, release4
from tests.support.eventually import soon
from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.vnet import process
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.views import EventKind, RuleState
from vnet_tui.sandbox.namespaces import NamedNamespace, veth

RULES = """<forwarding><incoming>
    <allow port="80" domain="web"/><allow port="81" domain="db"/><allow port="82" domain="ct"/>
</incoming></forwarding>"""
PORTS = {"web": "", "tap7": "db", "vb-ct": ""}
"""Ports, with their aliases, in the order of the rules."""


@pytest.fixture
async def engine(lab: Lab) -> AsyncIterator[Engine]:
    async with Engine(lab.paths) as made:
        await made.define(document("foo", RULES))
        await made.start(["foo"])
        yield made
        await made.stop(["foo"])


def plug(lab: Lab, port: str, alias: str = "", *, mac: str = "") -> NamedNamespace:
    """A machine behind a port of that name."""
    made = lab.machine(f"on-{port}{mac[-2:]}")
    veth(port, "eth0", made, bridge="vn-foo", mac=mac)
    if alias:
        lab.ip("link", "set", port, "alias", alias)
    return made


async def leased(lab: Lab, guest: NamedNamespace, name: str = "nobody") -> str:
    """The address that a guest gets, which says that it is called so."""
    offer = await asyncio.to_thread(lease4, guest, lab.paths.state, name)
    assert offer is not None
    return offer.address


async def led_to(engine: Engine) -> list[str]:
    """Where the rules lead."""
    return [str(rule.guest or "") for rule in await engine.rules("foo")]


async def test_rules_follow_the_guests_behind_ports(lab: Lab, engine: Engine) -> None:
    await engine.watch()
    wanted: list[str] = []
    for port, alias in PORTS.items():
        wanted.append(await leased(lab, plug(lab, port, alias)))

        async def led() -> bool:
            return [address for address in await led_to(engine) if address] == wanted

        await soon(led)


async def test_they_are_found_without_anybody_who_watches(lab: Lab, engine: Engine) -> None:
    wanted = [await leased(lab, plug(lab, port, alias)) for port, alias in PORTS.items()]
    assert await led_to(engine) == ["", "", ""]
    assert await engine.validate(await engine.xml("foo")) == ()
    assert process(lab, "network-apply", "foo").returncode == 0
    assert await led_to(engine) == wanted
    assert {rule.state for rule in await engine.rules("foo")} == {RuleState.ACTIVE}
    assert not await engine.plan("apply", ["foo"])


async def test_the_port_decides_and_not_what_another_says(lab: Lab, engine: Engine) -> None:
    await engine.watch()
    liar = plug(lab, "elsewhere", mac="52:54:00:00:00:01")
    said = await leased(lab, liar, "web")

    async def leads(address: str) -> bool:
        return (await led_to(engine))[0] == address

    await soon(lambda: leads(said))
    true = plug(lab, "web", mac="52:54:00:00:00:02")
    there = await leased(lab, true)
    await soon(lambda: leads(there))

    async def told() -> bool:
        events = await engine.past_events()
        warnings = [event.message for event in events if event.kind is EventKind.WARNING]
        return any("the name by which 52:54:00:00:00:02" in warning for warning in warnings)

    await soon(told)
    # Another machine behind that port is the guest from then on, while the first keeps its lease.
    lab.ip("link", "set", "web", "name", "old")
    again = await leased(lab, plug(lab, "web", mac="52:54:00:00:00:03"))
    await soon(lambda: leads(again))
    release4(true, there, "52:54:00:00:00:02", "10.1.0.1")
    await soon(lambda: leads(again))


async def test_of_several_behind_one_port_none_has_its_name(lab: Lab, engine: Engine) -> None:
    await engine.watch()
    first = plug(lab, "web", mac="52:54:00:00:00:01")
    first.run("ip", "link", "add", "second", "link", "eth0", "type", "macvlan", "mode", "bridge")
    first.run("ip", "link", "set", "second", "up")
    # Both are heard: each asks for its neighbours as it comes up.
    first.run("ip", "address", "add", "10.1.0.9/24", "dev", "second")
    first.run("ping", "-c", "1", "-W", "5", "-I", "second", "10.1.0.1")
    await leased(lab, first)

    async def known() -> bool:
        return bool(await engine.leases("foo"))

    await soon(known)
    assert (await led_to(engine))[0] == ""
