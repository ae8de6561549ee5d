"""All networks and their ports, a row each: in and out now, and over the last minute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from vnet_tui.units import RATE_WIDTH
from vnet_tui.widgets.blocks import sparkline
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.live_table import EMPTY, Cell, LiveTable
from vnet_tui.widgets.monitor_places import Place
from vnet_tui.widgets.traffic_history import TrafficHistory, Unit
from vnet_tui.widgets.traffic_plot import nice_scale

SPANS, SPAN_SECONDS = 12, 5.0
"""A row's history: so many characters of so many seconds each."""

COLUMNS = (
    Column(key="name", label="link, network, port", width=16, grow=2, most=36),
    Column(key="in", label="↓ in", width=RATE_WIDTH, justify="right"),
    Column(key="in-past", label="last min", width=SPANS),
    Column(key="out", label="↑ out", width=RATE_WIDTH, justify="right"),
    Column(key="out-past", label="last min", width=SPANS),
    Column(key="scale", label="scale", width=RATE_WIDTH, justify="right"),
)


class Scale(Enum):
    """Where the axes end."""

    FIT = "fit"
    FIXED = "fixed"
    LINK = "link rate"

    def next(self, unit: Unit) -> Scale:
        """The one that comes after it, among those that the unit has."""
        order = [one for one in Scale if one is not Scale.LINK or unit.value.bit is not None]
        return order[(order.index(self) + 1) % len(order)] if self in order else Scale.FIT


class MonitorTable(LiveTable[Place]):
    """The rows of the moment that is looked at; in and out of a row are on one scale."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)
        self._pasts: dict[Place, tuple[object, tuple[Cell, Cell, Cell]]] = {}

    def show(
        self,
        rows: Sequence[tuple[Place, str]],
        histories: Mapping[Place, TrafficHistory],
        unit: Unit,
        moment: float,
        top: Callable[[Place], float | None],
    ) -> None:
        """These places under these names, as they were at a moment; ``top`` is the end of a
        place's scale, or None where that is as it fits."""
        self._pasts = {place: self._pasts[place] for place, _ in rows if place in self._pasts}
        self.set_rows(
            (place, self._figures(place, name, histories.get(place), unit, moment, top(place)))
            for place, name in rows
        )

    def forget(self, place: Place) -> None:
        """More is known of its past: draw that anew the next time."""
        self._pasts.pop(place, None)

    def _figures(
        self,
        place: Place,
        name: str,
        history: TrafficHistory | None,
        unit: Unit,
        moment: float,
        top: float | None,
    ) -> tuple[Cell, ...]:
        role = "accent" if place.network is None else "strong"
        title = Cell(f"  {name}") if place.network and place.port else Cell(name, role)
        if history is None:
            return (title, *(EMPTY,) * (len(COLUMNS) - 1))
        into, out = history.at(unit, moment) or (None, None)
        in_past, out_past, scale = self._past(place, history, unit, moment, top)
        return (
            title,
            _figure(into, unit, "in"),
            in_past,
            _figure(out, unit, "out"),
            out_past,
            scale,
        )

    def _past(
        self,
        place: Place,
        history: TrafficHistory,
        unit: Unit,
        moment: float,
        top: float | None,
    ) -> tuple[Cell, Cell, Cell]:
        """The last minute, in and out, and up to where; made anew when a span is over."""
        shown = (history, unit, moment // SPAN_SECONDS, top)
        if (known := self._pasts.get(place)) is not None and known[0] == shown:
            return known[1]
        into, out = history.means(unit, moment, SPANS, SPAN_SECONDS)
        peak = max((value for value in (*into, *out) if value is not None), default=0.0)
        end = top if top is not None else nice_scale(peak, unit.value.least)
        made = (
            Cell(sparkline(into, end), "in"),
            Cell(sparkline(out, end), "out"),
            Cell(unit.value.form(end), "dim"),
        )
        self._pasts[place] = (shown, made)
        return made


def _figure(value: float | None, unit: Unit, role: str) -> Cell:
    if value is None:
        return Cell("–", "dim")
    return Cell(unit.value.form(value), role if value >= 0.5 else "dim")
