"""Counters, rates and history of packets that really pass."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from tests.support.counters import counters
from tests.support.lab import Lab
from vnet_tui.engine.drivers.links import Links
from vnet_tui.engine.drivers.linkstats import LinkStats
from vnet_tui.engine.meter import Meter
from vnet_tui.engine.readings import Counters
from vnet_tui.engine.stats import Sampler, wire
from vnet_tui.engine.views import Sample, Traffic
from vnet_tui.sandbox.namespaces import NamedNamespace

FOO, BAR = UUID(int=1), UUID(int=2)
MACS = {"one": "02:00:00:00:01:01", "two": "02:00:00:00:01:02"}
BRIDGE_MAC = "02:00:00:00:00:01"

SEND_FRAMES = """
import socket, sys
to, count, size = bytes.fromhex(sys.argv[1].replace(":", "")), int(sys.argv[2]), int(sys.argv[3])
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("eth0", 0))
source = wire.getsockname()[4]
for _ in range(count):
    wire.send(to + source + bytes.fromhex("88b5") + bytes(size - 14))
"""
"""Frames of a length in all, of the EtherType for local experiments (IEEE Std 802, 9.2.4), to which
nobody answers."""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def send_frames(guest: NamedNamespace, to: str, count: int, size: int) -> None:
    guest.run(sys.executable, "-c", SEND_FRAMES, to, str(count), str(size))


@pytest.fixture
def guests(lab: Lab) -> tuple[NamedNamespace, NamedNamespace]:
    """Two guests on bridge ``br-foo``, who have met; no IPv6, so that nobody else speaks."""
    for kind in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{kind}/disable_ipv6").write_text("1")
    for name, mac in (("br-foo", BRIDGE_MAC), ("br-bar", "02:00:00:00:00:02")):
        options = ("forward_delay", "0", "mcast_snooping", "0")
        ip("link", "add", name, "address", mac, "type", "bridge", *options)
        ip("link", "set", name, "up")
    ip("addr", "add", "10.1.0.1/24", "dev", "br-foo")
    made = []
    for number, (name, mac) in enumerate(MACS.items(), 2):
        guest = lab.guest(name, "br-foo", mac=mac)
        guest.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        guest.run("ip", "addr", "add", f"10.1.0.{number}/24", "dev", "eth0")
        guest.run("ping", "-c1", "-W2", "10.1.0.1")
        made.append(guest)
    return made[0], made[1]


class Watched:
    """The meter on the real counters, with intervals of two seconds that take no time."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._stats = LinkStats()
        self._moment = 0.0
        self.meter = Meter()

    async def look(self) -> Sample:
        """A sample, as of the wiring now."""
        snapshot = await self._links.snapshot()
        self.meter.topology = wire(snapshot, {FOO: "br-foo", BAR: "br-bar"})
        self._moment += 2.0
        return self.meter.record(self._stats.read(), self._moment, 1000 + self._moment)

    def close(self) -> None:
        self._stats.close()


def out_and_in(traffic: Traffic) -> tuple[int, int]:
    """Bytes of the interval, out and in."""
    return round(traffic.rates.out_bits * 2 / 8), round(traffic.rates.in_bits * 2 / 8)


async def test_what_one_guest_sends_to_another_is_out_of_one_and_into_the_other(
    guests: tuple[NamedNamespace, NamedNamespace],
) -> None:
    async with await Links.open() as links:
        watched = Watched(links)
        before = await watched.look()
        send_frames(guests[0], MACS["two"], count=300, size=1000)
        after = await watched.look()
        watched.close()
    ports = after.networks[FOO].ports
    assert set(ports) == {"p-one", "p-two"}
    assert out_and_in(ports["p-one"]) == (300_000, 0)
    assert out_and_in(ports["p-two"]) == (0, 300_000)
    assert ports["p-one"].rates.out_packets == ports["p-two"].rates.in_packets == 150
    assert ports["p-one"].rates.out_bits == 300_000 * 8 / 2
    old, new = before.networks[FOO].ports["p-two"].totals, ports["p-two"].totals
    assert new.in_bytes - old.in_bytes == 300_000
    assert new.in_packets - old.in_packets == 300
    assert out_and_in(after.networks[FOO].traffic) == (0, 0)  # the host took no part
    assert out_and_in(after.networks[BAR].traffic) == (0, 0)
    assert dict(after.networks[BAR].ports) == {}


