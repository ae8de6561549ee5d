"""What ten thousand rules cost: new connections a second, one edit, loading, connections lost.

Run it with ``python -m benchmarks.rules`` from the checkout, as root (all is done in namespaces of
its own). It needs the test environment, nftables, iptables and ip(8), and takes some minutes. Hosts
that differ in their rules are there side by side and have their turn some milliseconds at a time,
in an order that is another one each round, so that what else the machine does meets all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import astuple
from functools import partial
from statistics import median
from typing import Any

from benchmarks.lib import arena, rule_edits
from benchmarks.lib.report import Comparison, print_report
from benchmarks.lib.rule_hosts import (
    FORWARDS,
    IPTABLES,
    MIXED,
    NFTABLES,
    OURS,
    OUTSIDE,
    PLACE,
    POLICIES,
    SERVED,
    Host,
    Setting,
    document,
    edited,
)
from benchmarks.lib.rule_peers import LIBVIRT, PLAIN
from benchmarks.lib.rule_traffic import Counts, Target, Traffic

COUNTS = (0, 100, 1_000, 10_000)
MOST = COUNTS[-1]
WHO = (NFTABLES, IPTABLES, PLAIN, LIBVIRT)
KINDS = (POLICIES, FORWARDS)
INSIDE = "inside"

RATE_BOUND = 1 / 0.95
"""A connection may take so much longer than without rules: 5 % fewer of them a second."""

EDIT_MILLISECONDS = 20.0

IN, FORWARDED, OUT = "in", "forwarded", "out"
"""Connections from outside to a guest's own address, to a forward of the host's, and from a guest
to the outside. No rule is about the first and the last."""

PASSED = {POLICIES: (IN,), FORWARDS: (FORWARDED, IN, OUT), MIXED: (IN,)}

Figures = Mapping[tuple[str, Setting], Sequence[float]]
"""Microseconds a connection, by what it is and where."""


def main() -> None:
    """Measure, in turns, and print ratios of medians; fail where a bound doesn't hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60, help="turns that each host has")
    parser.add_argument("--turn", type=float, default=0.025, help="seconds of connections")
    parser.add_argument("--clock", action="store_true", help="time, not processor time")
    parser.add_argument("--repeat", type=int, default=3, help="times that rules are loaded")
    parser.add_argument("--edits", type=int, default=50, help="edits under load, ten a second")
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("needs root, to make network namespaces")
    holds = True
    for kind in (*KINDS, MIXED):
        with arena.Arena("benchmarks.rules", INSIDE) as inside:
            answered = inside.ask(["rates", kind, options.rounds, options.turn, options.clock])
        holds = _report_rates(kind, answered) and holds
    for kind in KINDS:
        with arena.Arena("benchmarks.rules", INSIDE) as inside:
            turns = [
                {who: inside.ask(["work", kind, who]) for who in WHO} for _ in range(options.repeat)
            ]
        with arena.Arena("benchmarks.rules", INSIDE) as inside:
            edits = inside.ask(["edits", kind])
        holds = _report_work(kind, turns) and holds
        holds = _report_edits(kind, edits) and holds
    for kind in KINDS:
        for who in OURS:
            with arena.Arena("benchmarks.rules", INSIDE) as inside:
                made, lost, edits = inside.ask(["lost", kind, who, options.edits])
            verdict = "" if lost == 0 else "  EXCEEDED"
            print(
                f"{MOST:,} {kind}, {who}: {edits} edits in {options.edits / 10:g} seconds, "
                f"{made:,} connections, {lost} lost{verdict}"
            )
            holds = holds and lost == 0
    sys.exit(not holds)


def _settings(kind: str) -> list[Setting]:
    """Whom to measure: all, and again what the others are compared with."""
    if kind == MIXED:
        return [Setting(who, kind, count) for who in OURS for count in COUNTS[:-1]]
    alone = (0, 1) if kind == FORWARDS else (0,)
    base = [Setting(NFTABLES, kind, count, copy=1) for count in alone]
    one = [Setting(NFTABLES, kind, 1)] if kind == FORWARDS else []
    return [*base, *one, *(Setting(who, kind, count) for who in WHO for count in COUNTS)]


