"""Many rules as a tree of chains, so that a packet meets few of them.

A chain holds at most ``WIDTH`` rules one after another, or tells apart by one axis (protocol, port,
address) which of at most eight further chains goes on. What is cut are aligned blocks whose size
is a power of two, whatever rules there are: an edit of one rule leaves all other chains as they
were. Within a chain rules are in their order, so the first match is the same.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count, groupby
from typing import cast

from vnet_tui.engine.drivers.firewall.iptables.boxes import (
    ALL_PROTOCOLS,
    ASKED,
    DESTINATION,
    PORT,
    PROTOCOL,
    SOURCE,
    TRANSPORTS,
    Atom,
    Box,
    Interval,
    Match,
    everything,
    subnet,
)
from vnet_tui.engine.drivers.firewall.iptables.rules import NAME_BYTES, Rule
from vnet_tui.engine.model import PortRange

WIDTH = 8
"""So many rules are tried one after another."""

_BITS = 2
"""A fork has at most two to the power of this many branches."""

_INLINE = 2
"""A branch of so few rules isn't worth a chain of its own."""

_WIDE = 1 << 12
"""A rule about more ports than this is treated like one about all: it would be in most branches."""

_SEGMENTS = 4
"""So many runs of rules, each about other things than the one before, are one tree each."""

_AXES = (PROTOCOL, ASKED, PORT, DESTINATION, SOURCE)

_LETTERS, _ALPHABET = 5, "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(slots=True)
class Chains:
    """The chains of one purpose: the first has the ``name``, further ones that and some letters,
    up to five, that say where they are in the tree."""

    name: str
    made: dict[str, Sequence[Rule]] = field(default_factory=dict)

    def first(self) -> list[Rule]:
        """The rules of the chain that is entered."""
        return self._new(self.name)

    def further(self, path: str) -> tuple[str, list[Rule]]:
        """One more chain, still empty: its name, and where its rules go."""
        name = self.free(path)
        return name, self._new(name)

    def first_choice(self, path: str) -> str:
        """The name that a chain has unless another has it."""
        return f"{self.name}-{_letters(path)}"[:NAME_BYTES]

    def free(self, path: str) -> str:
        """A name that none has yet."""
        more = (self.first_choice(f"{path} {salt}") for salt in count(1))
        names = chain((self.first_choice(path),), more)
        return next(name for name in names if name not in self.made)

    def done(self) -> dict[str, tuple[Rule, ...]]:
        """All chains with their rules."""
        return {name: tuple(rules) for name, rules in self.made.items()}

    def _new(self, name: str) -> list[Rule]:
        rules: list[Rule] = []
        self.made[name] = rules
        return rules


def write_rules(
    chains: Chains,
    into: list[Rule],
    atoms: Sequence[Atom],
    family: int,
    *,
    established: bool = False,
    ends: bool = False,
) -> list[Rule]:
    """Write rules in order to the end of a chain.

    Gives where it goes on for packets that none of them was about: the same chain, or another.
    With ``ends`` nothing comes after them. ``established``: see :class:`Match`.
    """
    segments = list(_segments(atoms))
    if len(segments) > _SEGMENTS:
        segments = [list(atoms)]
    for number, segment in enumerate(segments):
        if len(segment) <= WIDTH:
            into.extend(atom.rule for atom in segment)
            continue
        missed, onward = "", into
        if not (ends and number == len(segments) - 1):
            missed, onward = chains.further(f"{number} onward")
        tree = _Tree(chains, family, established, missed, f"{number}")
        tree.write(into, segment)
        if missed:
            into.append(Rule(target=missed, goto=True))
        into = onward
    return into


@dataclass(slots=True)
class _Cut:
    """Atoms by the block of an axis that they reach into; ``outside``: those that reach beyond
    all blocks. ``transport`` is that of a cut by ports."""

    axis: int
    transport: str
    blocks: dict[Interval, list[Atom]]
    outside: list[Atom]

    def cost(self) -> int:
        """What it leads to: rules in all, and the most that stay together."""
        sizes = [*map(len, self.blocks.values()), len(self.outside)]
        return sum(sizes) + max(sizes)

    def worth(self, count: int) -> bool:
        """Whether so many rules are better told apart by it: any progress is, unless it puts rules
        into several branches."""
        sizes = [*map(len, self.blocks.values()), len(self.outside)]
        if sum(sizes) == count:
            return max(sizes) < count
        return max(sizes) * 4 <= count * 3 and sum(sizes) * 2 <= count * 3 + 2 * WIDTH


