"""What rules of a policy are to each other, found again only where others have come or gone.

Two rules have to do with each other only if they share a port. So of a policy that differs little
from one that was looked at before, only rules that share ports with those that differ are looked at
again, together with all that share ports with them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vnet_tui.engine.alike import alike
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import PortRange, Rule

Found = Mapping[int, tuple[int, ...]]
"""Rules that are something to earlier ones, with those, all by their positions."""

Placed = Sequence[tuple[int, Rule]]
"""Rules with their positions, in order."""

_MAX_PORT = 0xFFFF

_EVERY = 0, sys.maxsize
"""All ports, those too that there can't be and that a rule may name all the same."""

_LEAST = 64
"""Rules of a policy of which it is worth to look at a part."""

_FEW = 64
"""So many rules may be looked at again for it to be worth while."""

_SPANS = 8
"""Spans of ports that may be asked about: each takes a search through all rules."""

_NARROW = 8
"""Ports of a span that are searched for one by one; for more, all rules are walked over."""

_KEPT = 16
"""The policies that are remembered."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """A policy that was looked at, which ports its rules name and lead to (a character each), how
    many of its rules are special, and what was found."""

    rules: tuple[Rule, ...]
    named: str
    led_to: str
    special: int
    found: Found


class Between:
    """``find``, asked of whole policies.

    It is given rules of a policy, and whether any rule of the whole is special. A rule may be
    something to an earlier one only by a port that it asks for (``port`` or ``destport``) and the
    earlier one names; who names no port names all.
    """

    def __init__(
        self,
        find: Callable[[Placed, bool], Found],
        special: Callable[[Rule], bool] = lambda _: False,
    ) -> None:
        self._find = find
        self._special = special
        self._looked: list[_Looked] = []
        self._answer: Memo[tuple[Rule, ...], Found] = Memo(self._look, size=1 << 6)

    def __call__(self, rules: tuple[Rule, ...]) -> Found:
        """What is found in a policy."""
        return self._answer(rules)

    def _look(self, rules: tuple[Rule, ...]) -> Found:
        looked = self._edited(rules) if len(rules) >= _LEAST else None
        if looked is None:
            special = sum(map(self._special, rules))
            found = self._find([*enumerate(rules)], special > 0)
            named, led_to = "".join(map(_name, rules)), "".join(map(_lead, rules))
            looked = _Looked(rules, named, led_to, special, found)
        if len(rules) >= _LEAST:
            self._looked = [looked, *self._looked[: _KEPT - 1]]
        return looked.found

    def _edited(self, rules: tuple[Rule, ...]) -> _Looked | None:
        """What is found, from what was; None where that would be no less work."""
        near = [one for one in self._looked if _ends_equal(one.rules, rules)]
        if not near:
            return None
        # The same objects are compared in no time.
        known = next((one for one in near if _ends_same(one.rules, rules)), near[0])
        first, last = alike(known.rules, rules)
        gone = known.rules[first : len(known.rules) - last]
        come = rules[first : len(rules) - last]
        if len(gone) + len(come) > _FEW:
            return None
        special = known.special - sum(map(self._special, gone)) + sum(map(self._special, come))
        changed = _merged(map(_named, (*gone, *come)))
        if len(changed) > _SPANS or (special > 0) != (known.special > 0):
            return None
        after = len(known.rules) - last
        named = known.named[:first] + "".join(map(_name, come)) + known.named[after:]
        led_to = known.led_to[:first] + "".join(map(_lead, come)) + known.led_to[after:]
        naming = _naming(rules, named, changed)
        asking = (at for at in (*naming, *_leading(rules, led_to, changed)) if at >= first)
        concerned = {*range(first, first + len(come)), *asking}
        asked = _merged(span for at in concerned for span in _asked(rules[at]))
        if len(concerned) > _FEW or len(asked) > _SPANS:
            return None
        if asked != changed:
            naming = _naming(rules, named, asked)
        again = self._find([(at, rules[at]) for at in naming], special > 0)
        moved = len(come) - len(gone)

        def now(at: int) -> int:
            return at if at < first else at + moved

        kept = {
            now(at): tuple(map(now, by))
            for at, by in known.found.items()
            if not first <= at < first + len(gone) and now(at) not in concerned
        }
        new = {at: by for at, by in again.items() if at in concerned}
        return _Looked(rules, named, led_to, special, dict(sorted((kept | new).items())))


def _ends_equal(one: tuple[Rule, ...], other: tuple[Rule, ...]) -> bool:
    return one[0] == other[0] or one[-1] == other[-1]


def _ends_same(one: tuple[Rule, ...], other: tuple[Rule, ...]) -> bool:
    return one[0] is other[0] or one[-1] is other[-1]


_Span = tuple[int, int]


def _named(rule: Rule) -> _Span:
    """The ports that a rule names."""
    return _EVERY if rule.port is None else _span(rule.port)


def _asked(rule: Rule) -> Iterator[_Span]:
    """The ports that a rule asks for."""
    yield _named(rule)
    if rule.destport is not None:
        yield _span(rule.destport)


def _span(ports: PortRange) -> _Span:
    return min(ports.first, ports.last), max(ports.first, ports.last)


def _merged(spans: Iterable[_Span]) -> list[_Span]:
    """The same ports in spans that are apart."""
    found: list[_Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


_SEVERAL, _NONE = chr(_MAX_PORT + 1), chr(_MAX_PORT + 2)
"""What stands for a rule that names, or leads to, more than one port, one that isn't, or none."""


def _name(rule: Rule) -> str:
    """The one port that a rule names, as the character of that number: a string is searched for one
    twenty times as fast as an array for a number."""
    return _SEVERAL if rule.port is None else _one(rule.port)


def _lead(rule: Rule) -> str:
    """The one port that a rule leads to."""
    return _NONE if rule.destport is None else _one(rule.destport)


def _one(ports: PortRange) -> str:
    single = ports.first == ports.last <= _MAX_PORT
    return chr(ports.first) if single else _SEVERAL


def _naming(rules: tuple[Rule, ...], named: str, spans: list[_Span]) -> list[int]:
    """The rules that name any of these ports, in order."""
    return [
        at
        for at in _candidates(named, spans)
        if (ports := rules[at].port) is None or _meets(ports, spans)
    ]


def _leading(rules: tuple[Rule, ...], led_to: str, spans: list[_Span]) -> list[int]:
    """The rules that lead to any of these ports."""
    return [
        at
        for at in _candidates(led_to, spans)
        if (ports := rules[at].destport) is not None and _meets(ports, spans)
    ]


def _meets(ports: PortRange, spans: list[_Span]) -> bool:
    return any(ports.first <= high and ports.last >= low for low, high in spans)


def _candidates(ports: str, spans: list[_Span]) -> Iterable[int]:
    """The positions of what may have to do with these ports, in order."""
    if any(high - low >= _NARROW for low, high in spans):
        return range(len(ports))
    asked = (port for low, high in spans for port in range(low, min(high, _MAX_PORT) + 1))
    wanted = {_SEVERAL, *map(chr, asked)}
    return sorted(at for port in wanted for at in _places(ports, port))


def _places(ports: str, port: str) -> Iterator[int]:
    at = ports.find(port)
    while at >= 0:
        yield at
        at = ports.find(port, at + 1)
