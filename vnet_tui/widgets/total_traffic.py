"""What flows through all networks together: the chart that stands still while a cursor moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from textual.app import ComposeResult
from textual.containers import Vertical

from vnet_tui.engine.views import HistoryPoint, Sample
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Picture
from vnet_tui.widgets.traffic_chart import TrafficChart
from vnet_tui.widgets.traffic_plot import SET_BACK, SPAN

RULE = "─" * 500
"""Longer than any terminal is wide."""

TITLE = (Cell("─ ", "dim"), Cell("all networks", "strong"), Cell(f" {RULE}", "dim"))


class TotalTraffic(Vertical):
    """Ten minutes of all networks' traffic on one chart, under a line that says so.

    It begins where one begins to look, unless it is given what each network remembers, with
    :meth:`remember`: those of all that run, or it would show too little.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seen: list[HistoryPoint] = []
        self._before: dict[float, tuple[float, float]] = {}
        self._counted: set[UUID] = set()

    def compose(self) -> ComposeResult:
        """Whose chart it is, and the chart."""
        title = Picture()
        title.show([TITLE])
        yield title
        yield TrafficChart()

    def remember(self, pasts: Mapping[UUID, Iterable[HistoryPoint]]) -> None:
        """What flowed through networks before they were looked at."""
        for uuid in pasts.keys() - self._counted:  # one that was started again is counted already
            self._counted.add(uuid)
            for point in pasts[uuid]:
                into, out = self._before.get(point.time, (0.0, 0.0))
                self._before[point.time] = (into + point.in_bits, out + point.out_bits)
        self._draw()

    def take_sample(self, sample: Sample) -> None:
        """A second more."""
        if self._seen and self._seen[-1].time - sample.time >= SET_BACK:
            self._seen, self._before = [], {}
        elif self._seen and self._seen[-1].time == sample.time:
            return  # the same, told in more or less detail
        rates = [network.traffic.rates for network in sample.networks.values()]
        point = HistoryPoint(
            time=sample.time,
            in_bits=sum(rate.in_bits for rate in rates),
            out_bits=sum(rate.out_bits for rate in rates),
        )
        self._seen.append(point)
        if self._seen[0].time < sample.time - SPAN:
            del self._seen[0]
        if len(self._seen) == 1:
            self._draw()
        else:
            self.query_one(TrafficChart).go_on(self, point)

    def _draw(self) -> None:
        first = self._seen[0].time if self._seen else float("inf")
        before = [
            HistoryPoint(time=time, in_bits=into, out_bits=out)
            for time, (into, out) in sorted(self._before.items())
            if time < first
        ]
        self.query_one(TrafficChart).show(self, [*before, *self._seen])