@dataclass(frozen=True, slots=True)
class _Branch:
    """A branch as it was written for these atoms, ``where`` they are being its box in words.

    ``rules`` are those where it begins, in the chain ``name``; ``chains`` all that it has, with
    that one; ``inner`` the branches in it. ``plain``: all their names are the first choice.
    """

    atoms: list[Atom]
    where: str
    missed: str
    name: str
    rules: tuple[Rule, ...]
    chains: Mapping[str, tuple[Rule, ...]]
    inner: list[_Branch]
    plain: bool

    def all(self) -> Iterator[tuple[str, _Branch]]:
        """It and all that are in it, by where they are."""
        waiting = [self]
        while waiting:
            branch = waiting.pop()
            yield branch.where, branch
            waiting.extend(branch.inner)


_roots: OrderedDict[tuple[str, int, str], _Branch] = OrderedDict()
"""Trees as they were written last, by the name of their chains, family and segment: an edit of one
rule among thousands looks only into the branches that it is in."""

_KEPT = 1 << 12
"""The trees that are remembered."""


@dataclass(slots=True)
class _Tree:
    """Packets that no rule of the tree is about go to the chain ``missed``; without one they come
    to the end of theirs. ``path`` tells it from others of the same chains."""

    chains: Chains
    family: int
    established: bool
    missed: str
    path: str
    _before: dict[str, _Branch] = field(default_factory=dict)

    def write(self, into: list[Rule], atoms: list[Atom]) -> None:
        """The rules for all packets."""
        key = (self.chains.name, self.family, self.path)
        before = _roots.pop(key, None)
        if before is not None:
            self._before.update(before.all())
        root = self._branch(atoms, everything(self.family), "")
        into.extend(root.rules)
        _roots[key] = root
        if len(_roots) > _KEPT:
            _roots.popitem(last=False)

    def _branch(self, atoms: list[Atom], box: Box, where: str) -> _Branch:
        """A branch, in a chain of its own unless it is the root."""
        taken, before = self.chains.made, self._before.get(where)
        if (
            before is not None
            and before.plain
            and before.missed == self.missed
            and before.atoms == atoms
            and taken.keys().isdisjoint(before.chains)
        ):
            taken.update(before.chains)
            return before
        name = self.chains.free(f"{self.path}{where}") if where else ""
        rules: list[Rule] = []
        if name:
            taken[name] = rules
        inner: list[_Branch] = []
        self._fork(rules, atoms, box, inner)
        if name and self.missed:
            rules.append(Rule(target=self.missed, goto=True))
        chains = {name: tuple(rules)} if name else {}
        plain = not name or name == self.chains.first_choice(f"{self.path}{where}")
        for one in inner:
            chains |= one.chains
            plain = plain and one.plain
        taken.update(chains)
        return _Branch(atoms, where, self.missed, name, tuple(rules), chains, inner, plain)

    def _fork(
        self,
        into: list[Rule],
        atoms: list[Atom],
        box: Box,
        inner: list[_Branch],
    ) -> None:
        """The rules for packets within the box, in one chain; what has others is in ``inner``."""
        cut = _best_cut(atoms, box) if len(atoms) > WIDTH else None
        if cut is None:
            into.extend(atom.rule for atom in atoms)
            return
        if cut.transport:
            box = _within(box, PROTOCOL, (TRANSPORTS.index(cut.transport),) * 2)
        for block in sorted(cut.blocks):
            within = _within(box, cut.axis, block)
            members = _reached(cut.blocks[block], within, cut.axis)
            if len(members) <= _INLINE and all(_holds(within, one, cut.axis) for one in members):
                into.extend(atom.rule for atom in members)
                continue
            branch = self._branch(members, within, self._where(within))
            inner.append(branch)
            into.append(self._lead(cut, block, branch.name))
        # Whoever was led nowhere meets what is also about others; nothing changes for him by
        # meeting a rule again that wasn't about him.
        self._fork(into, cut.outside, box, inner)

    def _where(self, box: Box) -> str:
        """A box in words, whichever cuts led there."""
        all_ = everything(self.family)
        return "".join(
            f" {axis}:{low:x}-{high:x}"
            for axis, (low, high) in enumerate(box)
            if (low, high) != all_[axis]
        )

    def _lead(self, cut: _Cut, block: Interval, chain: str) -> Rule:
        match = Match(protocol=cut.transport, established=self.established)
        if cut.axis == PROTOCOL:
            match = replace(match, protocol=TRANSPORTS[block[0]])
        elif cut.axis == PORT:
            match = replace(match, ports=PortRange(first=block[0], last=block[1]))
        elif cut.axis == ASKED:
            match = replace(match, asked=PortRange(first=block[0], last=block[1]))
        elif cut.axis == SOURCE:
            match = replace(match, source=subnet(self.family, *block))
        else:
            match = replace(match, destination=subnet(self.family, *block))
        return match.rule(chain, goto=True)


