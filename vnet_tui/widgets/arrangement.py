"""Which networks a list shows, in which order, and under which headings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from vnet_tui.engine.views import NetworkInfo, NetworkTraffic, State

Figures = Mapping[UUID, NetworkTraffic]

ORDER_OF_STATES = (State.DRIFTED, State.DAMAGED, State.ACTIVE, State.DEFINED)
"""What needs somebody comes first."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The line above a group: how many networks are in that state, and whether they are hidden."""

    state: State
    count: int
    folded: bool


Row = NetworkInfo | Heading


def _rate(figures: NetworkTraffic | None, name: str) -> float:
    return getattr(figures.traffic.rates, name) if figures else -1.0


_VALUES: Mapping[str, Callable[[NetworkInfo, NetworkTraffic | None], Any]] = {
    "name": lambda info, _: info.name.casefold(),
    "state": lambda info, _: ORDER_OF_STATES.index(info.state),
    "subnet": lambda info, _: [
        (each.version, int(each.network.network_address)) for each in info.addresses
    ],
    "bridge": lambda info, _: info.bridge or "",
    "autostart": lambda info, _: info.autostart,
    "guests": lambda _, figures: figures.port_count if figures else -1,
    "in": lambda _, figures: _rate(figures, "in_bits"),
    "out": lambda _, figures: _rate(figures, "out_bits"),
}

SORTABLE = tuple(_VALUES)
"""The columns that networks can be sorted by."""

LIVE = frozenset({"guests", "in", "out"})
"""Those whose order changes by itself."""

_LARGEST_FIRST = LIVE | {"autostart"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """How a list is to be shown. ``wanted`` is what was typed as a filter: every word of it must
    be in a network's name, title, state, bridge or subnets. ``reverse``: the other way round than
    the column usually goes. Groups in ``folded`` show only their headings."""

    wanted: str = ""
    column: str = "name"
    reverse: bool = False
    grouped: bool = False
    folded: frozenset[State] = frozenset()

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return (self.column in _LARGEST_FIRST) is not self.reverse

    def sorted_by(self, column: str) -> Arrangement:
        """By this column; once more by the same one: the other way round."""
        if column == self.column:
            return replace(self, reverse=not self.reverse)
        return replace(self, column=column, reverse=False)

    def next_column(self) -> Arrangement:
        """By the next column."""
        position = (SORTABLE.index(self.column) + 1) % len(SORTABLE)
        return replace(self, column=SORTABLE[position], reverse=False)

    def fold(self, state: State) -> Arrangement:
        """With that group hidden, or shown again."""
        return replace(self, folded=self.folded ^ {state})


def arrange(infos: Iterable[NetworkInfo], figures: Figures, how: Arrangement) -> tuple[Row, ...]:
    """The lines of a list."""
    words = how.wanted.casefold().split()
    shown = [info for info in infos if _has(info, words)]
    shown.sort(key=lambda info: info.name.casefold())
    value = _VALUES[how.column]
    shown.sort(key=lambda info: value(info, figures.get(info.uuid)), reverse=how.descending)
    if not how.grouped:
        return tuple(shown)
    rows: list[Row] = []
    for state in ORDER_OF_STATES:
        if members := [info for info in shown if info.state is state]:
            folded = state in how.folded
            rows.append(Heading(state, len(members), folded))
            rows += [] if folded else members
    return tuple(rows)


def _has(info: NetworkInfo, words: list[str]) -> bool:
    if not words:
        return True
    text = " ".join(
        (info.name, info.title, info.state, info.bridge or "", *map(str, info.addresses))
    ).casefold()
    return all(word in text for word in words)
