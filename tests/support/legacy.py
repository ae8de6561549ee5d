"""What iptables-legacy says of the tables: for tests that look from outside."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

FAMILIES = {4: "iptables-legacy", 6: "ip6tables-legacy"}


def iptables(family: int, *words: str) -> str:
    """Run iptables-legacy(8), with the lock as everybody takes it."""
    command = [FAMILIES[family], "-w", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def save(family: int, table: str) -> list[str]:
    """All of one table: chains with their counters, and rules."""
    command = [f"{FAMILIES[family]}-save", "-t", table]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line for line in output.splitlines() if not line.startswith("#")]


def existing_tables() -> dict[int, list[str]]:
    """The tables that there are in the calling thread's namespace, by family."""
    names = {4: "ip_tables_names", 6: "ip6_tables_names"}
    directory = Path("/proc/thread-self/net")
    return {
        family: sorted((directory / name).read_text().split()) for family, name in names.items()
    }


def ours(lines: list[str]) -> list[str]:
    """Those lines that are about a chain of ours. Of marks without the structure: numbers that the
    kernel gave to sets are in it."""
    return [_STRUCTURE.sub("", line) for line in lines if "VNET-" in line]


_STRUCTURE = re.compile(r"(\.[0-9a-f]{8})?:[0-9a-f]{16}(?=\"$)")


def everything() -> list[str]:
    """All tables of both families."""
    return [
        f"IPv{family} {table} {line}"
        for family in FAMILIES
        for table in ("filter", "nat")
        for line in save(family, table)
    ]


def others() -> list[str]:
    """All that isn't ours."""
    return [line for line in everything() if "VNET-" not in line]


def rules(family: int, table: str, chain: str) -> list[str]:
    """The rules of one chain, as iptables-save writes them."""
    beginning = f"-A {chain} "
    return [line for line in save(family, table) if line.startswith(beginning)]