def _best_cut(atoms: Sequence[Atom], box: Box) -> _Cut | None:
    """The axis that tells rules apart best; None where none does."""
    cuts = [cut for axis in _AXES if (cut := _cut(atoms, box, axis)) is not None]
    return min((cut for cut in cuts if cut.worth(len(atoms))), key=_Cut.cost, default=None)


def _cut(atoms: Sequence[Atom], box: Box, axis: int) -> _Cut | None:
    lowest, highest = box[axis]
    found = {atom.box[axis] for atom in atoms}
    bound = [one for one in found if one[0] > lowest or one[1] < highest]
    if not bound or len(found) == 1:
        return None
    transport = ""
    if axis == PORT:
        protocols = {box[PROTOCOL]} if box[PROTOCOL] != ALL_PROTOCOLS else _of(atoms, PROTOCOL)
        if len(protocols) > 1 or protocols & {ALL_PROTOCOLS, (2, 2)}:
            return None
        transport = TRANSPORTS[min(protocols)[0]]
    low = max(lowest, min(one[0] for one in bound))
    high = min(highest, max(one[1] for one in bound))
    if axis == PROTOCOL:
        low, high = 0, 1  # nothing leads to what has no ports
    bits = (low ^ high).bit_length()
    # Sizes of blocks are powers of one number, so that a rule far away doesn't shift them all.
    first, shift = low >> bits << bits, max(bits - 1, 0) // _BITS * _BITS
    last = first + (1 << bits) - 1
    blocks: dict[int, list[Atom]] = {}
    outside: list[Atom] = []
    for atom in atoms:
        begin, end = atom.box[axis]
        if begin < first or end > last:
            outside.append(atom)
            if end < first or begin > last:
                continue
            begin, end = max(begin, first), min(end, last)
        at, to = (begin - first) >> shift, (end - first) >> shift
        blocks.setdefault(at, []).append(atom)
        for block in range(at + 1, to + 1):
            blocks.setdefault(block, []).append(atom)
    size = 1 << shift
    intervals = {
        (first + at * size, first + (at + 1) * size - 1): own for at, own in blocks.items()
    }
    return _Cut(axis, transport, intervals, outside) if intervals else None


def _of(atoms: Iterable[Atom], axis: int) -> set[Interval]:
    return {atom.box[axis] for atom in atoms}


def _within(box: Box, axis: int, interval: Interval) -> Box:
    made = list(box)
    made[axis] = interval
    return cast("Box", tuple(made))


def _holds(box: Box, atom: Atom, axis: int) -> bool:
    """Whether an atom is about nothing beyond the box on this axis."""
    (low, high), (begin, end) = box[axis], atom.box[axis]
    return low <= begin and end <= high


def _reached(atoms: list[Atom], box: Box, axis: int) -> list[Atom]:
    """Without those that stand behind one that decides of everything in the box."""
    low, high = box[axis]
    for number, atom in enumerate(atoms, 1):
        begin, end = atom.box[axis]
        if begin <= low and high <= end and atom.final and _covers(atom.box, box):
            return atoms[:number] if number < len(atoms) else atoms
    return atoms


def _covers(one: Box, other: Box) -> bool:
    return all(
        begin <= low and high <= end for (begin, end), (low, high) in zip(one, other, strict=True)
    )


def _segments(atoms: Sequence[Atom]) -> Iterator[list[Atom]]:
    """Runs of rules that are about ports of one kind, or about none."""
    for _, run in groupby(atoms, key=_kind):
        yield list(run)


def _kind(atom: Atom) -> tuple[bool, bool]:
    return _narrow(atom.box[PORT]), _narrow(atom.box[ASKED])


def _narrow(ports: Interval) -> bool:
    return ports[1] - ports[0] < _WIDE


def _letters(path: str) -> str:
    """Five letters and digits that nearly always differ for different paths."""
    number = int.from_bytes(hashlib.blake2s(path.encode(), digest_size=8).digest(), "big")
    letters = ""
    while len(letters) < _LETTERS:
        number, at = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[at]
    return letters