async def test_what_guests_and_host_send_each_other_passes_the_bridge(
    guests: tuple[NamedNamespace, NamedNamespace],
) -> None:
    async with await Links.open() as links:
        watched = Watched(links)
        await watched.look()
        send_frames(guests[1], BRIDGE_MAC, count=200, size=514)
        to_host = await watched.look()
        guests[0].run("ping", "-q", "-c100", "-i0.002", "-s972", "-W2", "10.1.0.1")
        both_ways = await watched.look()
        watched.close()
    # A bridge counts what it hands up to the host without the Ethernet header's 14 bytes
    # (br_pass_frame_up), and nobody here understands these frames.
    bridge = to_host.networks[FOO].traffic
    assert out_and_in(bridge) == (200 * 500, 0)
    assert bridge.rates.out_drops == 100
    assert out_and_in(to_host.networks[FOO].ports["p-two"]) == (200 * 514, 0)
    assert out_and_in(to_host.networks[FOO].ports["p-one"]) == (0, 0)
    # An echo of 972 bytes is a packet of 1000; what else there is, is a few ARP packets.
    out_bytes, in_bytes = out_and_in(both_ways.networks[FOO].traffic)
    assert 100 * 1000 <= out_bytes < 100 * 1000 + 500
    assert 100 * 1014 <= in_bytes < 100 * 1014 + 500
    out_bytes, in_bytes = out_and_in(both_ways.networks[FOO].ports["p-one"])
    assert 100 * 1014 <= out_bytes < 100 * 1014 + 500
    assert 100 * 1014 <= in_bytes < 100 * 1014 + 500
    assert out_and_in(both_ways.networks[FOO].ports["p-two"])[0] < 500


async def test_a_port_that_is_unplugged_and_made_anew_makes_no_spike(
    lab: Lab, guests: tuple[NamedNamespace, NamedNamespace]
) -> None:
    async with await Links.open() as links:
        watched = Watched(links)
        await watched.look()
        send_frames(guests[0], MACS["two"], count=100, size=1000)
        await watched.look()
        ip("link", "del", "p-two")
        gone = await watched.look()
        ip("link", "add", "p-two", "type", "veth", "peer", "name", "x")
        ip("link", "set", "p-two", "master", "br-foo")
        back = await watched.look()
        again = await watched.look()
        watched.close()
    assert set(gone.networks[FOO].ports) == {"p-one"}
    for sample in (back, again):
        assert out_and_in(sample.networks[FOO].ports["p-two"]) == (0, 0)
    history = watched.meter.history(FOO, "p-two")
    assert [(point.time, point.in_bits) for point in history] == [(1004, 400_000), (1010, 0)]


async def test_the_sampler_loses_nothing_between_its_samples(
    guests: tuple[NamedNamespace, NamedNamespace],
) -> None:
    """Rates times the real time between samples are what passed, all of it."""
    stats = LinkStats()
    async with await Links.open() as links:
        wiring = wire(await links.snapshot(), {FOO: "br-foo"})
    sampler = Sampler(stats.read, wiring)
    sampler.start()
    seen: list[Sample] = []
    async with asyncio.timeout(20):
        async for sample in sampler.samples():
            seen.append(sample)
            if len(seen) == 4:
                break
            for _ in range(len(seen)):
                await asyncio.to_thread(send_frames, guests[0], MACS["two"], 100, 1000)
    points = sampler.history(FOO, "p-two")
    await sampler.close()
    stats.close()
    totals = [sample.networks[FOO].ports["p-two"].totals.in_bytes for sample in seen]
    assert totals[-1] - totals[0] == (100 + 200 + 300) * 1000
    times = [seen[0].time, *(point.time for point in points)]
    lengths = [late - early for early, late in pairwise(times)]
    assert times[-1] == seen[-1].time
    assert all(length > 0.5 for length in lengths)
    carried = sum(point.in_bits / 8 * length for point, length in zip(points, lengths, strict=True))
    assert carried == pytest.approx(600_000, rel=0.02)


def test_counters_agree_with_ip_about_every_interface(
    guests: tuple[NamedNamespace, NamedNamespace],
) -> None:
    commands = "\n".join(f"link add v{n} type veth peer name w{n}" for n in range(300))
    subprocess.run(["ip", "-batch", "-"], input=commands, check=True, text=True)
    send_frames(guests[0], MACS["two"], count=50, size=60)
    send_frames(guests[0], BRIDGE_MAC, count=7, size=60)
    run = subprocess.run(["ip", "-j", "-s", "link"], check=True, capture_output=True)
    witness: dict[int, Counters] = {}
    for link in json.loads(run.stdout):
        sent, received = link["stats64"]["tx"], link["stats64"]["rx"]
        witness[link["ifindex"]] = (
            sent["bytes"],
            received["bytes"],
            sent["packets"],
            received["packets"],
            sent["dropped"],
            received["dropped"],
        )
    stats = LinkStats()
    assert counters(stats.read()) == witness
    assert counters(stats.read()) == witness
    assert len(witness) > 600
    stats.close()


async def test_reading_stays_in_the_namespace_where_it_began(lab: Lab) -> None:
    ip("link", "add", "here", "type", "bridge")
    stats = LinkStats()
    found = await asyncio.to_thread(stats.read)
    assert len(found.places) == 2  # lo and here: no interface of this machine
    stats.close()
