"""The commands that turn one layout into another: what differs, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from vnet_tui.engine.drivers.firewall.elements import missing
from vnet_tui.engine.drivers.firewall.layout import FAMILY, TABLE, Chain, Layout, Lookup, tag
from vnet_tui.engine.drivers.firewall.tallies import Counted, counted, tallied
from vnet_tui.engine.rule_counters import Count

_OURS = f"{FAMILY} {TABLE}"

REMOVE = (f"add table {_OURS}", f"delete table {_OURS}")
"""Commands that leave no table, whether or not there was one (nft below 1.0.7 can't say it in
one word)."""


def rewrite(
    found: Layout, after: Layout, counts: Mapping[Counted, Count] | None = None
) -> list[str]:
    """Commands after which the table holds exactly ``after``, with ``counts`` in its elements.

    Only names, declarations and hooks of what was ``found`` count. What has the right ones is
    emptied and filled again, not deleted and made anew: a packet that is on its way through the
    rules at that moment would find the new chain still empty and the old one empty already.
    What rules filled, and named counters, stay as they are.
    """
    # Sets are made anew: rules that go keep the set they knew for packets on their way.
    stale = [
        name
        for name, lookup in found.lookups.items()
        if not (lookup.values or lookup.dynamic) or _declared_otherwise(name, lookup, after)
    ]
    kept = {name: lookup for name, lookup in found.lookups.items() if name not in stale}
    objects = _other_objects(found, after)
    start = _Start(counts or {})
    return [
        f"add table {_OURS}",
        f"flush table {_OURS}",  # the rules in it, and nothing else
        *(_delete(name, found.lookups[name]) for name in stale),
        *(f"flush {one.kind} {_OURS} {name}" for name, one in kept.items() if not one.dynamic),
        *(
            f"delete chain {_OURS} {name}"
            for name, chain in found.chains.items()
            if name not in after.chains or after.chains[name].hook != chain.hook
        ),
        *(f"delete {kind} {_OURS} {name}" for name, kind in objects),
        *_declare(after, [name for name in after.lookups if name not in kept]),
        *_declare_objects(found, after, start),
        *_make(after, after.chains),
        *(
            _add_elements(name, lookup, lookup.elements, start)
            for name, lookup in after.lookups.items()
            if lookup.elements
        ),
        *_add_rules(after, after.chains),
    ]


class Change:
    """The way from ``before`` to ``after``; nothing to do when they are equal.

    What goes is emptied before it is deleted; what is new is there before something names it.

    A packet may be among the old rules while their sets hold the new elements already. If a set
    loses one while the rules or another set of its chain change too, such a packet could miss it
    here, and not find there what is to decide of it now. So single elements go in a second
    transaction, for which no packet is left among the old rules; until then they decide as before,
    or not at all. Sets of ranges, where old and new ones can't stand side by side, are made anew:
    the old rules keep the set that they know.
    """

    def __init__(self, before: Layout, after: Layout) -> None:
        self._before, self._after = before, after
        self._rewritten = {
            name for name, chain in after.chains.items() if chain.rules != _rules(before, name)
        }
        self._lost = {
            name: missing(lookup.elements, _elements(after, name))
            for name, lookup in before.lookups.items()
        }
        self._gained = {
            name: missing(lookup.elements, _elements(before, name))
            for name, lookup in after.lookups.items()
        }
        self._stale = {
            name
            for name, lookup in before.lookups.items()
            if _declared_otherwise(name, lookup, after)
        }
        self._later: dict[str, Collection[str]] = {}
        for name, gone in self._hazards().items():
            if before.lookups[name].interval:
                self._stale.add(name)
            else:
                self._later[name] = gone
        for name in self._stale:
            self._lost[name] = before.lookups[name].elements
            if name in after.lookups:
                self._gained[name] = after.lookups[name].elements

    def carried(self) -> dict[str, Mapping[str, str]]:
        """The sets whose counters have to be known to go on counting, because a rule that stays
        loses elements there and gets others, or a counter; with the elements that they lose."""
        gained = self._gaining() | set(map(tallied, new_counters(self._before, self._after)))
        return {
            name: elements
            for name, elements in self._lost.items()
            if self._before.lookups[name].counted
            and any(counted(name, comment) in gained for comment in elements.values())
        }

    def carried_tallies(self) -> list[str]:
        """The counters that have to be known for the same, because a rule that had one gets
        elements."""
        gone = new_counters(self._after, self._before)
        gained = self._gaining() if gone else ()
        return [name for name in gone if tallied(name) in gained]

    def _gaining(self) -> set[Counted | None]:
        """Who gets elements."""
        return {
            counted(name, comment)
            for name, elements in self._gained.items()
            if self._after.lookups[name].counted
            for comment in elements.values()
        }

    def commands(self, counts: Mapping[Counted, Count] | None = None) -> list[str]:
        """The commands; ``counts`` are those of the elements that are carried over."""
        before, after, stale = self._before, self._after, self._stale
        kept = [name for name in before.lookups if name not in stale]
        gone = [name for name in before.chains if name not in after.chains]
        changed = [
            name
            for name, chain in after.chains.items()
            if name in self._rewritten or (stale and not _mentioned(chain).isdisjoint(stale))
        ]
        emptied = [*(name for name in changed if name in before.chains), *gone]
        start = _Start(counts or {})
        return [
            *(line for name in kept for line in self._delete_elements(name)),
            *(f"flush chain {_OURS} {name}" for name in emptied),
            *(_delete(name, before.lookups[name]) for name in before.lookups if name in stale),
            *(f"delete chain {_OURS} {name}" for name in gone),
            *(f"delete {kind} {_OURS} {name}" for name, kind in _other_objects(before, after)),
            *_declare(after, [name for name in after.lookups if name not in kept]),
            *_declare_objects(before, after, start),
            *_make(after, [name for name in after.chains if name not in before.chains]),
            *(
                _add_elements(name, after.lookups[name], elements, start)
                for name, elements in self._gained.items()
                if elements
            ),
            *_add_rules(after, changed),
        ]

    def afterwards(self) -> list[str]:
        """The commands for when no packet is left among the old rules."""
        return [_delete_elements(name, keys) for name, keys in self._later.items()]

    def _delete_elements(self, name: str) -> Iterator[str]:
        later = self._later.get(name, ())
        keys = [key for key in self._lost[name] if key not in later]
        if keys:
            yield _delete_elements(name, keys)

    def _hazards(self) -> dict[str, Collection[str]]:
        """The sets that stay, with the keys that mustn't go before the old rules do.

        Not so where all that a set loses is found in another set of those rules, of which the
        verdict is another: nobody may count on either verdict at that moment.
        """
        after = self._after
        changed = {
            name
            for name in self._before.lookups
            if name not in self._stale and (self._lost[name] or self._gained[name])
        }
        losing = {
            name: gone
            for name in changed
            if not after.lookups[name].values
            and (gone := self._lost[name].keys() - self._gained[name].keys())
        }
        found: dict[str, Collection[str]] = {}
        for chain in after.chains if losing else ():
            own = {name for name in changed if name.startswith(f"{chain}_")}
            if own and (chain in self._rewritten or len(own) > 1):
                for name in own & losing.keys():
                    if chain in self._rewritten or not self._turned(name, losing[name], own):
                        found[name] = losing[name]
        return found

    def _turned(self, name: str, gone: Collection[str], own: Collection[str]) -> bool:
        """Whether all elements that a set loses appear in sets that are there for another
        verdict."""
        of = _VERDICT.search(name)
        others = [
            self._gained[other].keys() - self._lost[other].keys()
            for other in own
            if (found := _VERDICT.search(other))
            and of
            and found["verdict"] != of["verdict"]
            and found["about"] == of["about"]
        ]
        return all(any(key in new for new in others) for key in gone)


_VERDICT = re.compile(r"_[0-9a-f]{32}_(?P<verdict>[a-z]+)(?P<about>\d?(?:_[0-9a-f]{8})?)_\d+")


def change(before: Layout, after: Layout) -> list[str]:
    """Commands from ``before`` to ``after``, as if no packet came meanwhile; what has to be carried
    over starts at nothing."""
    way = Change(before, after)
    return [*way.commands(), *way.afterwards()]


class _Start:
    """What elements and counters begin to count from: what their rule had counted before, once."""

    def __init__(self, counts: Mapping[Counted, Count]) -> None:
        self._left = dict(counts)

    def take(self, name: str, comment: str) -> str:
        """nft's words for it, between an element's key and its comment."""
        if not self._left:
            return ""
        words = self._words(counted(name, comment))
        return f" counter {words}" if words else ""

    def take_over(self, counter: str) -> str:
        """nft's words for it, of a named counter."""
        return self._words(tallied(counter)) if self._left else ""

    def _words(self, who: Counted | None) -> str:
        count = None if who is None else self._left.pop(who, None)
        return f"packets {count.packets} bytes {count.bytes}" if count else ""


