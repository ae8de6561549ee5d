"""What a screen keeps of the traffic of one network or port: ten minutes, a point a second."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from vnet_tui.engine.views import HistoryPoint, Traffic
from vnet_tui.units import bit_rate, byte_rate, byte_size, packet_rate
from vnet_tui.widgets.traffic_plot import HOLD, SET_BACK, SPAN

TRIM = 60
"""So many points more than a span needs are let go at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How figures of a unit are told: in a word, as text of at most nine cells, on an axis that
    ends no lower than ``least``. ``bit`` is what a bit a second is in the unit, if links have a
    rate in it."""

    word: str
    form: Callable[[float], str]
    least: float
    bit: float | None = None


class Unit(Enum):
    """What of the traffic is looked at."""

    BITS = Measure(word="bits/s", form=bit_rate, least=1000.0, bit=1.0)
    BYTES = Measure(word="bytes/s", form=byte_rate, least=100.0, bit=1 / 8)
    PACKETS = Measure(word="packets/s", form=packet_rate, least=10.0)
    DROPS = Measure(word="dropped packets/s", form=packet_rate, least=10.0)
    TOTALS = Measure(word="bytes in total", form=byte_size, least=1000.0)

    @property
    def next(self) -> Unit:
        """The unit that comes after it, round and round."""
        units = list(Unit)
        return units[(units.index(self) + 1) % len(units)]


Pair = tuple[float, float]
"""In and out."""

KEPT = {
    Unit.BITS: (Unit.BITS, 1.0),
    Unit.BYTES: (Unit.BITS, 1 / 8),
    Unit.PACKETS: (Unit.PACKETS, 1.0),
    Unit.DROPS: (Unit.DROPS, 1.0),
    Unit.TOTALS: (Unit.TOTALS, 1.0),
}
"""From which figures that are kept each unit comes, and by what factor."""


class TrafficHistory:
    """Points in the order of their times. Figures that aren't known are NaN inside, and passed
    over outside: the engine remembers bits only."""

    def __init__(self) -> None:
        self._times = array("d")
        self._figures = {unit: (array("d"), array("d")) for unit in Unit if KEPT[unit][0] is unit}

    def add(self, time: float, traffic: Traffic) -> None:
        """A second's figures; those of a second that is known already are passed over."""
        if self._times and time <= self._times[-1]:
            if self._times[-1] - time < SET_BACK:
                return
            self._cut(len(self._times))
        rates, totals = traffic.rates, traffic.totals
        self._times.append(time)
        for unit, pair in (
            (Unit.BITS, (rates.in_bits, rates.out_bits)),
            (Unit.PACKETS, (rates.in_packets, rates.out_packets)),
            (Unit.DROPS, (rates.in_drops, rates.out_drops)),
            (Unit.TOTALS, (float(totals.in_bytes), float(totals.out_bytes))),
        ):
            for figures, value in zip(self._figures[unit], pair, strict=True):
                figures.append(value)
        if (old := bisect_left(self._times, time - SPAN)) > TRIM:
            self._cut(old)

    def remember(self, points: Iterable[HistoryPoint]) -> None:
        """What was before anybody looked, oldest first."""
        first = self._times[0] if self._times else math.inf
        before = [point for point in points if point.time < first]
        unknown = array("d", [math.nan]) * len(before)
        self._times = array("d", [point.time for point in before]) + self._times
        for unit, (into, out) in self._figures.items():
            if unit is Unit.BITS:
                into = array("d", [point.in_bits for point in before]) + into
                out = array("d", [point.out_bits for point in before]) + out
            else:
                into, out = unknown + into, unknown + out
            self._figures[unit] = (into, out)

    def _cut(self, count: int) -> None:
        for kept in (self._times, *(one for pair in self._figures.values() for one in pair)):
            del kept[:count]

    def since(self, unit: Unit, start: float, end: float) -> Iterator[tuple[float, Pair]]:
        """The points from ``start`` (exclusive) to ``end``, oldest first."""
        kept, factor = KEPT[unit]
        into, out = self._figures[kept]
        first, last = bisect_right(self._times, start), bisect_right(self._times, end)
        for index in range(first, last):
            if not math.isnan(into[index]):
                yield self._times[index], (into[index] * factor, out[index] * factor)

    def at(self, unit: Unit, moment: float) -> Pair | None:
        """The figures of a moment; None where they aren't known."""
        found = [pair for _, pair in self.since(unit, moment - HOLD, moment)]
        return found[-1] if found else None

    def means(
        self, unit: Unit, end: float, count: int, seconds: float
    ) -> tuple[Sequence[float | None], Sequence[float | None]]:
        """Means, in and out, over the ``count`` spans of ``seconds`` each that were over at
        ``end``; spans lie on multiples of ``seconds``, so that all histories move together."""
        last = end // seconds
        sums: dict[int, tuple[int, float, float]] = {}
        start = (last - count) * seconds
        for time, (into, out) in self.since(unit, math.nextafter(start, 0), last * seconds):
            index = int((time - start) // seconds)
            number, in_sum, out_sum = sums.get(index, (0, 0.0, 0.0))
            sums[index] = (number + 1, in_sum + into, out_sum + out)
        found = [sums.get(index) for index in range(count)]
        return (
            [one[1] / one[0] if one else None for one in found],
            [one[2] / one[0] if one else None for one in found],
        )