def _report_rates(kind: str, answered: Sequence[tuple[str, list[Any], list[float]]]) -> bool:
    found = {(what, Setting(*setting)): figures for what, setting, figures in answered}
    for what in PASSED[kind]:
        print(f"{kind}, {what}: new connections in a second of a processor")
        print(" " * 16 + "".join(f"{count:>10,}" for count in COUNTS) + "  rules")
        for who in WHO:
            cells = (found.get((what, Setting(who, kind, count))) for count in COUNTS)
            rates = (f"{1e6 / median(own):>10,.0f}" if own else f"{'–':>10}" for own in cells)
            print(f"{who:<16}{''.join(rates)}")
        print()
    if kind == MIXED:
        return True
    linear = [median(found[PASSED[kind][0], Setting(PLAIN, kind, count)]) for count in (100, MOST)]
    if linear[1] < 2 * linear[0]:
        raise SystemExit("this kernel tells nobody what passing on packets takes: use --clock")
    holds = True
    for what in PASSED[kind]:
        holds = _report_bounds(kind, what, found) and holds
    print()
    return holds


def _report_bounds(kind: str, what: str, found: Figures) -> bool:
    """How ours compare with the least that does the same: no rule, or the one forward."""
    least = int(what == FORWARDED)
    peers = found[what, Setting(NFTABLES, kind, least)]

    def beside(name: str, count: int, copy: int, bound: float | None = RATE_BOUND) -> Comparison:
        ours = found[what, Setting(NFTABLES, kind, count, copy)]
        return Comparison(what=f"{what}, {name}", unit="µs", ours=ours, peers=peers, bound=bound)

    counts = [beside(f"{count} rules", count, 0) for count in COUNTS if count]
    return print_report(f"{least} rules", [beside("again", least, 1, None), *counts])


def _report_work(kind: str, turns: Sequence[Mapping[str, dict[str, list[float]]]]) -> bool:
    def figures(who: str, what: str) -> list[float]:
        return [value for turn in turns for value in turn[who][what]]

    print(f"{MOST:,} {kind}")
    for ours, peer in ((NFTABLES, PLAIN), (IPTABLES, LIBVIRT)):
        print(f"{ours} beside {peer}")
        print_report(
            "peer",
            [
                Comparison(
                    what=what, unit="ms", ours=figures(ours, what), peers=figures(peer, what)
                )
                for what in ("load", "change one")
            ],
        )
    took = median(figures(NFTABLES, "processor"))
    holds = took <= EDIT_MILLISECONDS
    verdict = "" if holds else "  EXCEEDED"
    allowed = f"{EDIT_MILLISECONDS:g} allowed{verdict}"
    print(f"{NFTABLES}, changing one: {took:.1f} ms of processor time, {allowed}")
    print()
    return holds


def _report_edits(kind: str, edits: Mapping[str, list[rule_edits.Took]]) -> bool:
    """What edits take from the request to the kernel: all that is done for them."""
    print(f"{NFTABLES}, one of {MOST:,} {kind} changed, from the request to the kernel, in ms")
    print(f"{'':<48}{'processor':>10}{'clock':>10}{'waiting':>10}")
    holds = True
    for what, took in edits.items():
        processor, *rest = (median(figures) for figures in zip(*took, strict=True))
        exceeded = what in rule_edits.CHANGES and processor > EDIT_MILLISECONDS
        holds = holds and not exceeded
        verdict = "  EXCEEDED" if exceeded else ""
        print(f"{what:<48}{''.join(f'{one:>10.1f}' for one in (processor, *rest))}{verdict}")
    print(f"{EDIT_MILLISECONDS:g} ms of processor time are allowed for a change of a rule")
    print()
    return holds


# Inside


