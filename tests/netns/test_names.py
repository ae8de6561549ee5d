"""Two guests with one name: who was it first keeps it for rules; it is told once, and moves on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.dhcp import lease4, release4
from tests.support.eventually import soon
from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.packets import Fate, Packets, Probe
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.views import EventKind, RuleStatus
from vnet_tui.sandbox.namespaces import NamedNamespace

MACS = {"one": "52:54:00:00:00:01", "two": "52:54:00:00:00:02"}
GATEWAY = "10.1.0.1"
RULES = '<forwarding><incoming><allow port="80" domain="web"/></incoming></forwarding>'
KEPT = '<dhcp><ip address="10.1.0.1" prefix="24" start="10.1.0.100" end="10.1.0.200"/>{}</dhcp>'


@pytest.fixture
async def engine(lab: Lab) -> AsyncIterator[Engine]:
    """An engine that watches a network with a forward to ``web``."""
    async with Engine(lab.paths) as made:
        await made.define(document("foo", RULES))
        await made.start(["foo"])
        await made.watch()
        yield made
        await made.stop(["foo"])


@pytest.fixture
def guests(lab: Lab, engine: Engine) -> dict[str, NamedNamespace]:
    """Two machines that have no address yet."""
    return {name: lab.guest(name, "vn-foo", mac=mac) for name, mac in MACS.items()}


@pytest.fixture
def packets(guests: dict[str, NamedNamespace]) -> Iterator[Packets]:
    """Both answer on port 80."""
    made = Packets({**guests, "host": None})
    for name in guests:
        made.listen(name, 80)
    yield made
    made.close()


async def leased(lab: Lab, guest: NamedNamespace, name: str = "web") -> str:
    """The address of a guest that gave this name, and uses the address from now on."""
    offer = await asyncio.to_thread(lease4, guest, lab.paths.state, name)
    assert offer is not None
    guest.run("ip", "address", "replace", f"{offer.address}/24", "dev", "eth0")
    return offer.address


async def leads_to(packets: Packets, name: str) -> None:
    """Wait until the forward leads to a guest."""

    async def leads() -> bool:
        (answer,) = await asyncio.to_thread(packets.probe, [Probe("host", "tcp", "127.0.0.1", 80)])
        return answer.fate is Fate.PASS and answer.server == name

    await soon(leads, what=f"the forward never led to {name}")


async def told(engine: Engine) -> list[str]:
    """The warnings so far."""
    events = await engine.past_events()
    return [event.message for event in events if event.kind is EventKind.WARNING]


async def rule(engine: Engine) -> RuleStatus:
    (found,) = await engine.rules("foo")
    return found


async def test_who_was_it_first_keeps_the_name_until_its_lease_ends(
    lab: Lab, engine: Engine, guests: dict[str, NamedNamespace], packets: Packets
) -> None:
    first = await leased(lab, guests["one"])
    await leads_to(packets, "one")
    assert (await rule(engine)).note == ""
    second = await leased(lab, guests["two"])
    uuid = (await engine.network("foo")).uuid
    # dnsmasq has taken the name from the first: this isn't about nothing.
    lines = [line.split() for line in lab.paths.lease_file(uuid).read_text().splitlines()]
    assert {line[2]: line[3] for line in lines} == {first: "*", second: "web"}

    async def warned() -> bool:
        return bool(await told(engine))

    await soon(warned)
    (warning,) = await told(engine)
    assert warning.startswith(
        f"two guests say that they are web: {MACS['one']} at {first} and {MACS['two']} at "
        f"{second}; rules lead to the former"
    )
    assert f'<host name="web" mac="{MACS["one"]}" address="{first}"/>' in warning
    await leads_to(packets, "one")
    assert str((await rule(engine)).guest) == first
    assert (await rule(engine)).note == f"{MACS['two']} at {second} has this name too"
    assert [guest.name for guest in await engine.guests("foo")] == ["web", "web"]

    # Both ask again: dnsmasq gives the name to and fro, the rule stays, and nothing is told anew.
    for name in ("one", "two", "one", "two"):
        await leased(lab, guests[name])
        await leads_to(packets, "one")
    assert await told(engine) == [warning]

    release4(guests["one"], first, MACS["one"], GATEWAY)
    await leads_to(packets, "two")
    assert (await rule(engine)).note == ""
    # It is its own now: who comes back is the second.
    await leased(lab, guests["one"])
    await soon(lambda: _count(engine, 2))
    await leads_to(packets, "two")
    release4(guests["two"], second, MACS["two"], GATEWAY)
    await leads_to(packets, "one")


async def _count(engine: Engine, wanted: int) -> bool:
    return len(await told(engine)) == wanted


async def test_another_engine_knows_it_too_and_doesnt_tell_it_again(
    lab: Lab, engine: Engine, guests: dict[str, NamedNamespace], packets: Packets
) -> None:
    first = await leased(lab, guests["one"])
    await leads_to(packets, "one")
    await leased(lab, guests["two"])
    await soon(lambda: _count(engine, 1))
    async with Engine(lab.paths) as other:
        await other.watch()
        assert str((await rule(other)).guest) == first
        assert not await other.plan("apply", ["foo"])
        await leased(lab, guests["one"], "web")
        await leased(lab, guests["two"], "web")
        await leads_to(packets, "one")
        assert len(await told(other)) == 1
        # A guest that calls itself something else has that name, and the other one remains.
        await leased(lab, guests["one"], "db")
        await leads_to(packets, "two")


async def test_a_reservation_comes_before_who_says_so(
    lab: Lab, engine: Engine, guests: dict[str, NamedNamespace], packets: Packets
) -> None:
    kept = KEPT.format(f'<host name="web" mac="{MACS["one"]}" address="10.1.0.9"/>')
    plain = KEPT.format("")
    text = document("foo", RULES)
    start = text.index("<dhcp>")
    end = text.index("</dhcp>") + len("</dhcp>")
    second = await leased(lab, guests["two"])
    await leads_to(packets, "two")
    await engine.define(text[:start] + kept + text[end:])
    await engine.apply("foo")
    assert await leased(lab, guests["one"]) == "10.1.0.9"
    await leads_to(packets, "one")
    await soon(lambda: _count(engine, 1))
    assert (await told(engine))[0].startswith(
        f"{MACS['two']} at {second} says that it is web, which is reserved for {MACS['one']} at "
        "10.1.0.9: rules lead there"
    )
    await engine.define(text[:start] + plain + text[end:])
    await engine.apply("foo")
    await leads_to(packets, "two")


async def test_what_is_remembered_goes_with_the_leases_and_damage_is_forgotten(
    lab: Lab, engine: Engine, guests: dict[str, NamedNamespace], packets: Packets
) -> None:
    first = await leased(lab, guests["one"])
    await leads_to(packets, "one")
    (path,) = (lab.paths.run / "names").glob("*.json")
    assert [*json.loads(path.read_text())] == [first]
    path.write_text("{")
    await leased(lab, guests["two"])
    await leads_to(packets, "two")
    for name, mac in MACS.items():
        address = guests[name].run("hostname", "-I").stdout.split()[0]
        release4(guests[name], address, mac, GATEWAY)

    async def gone() -> bool:
        return not path.exists()

    await soon(gone)
