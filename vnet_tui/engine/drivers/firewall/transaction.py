"""The commands that turn one layout into another: what differs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vnet_tui.engine.drivers.firewall.layout import EMPTY, FAMILY, TABLE, Chain, Layout, Lookup, tag

_OURS = f"{FAMILY} {TABLE}"

REMOVE = (f"add table {_OURS}", f"delete table {_OURS}")
"""Commands that leave no table, whether or not there was one (nft below 1.0.7 can't say it in
one word)."""


def rewrite(layout: Layout) -> list[str]:
    """Commands after which the table holds exactly ``layout``, whatever it held before."""
    return [*REMOVE, f"add table {_OURS}", *change(EMPTY, layout)]


def change(before: Layout, after: Layout) -> list[str]:
    """Commands from ``before`` to ``after``; empty when they are equal.

    New things come first and elements next, so that whatever is named exists; what goes is
    emptied before it is deleted.
    """
    return list(_commands(before, after))


def _commands(before: Layout, after: Layout) -> Iterator[str]:
    gone = [name for name in before.chains if name not in after.chains]
    # What a lookup holds can change, how it was declared can't.
    stale = [
        name
        for name, lookup in before.lookups.items()
        if name not in after.lookups or after.lookups[name].declaration != lookup.declaration
    ]
    changed = [
        name
        for name, chain in after.chains.items()
        if chain.rules != _rules(before.chains.get(name)) or _mentions(chain, stale)
    ]
    touched = [name for name in changed if name in before.chains] + gone
    kept = {name: lookup for name, lookup in before.lookups.items() if name not in stale}
    for name, lookup in kept.items():
        yield from _remove_elements(name, lookup, after.lookups[name])
    yield from (f"flush chain {_OURS} {name}" for name in touched)
    yield from (f"delete {before.lookups[name].kind} {_OURS} {name}" for name in stale)
    yield from (f"delete chain {_OURS} {name}" for name in gone)
    for name, lookup in after.lookups.items():
        if name not in kept:
            yield f"add {lookup.kind} {_OURS} {name} {{ {lookup.declaration} }}"
    for name, chain in after.chains.items():
        if name not in before.chains:
            hook = f" {{ {chain.hook} }}" if chain.hook else ""
            yield f"add chain {_OURS} {name}{hook}"
    for name, lookup in after.lookups.items():
        yield from _add_elements(name, kept.get(name), lookup)
    for name in changed:
        for rule in after.chains[name].rules:
            yield f'add rule {_OURS} {name} {rule} comment "{tag(rule)}"'


def _rules(chain: Chain | None) -> tuple[str, ...]:
    return chain.rules if chain else ()


def _mentions(chain: Chain, lookups: Iterable[str]) -> bool:
    names = {f"@{name}" for name in lookups}
    return bool(names) and any(not names.isdisjoint(rule.split()) for rule in chain.rules)


def _remove_elements(name: str, before: Lookup, after: Lookup) -> Iterator[str]:
    old = [key for key, value in before.elements.items() if after.elements.get(key) != value]
    if old:
        yield f"delete element {_OURS} {name} {{ {', '.join(old)} }}"


def _add_elements(name: str, before: Lookup | None, after: Lookup) -> Iterator[str]:
    present: Mapping[str, str] = before.elements if before else {}
    between = " : " if after.values else " "
    new = [
        f"{key}{between}{value}" if value else key
        for key, value in after.elements.items()
        if present.get(key) != value
    ]
    if new:
        yield f"add element {_OURS} {name} {{ {', '.join(new)} }}"