async def answer_all() -> None:
    """Answer what is asked for."""
    arena.empty_directories(["/run"])
    asked: Mapping[str, Callable[..., Awaitable[object]]] = {
        "rates": rates,
        "work": work,
        "edits": partial(rule_edits.edits, count=MOST),
        "lost": lost,
    }
    for name, *rest in arena.questions():
        arena.answer(await asked[name](*rest))


async def rates(kind: str, rounds: int, seconds: float, clock: bool) -> list[object]:
    """Microseconds a connection takes, in each round: what, where (a setting), and the figures."""
    hosts = [Host(number, setting) for number, setting in enumerate(_settings(kind))]
    for host in hosts:
        await host.load()
    serving, connecting = _served(hosts), Traffic("connect")
    turns = [(what, host) for host in hosts for what in PASSED[kind] if _targets(host, what)[1]]
    found: dict[tuple[str, Setting], list[float]] = {}
    order = random.Random(0)  # noqa: S311  (to be the same every time)
    for number in range(rounds + 1):
        order.shuffle(turns)
        for what, host in turns:
            made, failed, *took = connecting.ask([*_targets(host, what), seconds])
            if failed:
                raise SystemExit(f"{host.setting}, {what}: {failed} connections failed")
            if number:  # the first finds out where everybody is
                found.setdefault((what, host.setting), []).append(took[not clock] / made * 1e6)
    for process in (serving, connecting):
        process.close()
    return [(what, astuple(setting), figures) for (what, setting), figures in found.items()]


def _targets(host: Host, what: str) -> tuple[str, list[Target]]:
    """From where a connection is made, and to what."""
    if what == OUT:
        return host.guest, [(OUTSIDE, SERVED)]
    return host.outside, host.setting.forwarded if what == FORWARDED else [(PLACE.guest, SERVED)]


def _served(hosts: Sequence[Host]) -> Traffic:
    made = Traffic("serve")
    machines = {host.guest: host.setting.served for host in hosts}
    echoed = {host.guest: host.setting.held[1] for host in hosts}
    made.ask([machines | {host.outside: [SERVED] for host in hosts}, echoed])
    return made


async def work(kind: str, who: str) -> dict[str, list[float]]:
    """Milliseconds that loading and editing take, and the processor time of the engine."""
    setting = Setting(who, kind, MOST)
    host = Host(0, setting)
    network = document(setting)
    found: dict[str, list[float]] = {"load": [], "change one": [], "processor": []}
    began = time.perf_counter()
    if who in OURS:
        await host.install(network)
    else:
        await host.load()
    found["load"].append((time.perf_counter() - began) * 1e3)
    for number in range(10 if who in OURS else 2):
        if who in OURS:
            network = edited(network, setting, number)
        began, busy = time.perf_counter(), time.process_time()
        if who in OURS:
            await host.install(network)
        else:
            host.change_one(setting.rules.ports[97 * (number + 1)], 1_000 + number)
        found["processor"].append((time.process_time() - busy) * 1e3)
        found["change one"].append((time.perf_counter() - began) * 1e3)
    await host.close()
    return found


async def lost(kind: str, who: str, edits: int) -> tuple[int, int, int]:
    """Connections made and lost, new ones and such as are held, while rules are edited."""
    setting = Setting(who, kind, MOST)
    host = Host(0, setting)
    network = document(setting)
    await host.install(network)
    serving, connecting = _served([host]), Traffic("connect")
    targets = _targets(host, FORWARDED if kind == FORWARDS else IN)[1]
    connecting.begin([host.outside, setting.held, edits / 10, targets])
    began, done = time.monotonic(), 0
    while time.monotonic() < began + edits / 10:
        network = edited(network, setting, done)
        await host.install(network)
        done += 1
        await asyncio.sleep(max(0.0, began + done / 10 - time.monotonic()))
    counts: Counts = connecting.end()
    for process in (serving, connecting):
        process.close()
    await host.close()
    return counts[0], counts[1], done


if __name__ == "__main__":
    if sys.argv[1:] == [INSIDE]:
        asyncio.run(answer_all())
    else:
        main()
