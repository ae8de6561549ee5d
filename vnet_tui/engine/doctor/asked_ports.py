"""Which ports of a range are worth following: foreign rules may be about some of them only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from vnet_tui.engine.doctor.tables import Table
from vnet_tui.engine.model import PortRange

_FEW = 4
"""So many ports are all followed."""

_MOST = 16
"""Of more, so many at most."""

_NUMBER = re.compile(r"\b\d{1,5}\b")


def named_numbers(tables: Iterable[Table]) -> frozenset[int]:
    """The numbers that rules of others say, ports among them."""
    rules = (rule for table in tables for chain in table.chains.values() for rule in chain.rules)
    return frozenset(int(number) for rule in rules for number in _NUMBER.findall(rule.text))


def worth_following(asked: PortRange, led: PortRange, named: frozenset[int]) -> Iterator[int]:
    """Places in a range that is ``asked`` for and perhaps ``led`` to another one (else the same):
    where they begin and end, and those that others' rules name."""
    last = len(asked) - 1
    places = {0, last}
    if last < _FEW:
        places |= {*range(last)}
    else:
        ranges = (asked, led) if len(led) > 1 else (asked,)
        places |= {number - one.first for number in named for one in ranges} & {*range(last)}
    return iter(sorted({*sorted(places)[: _MOST - 1], last}))
