"""A network at a glance: what it is, how it is, its addresses, and what waits to be applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget

from vnet_tui.client.connection import Connection
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.model import Network
from vnet_tui.engine.views import Guest, HistoryPoint, NetworkInfo, NetworkTraffic, Preview
from vnet_tui.staging import staging_of
from vnet_tui.widgets.document import read_document
from vnet_tui.widgets.overview_lines import addressing, edited, facts, pending, totals
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.pending_lines import edits
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.traffic_chart import TrafficChart

SIDE_BY_SIDE = 110
"""From this width on, in cells, facts and addresses stand beside each other."""

FACTS_WIDTH = 60

TALL = 26
"""From this height on, in lines, there is room for the chart of the traffic, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All that is told. ``plan`` is what would be done to apply a pending definition, or why that
    can't be said; ``history`` is empty where there is no room for it."""

    document: Network
    guests: tuple[Guest, ...]
    plan: Preview | VnetError
    history: tuple[HistoryPoint, ...]


class OverviewPane(Pane[Overview]):
    """Facts, the addresses drawn as bars, and the traffic where there is room for its chart."""

    TITLE = "Overview"

    def __init__(
        self, connection: Connection, info: NetworkInfo, clock: Callable[[], float]
    ) -> None:
        super().__init__(connection, info, clock)
        self._data: Overview | None = None
        self._traffic: NetworkTraffic | None = None

    def compose_body(self) -> ComposeResult:
        """Facts, what waits and addresses, in what scrolls if it must."""
        with VerticalScroll(id="overview-scroll"):
            yield Picture(id="overview-facts")
            yield Picture(id="overview-addresses")
        yield TrafficChart(id="overview-chart")

    def on_mount(self) -> None:
        """Follow what is staged."""
        self.watch(self.app, "staged", lambda: self._draw_facts(self.clock()), init=False)

    @property
    def focus_target(self) -> Widget:
        """What scrolls."""
        return self.query_one("#overview-scroll")

    async def fetch(self, info: NetworkInfo) -> Overview:
        """The document, who uses addresses, and the plan where the network isn't as defined."""
        plan: Preview | VnetError = Preview()
        if info.unsettled:
            try:
                plan = await self.connection.plan("apply", [info.uuid])
            except VnetError as error:
                plan = error
        return Overview(
            document=await read_document(self.connection, info.uuid),
            guests=await self.connection.guests(info.uuid) if info.active else (),
            plan=plan,
            history=await self.connection.history(info.uuid) if self.wants_history(info) else (),
        )

    def wants_history(self, info: NetworkInfo) -> bool:
        """Whether there is something to show it in: the chart, where there is room for it."""
        return info.active and self.has_class("-wide") and self.has_class("-tall")

    def present(self, data: Overview) -> None:
        """Draw all of it."""
        self._data = data
        if not self.info.active:
            self._traffic = None
        self.draw_history(data.history)
        self._draw_facts(self.clock())
        self._draw_addresses()

    def draw_history(self, points: tuple[HistoryPoint, ...]) -> None:
        """Begin the chart."""
        self.set_class(self.wants_history(self.info), "-charting")
        self.query_one(TrafficChart).show(self.info.uuid, points)

    def take_sample(self, time: float, traffic: NetworkTraffic | None) -> None:
        """Totals go up, and so does the time that it has been running."""
        self._traffic = traffic
        if self.presented != self.info.uuid:
            return  # what is known is of the network before
        if traffic is not None:
            self.go_on(time, traffic)
        self._draw_facts(time)

    def go_on(self, time: float, traffic: NetworkTraffic) -> None:
        """The chart goes on."""
        if self.has_class("-charting"):
            self.query_one(TrafficChart).add(self.info.uuid, time, traffic.traffic.rates)

    def on_resize(self) -> None:
        """Bars are as long as there is room; the chart comes and goes with it."""
        charted = self.wants_history(self.info)
        self.set_class(self.size.width >= SIDE_BY_SIDE, "-wide")
        self.set_class(self.size.height >= TALL, "-tall")
        self._draw_addresses()
        if charted != self.wants_history(self.info):
            self.open(self.info)

    def _draw_facts(self, now: float) -> None:
        if self._data is None:
            return
        draft = staging_of(self).staged.drafts.get(self.info.uuid)
        lines = self.fact_lines(self._data, self._traffic if self.info.active else None, now)
        lines += edited(edits(draft) if draft is not None else "")
        self.query_one("#overview-facts", Picture).show(lines)

    def _draw_addresses(self) -> None:
        if self._data is None:
            return
        width = self.size.width - (FACTS_WIDTH if self.has_class("-wide") else 0) - 3
        self.query_one("#overview-addresses", Picture).show(self.address_lines(self._data, width))

    def fact_lines(self, data: Overview, traffic: NetworkTraffic | None, now: float) -> list[Line]:
        """What the network is, how it is, and what waits."""
        lines = facts(self.info, data.document, now) + totals(traffic)
        return lines + pending(self.info, data.plan)

    def address_lines(self, data: Overview, width: int) -> list[Line]:
        """Who has which addresses, in so many cells."""
        return addressing(data.document, data.guests, width)
