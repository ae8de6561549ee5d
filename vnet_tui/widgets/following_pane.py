"""The overview of the network under a cursor: a few lines, which each move of it writes anew."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from vnet_tui.client.connection import Connection
from vnet_tui.engine.views import HistoryPoint, NetworkInfo, NetworkTraffic
from vnet_tui.widgets.following_lines import past, subnets, told_always, told_of_some
from vnet_tui.widgets.overview_lines import totals
from vnet_tui.widgets.overview_pane import Overview, OverviewPane
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.traffic_history import TrafficHistory, Unit
from vnet_tui.widgets.traffic_plot import SPAN

SPANS = 15
"""The last ten minutes in so many blocks."""


class FollowingPane(OverviewPane):
    """Without what stands in the list's row, and without a chart: two lines of blocks take less
    than a tenth of its bytes. The rest is on the network's own screen."""

    def __init__(
        self, connection: Connection, info: NetworkInfo, clock: Callable[[], float]
    ) -> None:
        super().__init__(connection, info, clock)
        self._history = TrafficHistory()
        self._newest = 0.0

    def compose_body(self) -> ComposeResult:
        """Facts beside addresses."""
        with VerticalScroll(id="overview-scroll"):
            yield Picture(id="overview-facts")
            yield Picture(id="overview-addresses")

    def wants_history(self, info: NetworkInfo) -> bool:
        """While it runs."""
        return info.active

    def draw_history(self, points: tuple[HistoryPoint, ...]) -> None:
        """Begin it, for the facts."""
        self._history = TrafficHistory()
        self._history.remember(points)
        self._newest = points[-1].time if points else 0.0

    def go_on(self, time: float, traffic: NetworkTraffic) -> None:
        """The history goes on."""
        self._history.add(time, traffic.traffic)
        self._newest = time

    def fact_lines(self, data: Overview, traffic: NetworkTraffic | None, now: float) -> list[Line]:
        """What all have, each in its place; then what is particular."""
        lines = told_always(self.info, data.document, now) + totals(traffic)
        lines += self._past() if self.info.active else []
        return lines + told_of_some(self.info, data.plan)

    def _past(self) -> list[Line]:
        seconds = SPAN / SPANS
        means = self._history.means(Unit.BITS, self._newest, SPANS, seconds)
        pairs = [
            pair for _, pair in self._history.since(Unit.BITS, self._newest - SPAN, self._newest)
        ]
        peaks = [max((pair[way] for pair in pairs), default=0.0) for way in (0, 1)]
        return past(means, peaks)

    def address_lines(self, data: Overview, width: int) -> list[Line]:
        """Subnets, as short as they can be told."""
        return subnets(data.document, data.guests, width)
