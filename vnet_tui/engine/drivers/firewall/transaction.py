"""The commands that turn one layout into another: what differs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vnet_tui.engine.drivers.firewall.layout import FAMILY, TABLE, Chain, Layout, Lookup, tag

_OURS = f"{FAMILY} {TABLE}"

REMOVE = (f"add table {_OURS}", f"delete table {_OURS}")
"""Commands that leave no table, whether or not there was one (nft below 1.0.7 can't say it in
one word)."""


def rewrite(found: Layout, after: Layout) -> list[str]:
    """Commands after which the table holds exactly ``after``.

    Only names, declarations and hooks of what was ``found`` count. What has the right ones is
    emptied and filled again, not deleted and made anew: a packet that is on its way through the
    rules at that moment would find the new chain still empty and the old one empty already.
    """
    stale = _stale(found, after)
    kept = [name for name in found.lookups if name not in stale]
    return [
        f"add table {_OURS}",
        f"flush table {_OURS}",  # the rules in it, and nothing else
        *(_delete(name, found.lookups[name]) for name in stale),
        *(f"flush {found.lookups[name].kind} {_OURS} {name}" for name in kept),
        *(
            f"delete chain {_OURS} {name}"
            for name, chain in found.chains.items()
            if name not in after.chains or after.chains[name].hook != chain.hook
        ),
        *_declare(after, [name for name in after.lookups if name not in kept]),
        *_make(after, after.chains),
        *(line for name in after.lookups for line in _add_elements(name, {}, after)),
        *_add_rules(after, after.chains),
    ]


def change(before: Layout, after: Layout) -> list[str]:
    """Commands from ``before`` to ``after``; empty when they are equal.

    What goes is emptied before it is deleted; what is new is there before something names it.
    """
    stale = _stale(before, after)
    kept = {name: lookup for name, lookup in before.lookups.items() if name not in stale}
    gone = [name for name in before.chains if name not in after.chains]
    changed = [
        name
        for name, chain in after.chains.items()
        if chain.rules != _rules(before.chains.get(name)) or _mentions(chain, stale)
    ]
    emptied = [*(name for name in changed if name in before.chains), *gone]
    return [
        *(line for name in kept for line in _remove_elements(name, kept[name], after)),
        *(f"flush chain {_OURS} {name}" for name in emptied),
        *(_delete(name, before.lookups[name]) for name in stale),
        *(f"delete chain {_OURS} {name}" for name in gone),
        *_declare(after, [name for name in after.lookups if name not in kept]),
        *_make(after, [name for name in after.chains if name not in before.chains]),
        *(
            line
            for name in after.lookups
            for line in _add_elements(name, kept[name].elements if name in kept else {}, after)
        ),
        *_add_rules(after, changed),
    ]


def _stale(before: Layout, after: Layout) -> list[str]:
    """The lookups that have to go: what they hold could change, how they were declared can't."""
    return [
        name
        for name, lookup in before.lookups.items()
        if name not in after.lookups or after.lookups[name].declaration != lookup.declaration
    ]


def _rules(chain: Chain | None) -> tuple[str, ...]:
    return chain.rules if chain else ()


def _mentions(chain: Chain, lookups: Iterable[str]) -> bool:
    names = {f"@{name}" for name in lookups}
    return bool(names) and any(not names.isdisjoint(rule.split()) for rule in chain.rules)


def _delete(name: str, lookup: Lookup) -> str:
    return f"delete {lookup.kind} {_OURS} {name}"


def _declare(after: Layout, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        lookup = after.lookups[name]
        yield f"add {lookup.kind} {_OURS} {name} {{ {lookup.declaration} }}"


def _make(after: Layout, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        hook = after.chains[name].hook
        yield f"add chain {_OURS} {name}" + (f" {{ {hook} }}" if hook else "")


def _add_rules(after: Layout, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        for rule in after.chains[name].rules:
            yield f'add rule {_OURS} {name} {rule} comment "{tag(rule)}"'


def _remove_elements(name: str, before: Lookup, after: Layout) -> Iterator[str]:
    now = after.lookups[name].elements
    old = [key for key, value in before.elements.items() if now.get(key) != value]
    if old:
        yield f"delete element {_OURS} {name} {{ {', '.join(old)} }}"


def _add_elements(name: str, present: Mapping[str, str], after: Layout) -> Iterator[str]:
    lookup = after.lookups[name]
    between = " : " if lookup.values else " "
    new = [
        f"{key}{between}{value}" if value else key
        for key, value in lookup.elements.items()
        if present.get(key) != value
    ]
    if new:
        yield f"add element {_OURS} {name} {{ {', '.join(new)} }}"
