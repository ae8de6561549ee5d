"""What the sets of a group hold, worked out from what they held before, if little has changed.

An edit of one rule among ten thousand is then a matter of that rule, from here to the kernel.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Hashable, ItemsView, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from vnet_tui.engine.alike import alike
from vnet_tui.engine.drivers.firewall.groups import Member, resolve

S = TypeVar("S", bound=Hashable)

_FEW = 64
"""So many members may differ for the difference to be worth following."""

_KEPT = 4096
"""The groups that are remembered."""


class Elements(Mapping[str, str]):
    """Elements with their comments or values, and in which keys they may differ from others from
    which they were made.

    Of those that were made one from the other, the last one made has a table of them all; the
    others have the one made from them, and what is other there (Baker, Shallow Binding Makes
    Functional Arrays Fast, 1991). Not to be edited by several threads.
    """

    __slots__ = ("__weakref__", "_base", "_keys", "_later", "_other", "_table")

    def __init__(self, table: dict[str, str]) -> None:
        self._table: dict[str, str] | None = table
        self._later: Elements | None = None
        self._other: Mapping[str, str | None] = {}
        self._base: weakref.ref[Elements] | None = None
        self._keys: frozenset[str] = frozenset()

    def __getitem__(self, key: str) -> str:
        at = self
        while at._later is not None:
            if key in at._other:
                found = at._other[key]
                if found is None:
                    raise KeyError(key)
                return found
            at = at._later
        return at._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def items(self) -> ItemsView[str, str]:
        """All of them."""
        return self._all().items()

    def edited(self, lost: Mapping[str, str], gained: Mapping[str, str]) -> Elements:
        """Others, which are these without ``lost`` and with ``gained``."""
        table = self._all()
        keys = frozenset((*lost, *gained))
        other = {key: table.get(key) for key in keys}
        for key in lost:
            del table[key]
        table.update(gained)
        made = Elements(table)
        made._base, made._keys = weakref.ref(self), keys
        self._table, self._later, self._other = None, made, other
        return made

    def differing(self, other: Elements) -> frozenset[str] | None:
        """All keys in which two may differ; None where they have nothing in common to tell by."""
        mine, theirs = self._line(), other._line()
        for number, keys in mine.items():
            if number in theirs:
                return keys | theirs[number]
        return None

    def _all(self) -> dict[str, str]:
        """The table of these, made again where a later one has it."""
        if self._table is None:
            line: list[Elements] = []
            at: Elements = self
            while at._later is not None:
                line.append(at)
                at = at._later
            table = dict(at._all())
            for one in reversed(line):
                for key, value in one._other.items():
                    if value is None:
                        table.pop(key, None)
                    else:
                        table[key] = value
            self._table, self._later, self._other = table, None, {}
        return self._table

    def _line(self) -> dict[int, frozenset[str]]:
        """Those from which these were made, with the keys that differ since; these first."""
        found: dict[int, frozenset[str]] = {id(self): frozenset()}
        keys: frozenset[str] = frozenset()
        at: Elements | None = self
        while at is not None and at._base is not None and len(found) < _STEPS:
            keys |= at._keys
            at = at._base()
            if at is not None:
                found[id(at)] = keys
        return found


_STEPS = 6
"""So many edits are followed back."""


def missing(elements: Mapping[str, str], other: Mapping[str, str]) -> Mapping[str, str]:
    """The elements that the other hasn't got in just this way."""
    if elements is other:
        return {}
    get = other.get
    if isinstance(elements, Elements) and isinstance(other, Elements):
        keys = elements.differing(other)
        if keys is not None:
            return {
                key: value
                for key in sorted(keys)
                if (value := elements.get(key)) is not None and get(key) != value
            }
    if elements == other:
        return {}
    return {key: value for key, value in elements.items() if get(key) != value}


@dataclass(slots=True)
class Group(Generic[S]):
    """What a group holds: elements by the set that they are in. ``plain``: each is claimed by one
    member only, so that no member is without."""

    members: tuple[Member[tuple[S, str]], ...]
    sets: dict[S, Elements]
    plain: bool


_groups: OrderedDict[Hashable, Group[Any]] = OrderedDict()


def sets_of(
    name: Hashable, members: Sequence[Member[tuple[S, str]]]
) -> Mapping[S, Mapping[str, str]]:
    """The elements of a group by the set that they are in; ``name`` tells it from all others."""
    return group_of(name, members).sets


def group_of(name: Hashable, members: Sequence[Member[tuple[S, str]]]) -> Group[S]:
    """A group, which ``name`` tells from all others."""
    before: Group[S] | None = _groups.get(name)
    group = _edited(before, tuple(members)) if before is not None else None
    if group is None:
        group = _made(tuple(members))
    _groups.pop(name, None)
    _groups[name] = group
    if len(_groups) > _KEPT:
        _groups.popitem(last=False)
    return group


def _made(members: tuple[Member[tuple[S, str]], ...]) -> Group[S]:
    found = resolve(members)
    sets = {
        own: Elements({key: text for key, (slot, text) in found.items() if slot is own})
        for own in {slot for slot, _ in found.values()}
    }
    plain = not any(member.spans for member in members)
    return Group(members, sets, plain and len(found) == sum(len(one.pairs) for one in members))


def _edited(before: Group[S], members: tuple[Member[tuple[S, str]], ...]) -> Group[S] | None:
    """The group from what it was before; None where that would be no less work."""
    first, last = alike(before.members, members)
    was = {id(one): one for one in before.members[first : len(before.members) - last]}
    now = {id(one): one for one in members[first : len(members) - last]}
    # Where each element has one member, their order is nothing to it.
    removed = [one for number, one in was.items() if number not in now]
    added = [one for number, one in now.items() if number not in was]
    if not before.plain or len(removed) + len(added) > _FEW or any(one.spans for one in added):
        return None
    lost: dict[S, dict[str, str]] = {}
    gained: dict[S, dict[str, str]] = {}
    gone, come = set(), set()
    for one in removed:
        for key, (slot, text) in one.pairs:
            lost.setdefault(slot, {})[key] = text
            gone.add(key)
    for one in added:
        for key, (slot, text) in one.pairs:
            taken = key not in gone and any(key in own for own in before.sets.values())
            if taken or key in come:
                return None
            gained.setdefault(slot, {})[key] = text
            come.add(key)
    sets = dict(before.sets)
    for slot in lost.keys() | gained.keys():
        left, new = lost.get(slot, {}), gained.get(slot, {})
        if left != new:
            sets[slot] = sets.get(slot, Elements({})).edited(left, new)
        if not sets[slot]:
            del sets[slot]
    return Group(members, sets, plain=True)
