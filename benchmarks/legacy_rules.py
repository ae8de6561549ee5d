"""Rules of one network on legacy tables: beside iptables-restore, beside python-iptables alone.

Run it with ``python -m benchmarks.legacy_rules`` from the checkout, as root (the tables are those
of a namespace of its own). It needs the test environment and iptables, and takes a minute or two.
The rules deny one port of as many addresses. One of them is changed, too: iptables-restore, which
reads and writes tables through the same library, shows what that costs without any Python.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from statistics import median
from uuid import UUID

from benchmarks.lib import arena
from benchmarks.lib.report import Comparison, print_report
from vnet_tui.engine.drivers.firewall.iptables.compile import Compiled, compile_tables
from vnet_tui.engine.drivers.firewall.iptables.driver import IptablesDriver
from vnet_tui.engine.drivers.firewall.iptables.network import Abilities
from vnet_tui.engine.drivers.firewall.iptables.rules import TABLES
from vnet_tui.engine.model import Action, Mode, PortRange, Protocol
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import NetworkRules, PolicyRule, PolicyRules, Ruleset
from vnet_tui.engine.steps import SetFirewall

INSIDE = "inside"
DRIVER, RESTORE, BATCH, ONE_BY_ONE = "driver", "iptables-restore", "python-iptables", "autocommit"
COUNTS = (100, 1_000, 10_000)
LOAD, EDIT, READ = "load", "change one of", "read"
PATHS = Paths(Path("/run/vnet-state"), Path("/run/vnet"))
EMPTY = Ruleset(networks={})

OTHER_PORT = PortRange(first=26, last=26)

PLAIN = """
import sys, iptc
count, batch = int(sys.argv[1]), sys.argv[2] == "python-iptables"
table = iptc.Table("filter", autocommit=not batch)
chain = table.create_chain("MANY")
for number in range(count):
    rule = iptc.Rule()
    rule.protocol = "tcp"
    rule.dst = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    rule.create_match("tcp").dport = "25"
    rule.create_target("REJECT").reject_with = "icmp-admin-prohibited"
    chain.append_rule(rule)
if batch:
    table.commit()
"""
"""What a program does that uses python-iptables as its documentation shows."""


def main() -> None:
    """Measure, in turns, and print ratios of medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="times each is measured")
    rounds = parser.parse_args().rounds
    if os.geteuid() != 0:
        raise SystemExit("needs root, to make network namespaces")
    figures: dict[tuple[str, int, str], list[float]] = {}
    with arena.Arena("benchmarks.legacy_rules", INSIDE) as inside:
        for _ in range(rounds):
            for count in COUNTS:
                for what in (DRIVER, RESTORE, BATCH, ONE_BY_ONE):
                    if what != ONE_BY_ONE or count == COUNTS[0]:
                        found = inside.ask([count, what])
                        for did, took in found.items():
                            figures.setdefault((did, count, what), []).append(took)
    for peer in (RESTORE, BATCH, ONE_BY_ONE):
        comparisons = [
            Comparison(
                what=f"{did} {count} rules",
                unit="ms",
                ours=figures[did, count, DRIVER],
                peers=peers,
            )
            for did in (LOAD, EDIT)
            for count in COUNTS
            if (peers := figures.get((did, count, peer)))
        ]
        print_report(peer, comparisons)
    for count in COUNTS:
        print(f"counters of {count} rules: {median(figures[READ, count, DRIVER]):.1f} ms")


def rules(count: int, *, changed: int | None = None) -> Ruleset:
    """A network with that many rules for IPv4, of which one may have been changed."""
    denies = tuple(
        PolicyRule(
            key=f"{number}" if number != changed else "changed",
            action=Action.DENY,
            protocol=Protocol.TCP,
            ports=PortRange(first=25, last=25) if number != changed else OTHER_PORT,
            destination=ip_network(IPv4Address(0x0A000000 + number)),
        )
        for number in range(count)
    )
    network = NetworkRules(
        network=UUID(int=1),
        bridge="vnet-one",
        mode=Mode.NAT,
        subnets=(ip_network("192.168.1.0/24"),),
        incoming=PolicyRules(default=Action.DENY),
        outgoing=PolicyRules(default=Action.ALLOW, rules=denies),
    )
    return Ruleset(networks={network.network: network})


