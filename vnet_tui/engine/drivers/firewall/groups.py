"""Rules that are looked up together: what a set or map holds for them, first match kept.

The members of a group reach to scopes that are equal or have no packet in common (``scopes.py``),
so that only the ports within one scope have to be told apart. Most are about single ports; then
the first of each element is all there is to find out, and that takes no loop of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

from vnet_tui.engine.drivers.firewall.ports import BOTH, first_runs
from vnet_tui.engine.drivers.firewall.scopes import Scope, ScopeIndex
from vnet_tui.engine.model import PortRange, Protocol as Transport

V = TypeVar("V")

Pairs = tuple[tuple[str, V], ...]
"""Elements as nft writes them, each with what it stands for."""


@dataclass(frozen=True, slots=True)
class Atom(Generic[V]):
    """A member in one address family (``version``: 4, 6, or 0 for both): where it reaches.

    ``key`` is the scope in nft's words, as it begins an element; ``pairs`` are the elements where
    the ports are told one by one, and empty where they are a range.
    """

    version: int
    scope: Scope
    key: str
    pairs: Pairs[V]


class Reaching(Protocol):
    """What reaches somewhere. ``apart``: to single addresses only, so that it can't overlap
    another of its shape without being equal."""

    @property
    def atoms(self) -> tuple[Atom[Any], ...]: ...

    @property
    def apart(self) -> bool: ...


M = TypeVar("M", bound=Reaching)

_APART: Callable[[Reaching], bool] = attrgetter("apart")


class Member(Protocol[V]):
    """A rule in a group. With ``spans``, its ports are a range."""

    @property
    def atoms(self) -> tuple[Atom[V], ...]: ...

    @property
    def pairs(self) -> Pairs[V]: ...

    @property
    def spans(self) -> bool: ...

    @property
    def protocols(self) -> tuple[Transport, ...]: ...

    @property
    def ports(self) -> PortRange | None: ...

    def elements(
        self, atom: Atom[V], transport: Transport, first: int, last: int
    ) -> Iterable[tuple[str, V]]:
        """The elements for those ports of one atom."""


def resolve(members: Sequence[Member[V]]) -> dict[str, V]:
    """All elements of a group, each for the first member that claims it."""
    ranged = {atom.key for member in members if member.spans for atom in member.atoms}
    if not ranged:
        # Of equal keys a dict keeps the last, and the place of the first.
        found = dict(chain.from_iterable(member.pairs for member in reversed(members)))
        return dict(reversed(found.items()))
    apart: list[Pairs[V]] = []
    within: dict[str, list[tuple[Member[V], Atom[V]]]] = {}
    for member in members:
        for atom in member.atoms:
            if atom.key in ranged:
                within.setdefault(atom.key, []).append((member, atom))
            else:
                apart.append(atom.pairs)
    found = dict(chain.from_iterable(reversed(apart)))
    for own in within.values():
        for transport in BOTH:
            claiming = [one for one in own if transport in one[0].protocols]
            claimed = [member.ports for member, _ in claiming if member.ports is not None]
            for first, last, index in first_runs(claimed, range(len(claimed))):
                member, atom = claiming[index]
                if atom.pairs:
                    pair = atom.pairs[member.protocols.index(transport)]
                    found[pair[0]] = pair[1]
                else:
                    found.update(member.elements(atom, transport, first, last))
    return found


def disjoint(run: list[M]) -> Iterator[list[M]]:
    """Adjacent members of one shape, cut where scopes overlap that aren't equal."""
    if all(map(_APART, run)):
        yield run
        return
    group: list[M] = []
    indexes: dict[int, ScopeIndex] = {}
    for member in run:
        if not _admit(indexes, member):
            yield group
            group, indexes = [], {}
            _admit(indexes, member)
        group.append(member)
    yield group


def _admit(indexes: dict[int, ScopeIndex], member: Reaching) -> bool:
    return all(
        indexes.setdefault(atom.version, ScopeIndex()).admit(atom.scope) for atom in member.atoms
    )
