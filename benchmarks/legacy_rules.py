"""Rules of one network on legacy tables: beside iptables-restore, beside python-iptables alone.

Run it with ``python -m benchmarks.legacy_rules`` from the checkout, as root (the tables are those
of a namespace of its own). It needs the test environment and iptables, and takes a minute. The
rules deny one port of as many addresses, so that no two of them can become one.
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
from uuid import UUID

from benchmarks.lib import arena
from benchmarks.lib.report import Comparison, print_report
from vnet_tui.engine.drivers.firewall.iptables.compile import compile_tables
from vnet_tui.engine.drivers.firewall.iptables.driver import IptablesDriver
from vnet_tui.engine.model import Action, Mode, PortRange, Protocol
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import NetworkRules, PolicyRule, PolicyRules, Ruleset
from vnet_tui.engine.steps import SetFirewall

INSIDE = "inside"
DRIVER, RESTORE, BATCH, ONE_BY_ONE = "driver", "iptables-restore", "python-iptables", "autocommit"
PATHS = Paths(Path("/run/vnet-state"), Path("/run/vnet"))
EMPTY = Ruleset(networks={})

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
    figures: dict[tuple[int, str], list[float]] = {}
    with arena.Arena("benchmarks.legacy_rules", INSIDE) as inside:
        for _ in range(rounds):
            for count in (100, 1_000):
                for what in (DRIVER, RESTORE, BATCH, ONE_BY_ONE):
                    if (count, what) != (1_000, ONE_BY_ONE):
                        figures.setdefault((count, what), []).append(inside.ask([count, what]))
    for peer in (RESTORE, BATCH, ONE_BY_ONE):
        comparisons = [
            Comparison(
                what=f"load {count} rules", unit="ms", ours=figures[count, DRIVER], peers=peers
            )
            for count in (100, 1_000)
            if (peers := figures.get((count, peer)))
        ]
        print_report(peer, comparisons)


def rules(count: int) -> Ruleset:
    """A network with that many rules for IPv4."""
    denies = tuple(
        PolicyRule(
            key=f"{number}",
            action=Action.DENY,
            protocol=Protocol.TCP,
            ports=PortRange(first=25, last=25),
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
        begin = time.perf_counter()
        if what == DRIVER:
            await driver.set(SetFirewall(before=EMPTY, after=rules(count)))
        else:
            OTHERS[what](count)
        arena.answer((time.perf_counter() - begin) * 1e3)
        if what == DRIVER:
            await driver.set(SetFirewall(before=rules(count), after=EMPTY))
        await asyncio.to_thread(empty_tables)
    await driver.close()


def empty_tables() -> None:
    """Take away what the others loaded."""
    for program in ("iptables-legacy", "ip6tables-legacy"):
        for table in ("filter", "nat"):
            for option in ("-F", "-X"):
                subprocess.run([program, "-t", table, option], check=True)


def restore(count: int) -> None:
    """The same tables, both families, written by two programs from text."""
    for family, program in ((4, "iptables-legacy-restore"), (6, "ip6tables-legacy-restore")):
        lines = []
        for name, table in compile_tables(rules(count), "x", family).items():
            lines += [f"*{name}", *(f":{chain} -" for chain in table.chains)]
            lines += [f"-A {chain} {rule}" for chain, own in table.chains.items() for rule in own]
            lines.append("COMMIT")
        text = "\n".join([*lines, ""])
        subprocess.run([program, "-w", "--noflush"], input=text, text=True, check=True)


def plain(what: str) -> Callable[[int], None]:
    """A process of its own that uses python-iptables."""

    def run(count: int) -> None:
        subprocess.run([sys.executable, "-c", PLAIN, str(count), what], check=True)

    return run


OTHERS = {RESTORE: restore, BATCH: plain(BATCH), ONE_BY_ONE: plain(ONE_BY_ONE)}

if __name__ == "__main__":
    if sys.argv[1:] == [INSIDE]:
        arena.empty_directories(["/run"])
        asyncio.run(answer_all())
    else:
        main()