def _delete_elements(name: str, keys: Iterable[str]) -> str:
    return f"delete element {_OURS} {name} {{ {', '.join(keys)} }}"


def _elements(layout: Layout, name: str) -> Mapping[str, str]:
    return layout.lookups[name].elements if name in layout.lookups else {}


def _other_objects(before: Layout, after: Layout) -> list[tuple[str, str]]:
    """Objects that go, with their kinds."""
    return [
        (name, one.kind)
        for name, one in before.objects.items()
        if name not in after.objects or after.objects[name].kind != one.kind
    ]


def new_counters(before: Layout, after: Layout) -> list[str]:
    """The counters that one layout has and the other hasn't."""
    return [
        name
        for name, one in after.objects.items()
        if name not in before.objects and one.kind == "counter"
    ]


def _declare_objects(before: Layout, after: Layout, start: _Start) -> Iterator[str]:
    for name, one in after.objects.items():
        if name not in before.objects or before.objects[name].kind != one.kind:
            body = one.body or start.take_over(name)
            yield f"add {one.kind} {_OURS} {name}" + (f" {{ {body} }}" if body else "")


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


def _add_elements(name: str, lookup: Lookup, elements: Mapping[str, str], start: _Start) -> str:
    between = " : " if lookup.values else " "
    if lookup.counted:
        words = [f"{key}{start.take(name, value)} {value}" for key, value in elements.items()]
    else:
        words = [f"{key}{between}{value}" if value else key for key, value in elements.items()]
    return f"add element {_OURS} {name} {{ {', '.join(words)} }}"
