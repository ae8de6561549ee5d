"""One sample of the traffic of 1,000 interfaces: CPU time of the engine's sampler and of others.

Run it with ``python -m benchmarks.sampling`` from the checkout, as root (the interfaces are made
in namespaces of its own). It needs the test environment and ip(8), and takes half a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.lib import arena
from benchmarks.lib.report import Comparison, print_report
from vnet_tui.engine.drivers.links import Links
from vnet_tui.engine.drivers.linkstats import LinkStats
from vnet_tui.engine.drivers.netlink import RTM_GETSTATS, RTM_NEWSTATS, RouteReader, ends_dump
from vnet_tui.engine.meter import KEPT_SAMPLES
from vnet_tui.engine.stats import Sampler, wire

NETWORKS, PORTS = 40, 24
"""With their bridges, 1,000 interfaces."""

BOUND = 3.0 / 1.2
"""3 ms where RTM_GETSTATS alone takes 1.2."""

LINK_64_ONLY = struct.pack("=BxHII", 0, 0, 0, 1)
STATS = struct.Struct("=IH10x4xI4x4xQQQQ16xQQ")
"""Of struct nlmsghdr length and type, of if_stats_msg the index, of rtnl_link_stats64 packets,
bytes and drops."""

INSIDE = "inside"
OURS, HISTORY = "sample, watched", "sample, for the history"
GETSTATS, PROC, PYROUTE2 = "RTM_GETSTATS", "/proc/net/dev", "pyroute2"


def main() -> None:
    """Measure, in turns, and print ratios of medians; fail where the bound doesn't hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="times each is measured")
    rounds = parser.parse_args().rounds
    if os.geteuid() != 0:
        raise SystemExit("needs root, to make network namespaces")
    with arena.Arena("benchmarks.sampling", INSIDE) as inside:
        memory = inside.ask("memory")
        figures: dict[str, list[float]] = {}
        for _ in range(rounds):
            for what in (OURS, HISTORY, GETSTATS, PROC, PYROUTE2):
                figures.setdefault(what, []).append(inside.ask(what))
    holds = True
    for peer, bound in ((GETSTATS, BOUND), (PROC, None), (PYROUTE2, None)):
        comparisons = [
            Comparison(what=what, unit="µs", ours=figures[what], peers=figures[peer], bound=bound)
            for what in (OURS, HISTORY)
        ]
        holds = print_report(peer, comparisons) and holds
        print()
    print(f"ten minutes of history of {NETWORKS * (PORTS + 1)} interfaces: {memory:.1f} MiB")
    sys.exit(not holds)


async def inside() -> None:
    """Answer with CPU microseconds a sample (all threads), or with MiB."""
    _make_interfaces()
    stats, reader = LinkStats(), RouteReader()
    ways: dict[str, Callable[[], Awaitable[float]]] = {
        OURS: lambda: _sampler(stats, watching=True),
        HISTORY: lambda: _sampler(stats, watching=False),
        GETSTATS: lambda: _each(lambda: _read_getstats(reader)),
        PROC: lambda: _each(_read_proc),
        PYROUTE2: _pyroute2,
        "memory": lambda: _memory(stats),
    }
    for what in arena.questions():
        arena.answer(await ways[what]())


def _make_interfaces() -> None:
    lines = [f"link add vb{number} type bridge" for number in range(NETWORKS)]
    for pair in range(NETWORKS * PORTS // 2):
        bridges = (2 * pair % NETWORKS, (2 * pair + 1) % NETWORKS)
        lines.append(f"link add a{pair} master vb{bridges[0]} type veth peer name b{pair}")
        lines.append(f"link set b{pair} master vb{bridges[1]}")
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


async def _wired(stats: LinkStats) -> Sampler:
    """A sampler whose seconds take no time."""
    async with await Links.open() as links:
        bridges = {UUID(int=number + 1): f"vb{number}" for number in range(NETWORKS)}
        wiring = wire(await links.snapshot(), bridges)
    assert {len(network.ports) for network in wiring.values()} == {PORTS}
    return Sampler(stats.read, wiring, sleep=lambda _: asyncio.sleep(0))


async def _sampler(stats: LinkStats, *, watching: bool, count: int = 20) -> float:
    """What a sample costs in all: reading, history, waking who watches; and, ``watching``, the
    traffic of every network and of the ports of one, as the list and the detail beside it show.
    """
    sampler = await _wired(stats)
    taken, began = -2, 0.0
    async for sample in sampler.samples():
        taken += 1
        if taken == 0:
            began = time.process_time()
        if taken == count:
            break
        if watching:
            networks = list(sample.networks.values())
            assert len([network.traffic for network in networks]) == NETWORKS
            assert len(list(networks[0].ports.values())) == PORTS
    spent = time.process_time() - began
    await sampler.close()
    return spent / count * 1e6


async def _each(act: Callable[[], object], count: int = 20) -> float:
    began = time.process_time()
    for _ in range(count):
        act()
    return (time.process_time() - began) / count * 1e6


def _read_getstats(reader: RouteReader) -> dict[int, tuple[int, ...]]:
    """One structure unpacked a message, and nothing else."""
    found = {}
    reader.ask(RTM_GETSTATS, LINK_64_ONLY)
    while True:
        data = reader.receive()
        position, last = 0, len(data) - STATS.size
        while position <= last:
            length, kind, index, *counters = STATS.unpack_from(data, position)
            assert kind == RTM_NEWSTATS
            found[index] = tuple(counters)
            position += length
        if position < len(data) and ends_dump(data, position):
            return found


def _read_proc() -> dict[str, tuple[int, ...]]:
    found = {}
    for line in Path("/proc/net/dev").read_text().splitlines()[2:]:
        name, _, counters = line.partition(":")
        values = counters.split()
        found[name.strip()] = tuple(int(values[place]) for place in (8, 0, 9, 1, 11, 3))
    return found


async def _pyroute2(count: int = 3) -> float:
    from pyroute2 import AsyncIPRoute

    async with AsyncIPRoute() as route:

        async def read() -> list[Any]:
            return [message async for message in await route.stats("dump")]

        assert len(await read()) > NETWORKS * PORTS
        began = time.process_time()
        for _ in range(count):
            await read()
        return (time.process_time() - began) / count * 1e6


async def _memory(stats: LinkStats) -> float:
    """What a sampler takes when its history is full."""
    before = _resident()
    sampler = await _wired(stats)
    taken = 0
    async for _ in sampler.samples():
        taken += 1
        if taken > KEPT_SAMPLES:
            break
    assert len(sampler.history(UUID(int=1))) == KEPT_SAMPLES
    taken_up = _resident() - before
    await sampler.close()
    return taken_up / 2**20


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    if sys.argv[1:] == [INSIDE]:
        asyncio.run(inside())
    else:
        main()
