"""The commands that turn one layout into another: what differs, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

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
    # Sets are made anew: rules that go keep the set they knew for packets on their way.
    stale = [
        name
        for name, lookup in found.lookups.items()
        if not lookup.values or _declared_otherwise(name, lookup, after)
    ]
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
    rewritten = {
        name for name, chain in after.chains.items() if chain.rules != _rules(before, name)
    }
    stale = _stale(before, after, rewritten)
    kept = {name: lookup for name, lookup in before.lookups.items() if name not in stale}
    gone = [name for name in before.chains if name not in after.chains]
    changed = [
        name
        for name, chain in after.chains.items()
        if name in rewritten or (stale and not _mentioned(chain).isdisjoint(stale))
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


def _stale(before: Layout, after: Layout, rewritten: Collection[str]) -> list[str]:
    """The lookups that have to go, though one of the same name may take their place.

    A chain's set that loses elements is made anew, if the rules change too or another lookup of
    that chain does: a packet on its way could miss in the old place what is in another one now,
    while the rules that it follows are still the old ones.
    """
    stale: set[str] = set()
    changed: list[str] = []
    for name, lookup in before.lookups.items():
        if _declared_otherwise(name, lookup, after):
            stale.add(name)
        elif lookup != after.lookups[name]:
            changed.append(name)
    losing = {
        name
        for name in changed
        if not after.lookups[name].values
        and before.lookups[name].elements.keys() - after.lookups[name].elements.keys()
    }
    if losing:
        for chain in after.chains:
            own = {name for name in changed if name.startswith(f"{chain}_")}
            if own and (chain in rewritten or len(own) > 1):
                stale |= own & losing
    return [name for name in before.lookups if name in stale]


def _declared_otherwise(name: str, lookup: Lookup, after: Layout) -> bool:
    now = after.lookups.get(name)
    return now is None or now.declaration != lookup.declaration


def _rules(layout: Layout, name: str) -> tuple[str, ...]:
    return layout.chains[name].rules if name in layout.chains else ()


def _mentioned(chain: Chain) -> set[str]:
    """The lookups that a chain's rules use."""
    words = (word for rule in chain.rules if "@" in rule for word in rule.split())
    return {word[1:] for word in words if word.startswith("@")}


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
