"""What legacy tables are made of: golden files.

The documents are those of ``tests/golden/nftables``. In ``tests/golden/iptables/*``, ``IPv4`` and
``IPv6`` are all tables of ``after``; ``edit`` is the way from ``before``, ``undo`` the way back.
Run with ``UPDATE_GOLDEN=1`` to write them anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pytest

from tests.unit.test_firewall_render import GOLDEN as DOCUMENTS, ruleset
from vnet_tui.engine.drivers.firewall.iptables.compile import compile_tables
from vnet_tui.engine.drivers.firewall.iptables.edits import Edit, change, rewrite
from vnet_tui.engine.drivers.firewall.iptables.rules import FAMILIES, TABLES, Table
from vnet_tui.engine.resources import Ruleset

GOLDEN = DOCUMENTS.parent / "iptables"

Tables = Mapping[tuple[int, str], Table]


def tables(rules: Ruleset) -> Tables:
    return {
        (family, name): table
        for family in FAMILIES
        for name in TABLES
        for table in (compile_tables(rules, family).table(name),)
    }


def words(edit: Edit) -> Iterator[str]:
    """An edit as iptables-restore would be told of it; dots stand for rules that stay."""
    for name, chain in edit.write.items():
        yield f":{name}"
        yield from ["…"] * bool(chain.keep)
        yield from (f"-A {name} {rule}" for rule in chain.rules)
        yield from ["…"] * bool(chain.keep_end)
    for name, rules in (edit.hooks or {}).items():
        yield from (f"-I {name} {rule}" for rule in rules)
    for name in edit.delete:
        yield f"-X {name}"


def listing(edits: Mapping[tuple[int, str], Edit], *families: int) -> str:
    lines = []
    for (family, table), edit in edits.items():
        if edit and family in families:
            lines += [f"*{table} IPv{family}", *words(edit)]
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("case", sorted(path.name for path in DOCUMENTS.iterdir()))
def test_golden(case: str) -> None:
    before, after = (tables(ruleset(DOCUMENTS / case / name)) for name in ("before", "after"))
    whole = {place: rewrite(table) for place, table in after.items()}
    edit = {place: change(before[place], after[place]) for place in after}
    undo = {place: change(after[place], before[place]) for place in after}
    files = {
        "IPv4": listing(whole, 4),
        "IPv6": listing(whole, 6),
        "edit": listing(edit, 4, 6),
        "undo": listing(undo, 4, 6),
    }
    directory = GOLDEN / case
    if os.environ.get("UPDATE_GOLDEN"):
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (directory / name).write_text(text)
    assert files == {name: (directory / name).read_text() for name in files}
    assert not any(change(table, table) for table in after.values())


def test_every_jump_leads_to_a_chain_that_is_there() -> None:
    for path in DOCUMENTS.iterdir():
        for table in tables(ruleset(path / "after")).values():
            rules = [rule for chain in table.chains.values() for rule in chain]
            rules += [rule for hooks in table.hooks.values() for rule in hooks]
            jumps = {rule.target for rule in rules if rule.target.startswith("VNET-")}
            assert jumps <= table.chains.keys()
            unused = table.chains.keys() - jumps - {"VNET-FORWARD"}
            assert all(name.startswith(("VNET-REFOUT", "VNET-REFIN")) for name in unused)