async def answer_all() -> None:
    """Inside: load what is asked for, tell how long it took (ms), take it away again."""
    driver = IptablesDriver(PATHS, "in a benchmark")
    await driver.set(SetFirewall(before=EMPTY, after=rules(1)))  # the children start with it
    await driver.set(SetFirewall(before=rules(1), after=EMPTY))
    for count, what in arena.questions():
        took = await measure(driver, count) if what == DRIVER else OTHERS[what](count)
        arena.answer(took)
        await asyncio.to_thread(empty_tables)
    await driver.close()


async def measure(driver: IptablesDriver, count: int) -> dict[str, float]:
    """The driver: load, change one, read what was counted."""
    took = {}
    before, after = rules(count), rules(count, changed=count // 2)
    began = time.perf_counter()
    await driver.set(SetFirewall(before=EMPTY, after=before))
    took[LOAD] = since(began)
    await driver.observe()  # as an engine does after every change
    began = time.perf_counter()
    await driver.set(SetFirewall(before=before, after=after))
    await driver.observe()
    took[EDIT] = since(began)
    began = time.perf_counter()
    await driver.counters()
    took[READ] = since(began)
    await driver.set(SetFirewall(before=after, after=EMPTY))
    return took


def since(began: float) -> float:
    """Milliseconds."""
    return (time.perf_counter() - began) * 1e3


def empty_tables() -> None:
    """Take away what the others loaded."""
    for program in ("iptables-legacy", "ip6tables-legacy"):
        for table in ("filter", "nat"):
            for option in ("-F", "-X"):
                subprocess.run([program, "-t", table, option], check=True)


def restore(count: int) -> dict[str, float]:
    """The same tables, both families, written by two programs from text; and one rule of them
    written anew."""
    took = {}
    texts = {family: listing(count, family) for family in (4, 6)}
    began = time.perf_counter()
    for family, text in texts.items():
        run_restore(family, text)
    took[LOAD] = since(began)
    chain = next(
        name
        for name, own in compiled(count, 4).filter.chains.items()
        if any(rule.key == f"{count // 2}" for rule in own)
    )
    began = time.perf_counter()
    run_restore(4, f"*filter\n-R {chain} 1 -p tcp --dport 26 -j DROP\nCOMMIT\n")
    took[EDIT] = since(began)
    return took


def listing(count: int, family: int) -> str:
    """All tables as text."""
    lines = []
    made = compiled(count, family)
    for name in TABLES:
        table = made.table(name)
        lines += [f"*{name}", *(f":{chain} -" for chain in table.chains)]
        lines += [f"-A {chain} {rule}" for chain, own in table.chains.items() for rule in own]
        lines.append("COMMIT")
    return "\n".join([*lines, ""])


def compiled(count: int, family: int) -> Compiled:
    """The tables without what counts guests, for which there would have to be sets."""
    return compile_tables(rules(count), family, Abilities(counts=False))


def run_restore(family: int, text: str) -> None:
    """Have text put into tables."""
    program = {4: "iptables-legacy-restore", 6: "ip6tables-legacy-restore"}[family]
    subprocess.run([program, "-w", "--noflush"], input=text, text=True, check=True)


def plain(what: str) -> Callable[[int], dict[str, float]]:
    """A process of its own that uses python-iptables."""

    def run(count: int) -> dict[str, float]:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", PLAIN, str(count), what], check=True)
        return {LOAD: since(began)}

    return run


OTHERS = {RESTORE: restore, BATCH: plain(BATCH), ONE_BY_ONE: plain(ONE_BY_ONE)}

if __name__ == "__main__":
    if sys.argv[1:] == [INSIDE]:
        arena.empty_directories(["/run"])
        asyncio.run(answer_all())
    else:
        main()
