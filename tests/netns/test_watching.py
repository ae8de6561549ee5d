"""The main job, end to end: a network in XML, a guest on it, and an engine that watches."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.support.dhcp import lease4, release4
from tests.support.eventually import soon
from tests.support.inventory import inventory
from tests.support.lab import Lab
from tests.support.packets import Fate, Packets, Probe
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.views import EventKind, RuleState
from vnet_tui.sandbox.namespaces import NamedNamespace, veth

FOO = (Path(__file__).parents[2] / "vnet_tui/examples/foo.xml").read_text()
MAC = "52:54:00:00:00:77"
UPLINK = "198.51.100.2"
OUTSIDE = "198.51.100.1"


@pytest.fixture
async def engine(lab: Lab) -> AsyncIterator[Engine]:
    """An engine that watches Foo run; what runs at the end is stopped."""
    async with Engine(lab.paths) as made:
        await made.define(FOO)
        await made.start(["Foo"])
        await made.watch()
        yield made
        active = [info.uuid for info in await made.networks() if info.active]
        if active:
            await made.stop(active)


def uplink(lab: Lab) -> NamedNamespace:
    """A machine beyond the host, on a cable of its own."""
    outside = lab.machine("outside")
    veth("up0", "eth0", outside)
    lab.ip("address", "add", f"{UPLINK}/24", "dev", "up0")
    outside.run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "eth0")
    return outside


async def joined(lab: Lab, tmp_path: Path, name: str = "foobar") -> tuple[NamedNamespace, str]:
    """A guest with a lease that it uses, and its address."""
    guest = lab.guest(name, "vnet-foo", mac=MAC)
    offer = await asyncio.to_thread(lease4, guest, tmp_path, name)
    assert offer is not None
    guest.run("ip", "address", "add", f"{offer.address}/24", "dev", "eth0")
    guest.run("ip", "route", "add", "default", "via", "10.0.0.1")
    return guest, offer.address


async def test_the_rule_of_the_design_leads_to_its_guest_and_follows_it(
    engine: Engine, lab: Lab, tmp_path: Path
) -> None:
    outside = uplink(lab)
    (waiting, *_) = await engine.rules("Foo")
    assert waiting.state is RuleState.WAITING
    events = engine.events()
    told = asyncio.create_task(_until_told(events, EventKind.LEASE_ADDED))
    guest, address = await joined(lab, tmp_path)
    event = await asyncio.wait_for(told, 10)
    assert event == f"foobar took {address}"
    await _rule_leads_to(engine, address)
    packets = Packets({"foobar": guest, "outside": outside})
    try:
        packets.listen("foobar", 321)
        packets.listen("outside", 25, 80)
        probes = [
            Probe("outside", "tcp", UPLINK, 123),
            Probe("outside", "tcp", UPLINK, 321),
            Probe("outside", "tcp", address, 321),
            Probe("foobar", "tcp", OUTSIDE, 80),
            Probe("foobar", "tcp", OUTSIDE, 25),
        ]
        outside.run("ip", "route", "add", "10.0.0.0/24", "via", UPLINK)
        answers = await asyncio.to_thread(packets.probe, probes)
        fates = [answer.fate for answer in answers]
        assert fates[0] is Fate.PASS
        assert fates[1:3] == [Fate.REFUSED, Fate.DENIED]
        assert fates[3] is Fate.PASS
        assert answers[3].seen_from == UPLINK
        assert fates[4] is Fate.DENIED
    finally:
        packets.close()
    release4(guest, address, MAC, "10.0.0.1")
    await _rule_leads_to(engine, None)


async def _until_told(events: AsyncIterator[object], kind: EventKind) -> str:
    async for event in events:
        if getattr(event, "kind", None) is kind:
            return str(getattr(event, "message", ""))
    raise AssertionError("no more events")


async def _rule_leads_to(engine: Engine, address: str | None) -> None:
    wanted = ip_address(address) if address else None

    async def leads() -> bool:
        rule = (await engine.rules("Foo"))[0]
        return rule.guest == wanted and not await engine.plan("apply", ["Foo"])

    await soon(leads, what=f"the rule never led to {address}")


async def test_traffic_is_counted_by_network_and_by_port(
    engine: Engine, lab: Lab, tmp_path: Path
) -> None:
    guest, address = await joined(lab, tmp_path)
    uuid = (await engine.network("Foo")).uuid
    done = guest.run("ping", "-c", "20", "-i", "0.01", "-s", "1000", "10.0.0.1")
    assert done.returncode == 0
    samples = engine.samples()
    async with asyncio.timeout(10):
        async for sample in samples:
            seen = sample.networks[uuid]
            port = seen.ports.get("p-foobar")
            if port is not None and port.totals.out_bytes > 20_000:
                break
    assert port is not None
    assert port.totals.in_bytes > 20_000
    assert seen.traffic.totals.out_bytes > 20_000
    (guest_seen,) = await engine.guests("Foo")
    assert (guest_seen.name, guest_seen.mac, guest_seen.port) == ("foobar", MAC, "p-foobar")
    assert guest_seen.addresses == (ip_address(address),)
    await soon(lambda: engine.history("Foo", "p-foobar"))


async def test_a_flushed_ruleset_is_written_anew_and_told(engine: Engine, lab: Lab) -> None:
    before = inventory(lab.paths)["ruleset"]
    told = asyncio.create_task(_until_told(engine.events(), EventKind.RECOVERED))
    await asyncio.to_thread(subprocess.run, ["nft", "flush", "ruleset"], check=True)
    assert "write our table anew" in await asyncio.wait_for(told, 10)
    assert inventory(lab.paths)["ruleset"] == before


async def test_flushed_legacy_tables_are_written_anew_and_told(lab: Lab) -> None:
    def saved() -> list[str]:
        done = subprocess.run(["iptables-legacy-save"], check=True, capture_output=True, text=True)
        return [line for line in done.stdout.splitlines() if line.startswith("-A")]

    async with Engine(lab.paths, firewall="iptables") as engine:
        await engine.define(FOO)
        await engine.start(["Foo"])
        before = await asyncio.to_thread(saved)
        await engine.watch()
        told = asyncio.create_task(_until_told(engine.events(), EventKind.RECOVERED))
        for table in ("filter", "nat"):
            flush = ["iptables-legacy", "-t", table, "-F"]
            await asyncio.to_thread(subprocess.run, flush, check=True)
        assert "write our table anew" in await asyncio.wait_for(told, 10)
        await soon(lambda: asyncio.to_thread(lambda: saved() == before))
        await engine.stop(["Foo"])


async def test_another_programs_changes_are_told_here(engine: Engine, lab: Lab) -> None:
    events = engine.events()
    told = asyncio.create_task(_until_told(events, EventKind.STOPPED))
    async with Engine(lab.paths) as other:
        await other.stop(["Foo"])
    assert await asyncio.wait_for(told, 10) == "no longer runs"
