"""The chain of one policy: adjacent rules of one shape become sets, first match kept.

Sets with one verdict each, and not verdict maps: the kernel makes the elements of a map that is
deleted invisible at once, so a packet that is on its way through the rules at that moment would
find nothing there; those of a set stay until nobody looks any more.

Every element counts what it matches, under the key of its rule as a comment. What stands alone
counts in a named counter, as do the defaults; and what a rule counted that has no element any more
is kept in one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from vnet_tui.engine.drivers.firewall.elements import group_of
from vnet_tui.engine.drivers.firewall.fragments import (
    DENY,
    NOTE,
    PASS,
    Fragment,
    Kind,
    Shape,
    Slot,
    Traits,
)
from vnet_tui.engine.drivers.firewall.groups import disjoint
from vnet_tui.engine.drivers.firewall.layout import Lookup, Names, Object
from vnet_tui.engine.drivers.firewall.matches import (
    LED,
    THERE,
    View,
    asked_match,
    asked_port_match,
    key_match,
    key_types,
    port_match,
    scope_match,
)
from vnet_tui.engine.drivers.firewall.order import gather
from vnet_tui.engine.drivers.firewall.tallies import tally
from vnet_tui.engine.resources import Forward, PolicyRule


def rate(network: str, key: str) -> str:
    """The name of the limit of a rule."""
    return f"rate_{network}_{key}"


@dataclass(slots=True)
class PolicyChain:
    """Writes a policy's rules, in order, into a chain, its lookups and its named objects.

    ``network`` is the UUID in hex. ``verdicts`` are nft's words for what becomes of packets. With
    ``deny_asked``, denied ports are those that were asked for, too. ``notes`` tells whether any
    rule wants what it lets pass to be told of.
    """

    chain: str
    network: str
    verdicts: Mapping[str, str]
    view: View = THERE
    deny_asked: bool = False
    rules: list[str] = field(default_factory=list)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    objects: dict[str, Object] = field(default_factory=dict)
    notes: bool = False
    _names: Names = field(init=False)
    _numbers: dict[Shape, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = Names(self.chain)

    def policy(self, fragments: tuple[Fragment, ...], traits: Collection[Traits]) -> None:
        """All rules of a policy, whose ``traits`` are these."""
        kind = _KIND_ASKED if self.deny_asked else _KIND
        kinds = {kind(one) for one in traits}
        if len(kinds) == 1 and all(one.apart for one in traits):
            (only,) = kinds
            if not only.shape.alone:
                self._group(only.shape, fragments)  # as they stand
                return
        for (shape, _), members in gather(fragments, kind, _ordered):
            if shape.alone:
                for fragment in members:
                    self.rules.extend(self._alone(fragment))
                continue
            for group in disjoint(members):
                self._group(shape, group)

    def default(self, verdict: str, key: str) -> None:
        """What decides the rest, counted under that key."""
        self.rules.append(f"{self._counter(key)}{self.verdicts[verdict]}")

    def _group(self, shape: Shape, group: Sequence[Fragment]) -> None:
        number = self._numbers[shape] = self._numbers.get(shape, -1) + 1
        found = group_of((self.chain, shape, number), group)
        sets = found.sets
        names: dict[tuple[int, str], str] = {}
        for slot in sorted(sets):
            elements = sets[slot]
            base = names.get((slot.version, slot.verdict))
            if base is None:
                base = self._names.next(*_about(shape, slot))
                names[slot.version, slot.verdict] = base
            name = f"{base}_ranges" if slot.interval else base
            self.lookups[name] = Lookup(
                key_types(shape, slot, self.view),
                interval=slot.interval,
                counted=slot.verdict != PASS,
                elements=elements,
            )
            verdict = self.verdicts[slot.verdict]
            self.notes = self.notes or slot.verdict == NOTE
            self.rules.append(f"{key_match(shape, slot, self.view)} @{name} {verdict}")
            if self.deny_asked and slot.verdict == DENY and shape.ports:
                self.rules.append(f"{asked_match(shape, slot, self.view)} @{name} {verdict}")
        if not found.plain:
            self._keep_counts(group, sets.values())

    def _keep_counts(self, group: Sequence[Fragment], sets: Iterable[Mapping[str, str]]) -> None:
        """Give rules that earlier ones leave no element a counter to keep what they counted in."""
        present = {comment for elements in sets for comment in elements.values()}
        for fragment in group:
            if fragment.verdict != PASS and fragment.comment not in present:
                self._counter(fragment.rule.key)

    def _alone(self, fragment: Fragment) -> Iterator[str]:
        """A rule of nft's for each address family that it is about."""
        rule = fragment.rule
        then = self.verdicts[fragment.verdict]
        self.notes = self.notes or fragment.verdict == NOTE
        if fragment.verdict != PASS:
            then = f"{self._limit(rule)}{self._counter(rule.key)}{then}"
        for atom in fragment.atoms:
            where = scope_match(fragment.shape, atom.version, atom.scope, self.view)
            ports = port_match(rule.protocol, fragment.ports, self.view)
            if isinstance(rule, Forward):
                ports = asked_port_match(rule.protocol, rule.ports)
            yield f"{where}{ports}{then}"
            if self.deny_asked and fragment.verdict == DENY and fragment.ports is not None:
                asked = asked_port_match(rule.protocol, fragment.ports)
                yield f"{where}{LED}{asked}{then}"

    def _limit(self, rule: PolicyRule | Forward) -> str:
        if rule.limit is None:
            return ""
        name = rate(self.network, rule.key)
        body = f"rate {rule.limit}/second burst {rule.limit} packets;"
        self.objects[name] = Object("limit", body)
        return f'limit name "{name}" '

    def _counter(self, key: str) -> str:
        name = tally(self.network, key)
        self.objects[name] = Object("counter")
        return f'counter name "{name}" '


def _ordered(one: Kind, other: Kind) -> bool:
    """Whether the ports of two kinds can't be compared: a connection that was led elsewhere has
    two, and denies look at both."""
    forwards = one.shape.forward or other.shape.forward
    return one.denies is not None and one.denies != other.denies and not forwards


_KIND: Callable[[Fragment | Traits], Kind] = attrgetter("kind")
_KIND_ASKED: Callable[[Fragment | Traits], Kind] = attrgetter("kind_asked")


def _about(shape: Shape, slot: Slot) -> tuple[str, str]:
    """What a group's sets are called after, and what tells them from others of that name."""
    what = "guests" if shape.forward else slot.verdict
    plain = shape.ports and not slot.version
    return f"{what}{slot.version or ''}", "" if plain else " ".join(map(str, shape))
