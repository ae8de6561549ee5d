"""The traffic of the host's links, of all networks and their ports: now, and for ten minutes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from vnet_tui import actions
from vnet_tui.assets import style_sheet
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.views import HistoryPoint
from vnet_tui.feed import feed_of
from vnet_tui.screens.filtered import FilteredScreen
from vnet_tui.units import clock as time_of_day, duration
from vnet_tui.widgets.filter_line import FilterLine
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import Cell, LiveTable
from vnet_tui.widgets.monitor_places import (
    Place,
    chosen,
    link_rate,
    names_of,
    places,
    title_of,
)
from vnet_tui.widgets.monitor_table import MonitorTable, Scale
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.traffic_chart import TrafficChart
from vnet_tui.widgets.traffic_history import TrafficHistory, Unit
from vnet_tui.widgets.traffic_plot import SPAN, nice_scale
from vnet_tui.widgets.ways_out import Links

if TYPE_CHECKING:
    from pathlib import Path

    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.views import NetworkInfo, Sample, Traffic

STEP = 10.0
"""By so many seconds the arrows go back and on in time."""

FAR = 60.0
"""And by so many with shift."""

PASTS = 200
"""For so many rows the past is asked for; others fill theirs as it passes."""

GATHER = 0.2
"""Seconds in which answers are gathered to be shown together."""

TRAFFIC_TAB = 3
"""What of a network is opened."""


class MonitorScreen(FilteredScreen):
    """A row for each link of the host, each network and each port, and a chart of the one under the
    cursor."""

    WAY = "monitor"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        style_sheet(name) for name in ("app", "network", "monitor")
    ]
    HELP = """\
# Monitor

What flows, and what flowed in the last ten minutes: *in* (↓) towards the guests, *out* (↑) from
them. At the top are the links by which this host reaches the world, at the end its others.

**v** changes the scale, **U** the unit, **h** holds it, **←** and **→** go through the time, with
shift a minute at once; **/** filters by words in names; **w** writes what is shown to a file.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(action.binding() for action in actions.MONITOR_ACTIONS),
        Binding("shift+left", f"step({-FAR})", show=False, tooltip="A minute back"),
        Binding("shift+right", f"step({FAR})", show=False, tooltip="A minute on"),
    ]

    class Remembered(Message, bubble=False):
        """What flowed before anybody looked."""

        def __init__(self, pasts: Mapping[Place, Sequence[HistoryPoint]]) -> None:
            super().__init__()
            self.pasts = pasts

    def __init__(
        self, place: Place | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        """``place`` is where the cursor begins, if there is such a one."""
        super().__init__()
        self._clock = clock
        self._begin = place
        self._histories: dict[Place, TrafficHistory] = {}
        self._asked: set[Place] = set()
        self._unit = Unit.BITS
        self._scale = Scale.FIT
        self._fixed = 0.0
        self._held: float | None = None
        self._latest = 0.0

    def compose(self) -> ComposeResult:
        """What is shown and how, the rows, the chart of one of them, the filter."""
        yield Picture(id="monitor-title")
        yield MonitorTable(id="monitor-table")
        yield Picture(id="monitor-row")
        yield TrafficChart(id="monitor-chart")
        yield FilterLine("words in the names of links, networks and ports")
        yield KeyLine()

    def on_mount(self) -> None:
        """What is known, and what comes."""
        feed = feed_of(self)
        feed.look_at(self, None)
        self.watch(feed, "networks", self._take_networks)
        self.watch(feed, "sample", self._take_sample)
        self.filtered.focus()
        self.draw_filtered()

    def on_unmount(self) -> None:
        """Ports needn't be told any more."""
        feed_of(self).look_away(self)

    @property
    def filtered(self) -> MonitorTable:
        """The rows."""
        return self.query_one(MonitorTable)

    # -- from the connection --------------------------------------------------------------------

    def _take_networks(self) -> None:
        self._draw_rows()

    def _take_sample(self, sample: Sample | None) -> None:
        if sample is None:
            return
        self._latest = sample.time
        before = self._histories
        self._histories = {}
        for place, traffic in _figures(sample):
            history = before.get(place) or TrafficHistory()
            history.add(sample.time, traffic)
            self._histories[place] = history
        self._look_back()
        if self._held is None:
            self._draw_rows()
            self._go_on()
        self._draw_title()

    def _look_back(self) -> None:
        """Ask for the past of rows that are new."""
        connection = feed_of(self).connection
        new = [place for place in self._histories if place not in self._asked]
        new = new[: max(0, PASTS - len(self._asked))]
        if new and connection is not None:
            self._asked.update(new)
            self.run_worker(self._remember(connection, new), group="past")

    async def _remember(self, connection: Connection, places: Sequence[Place]) -> None:
        clock = asyncio.get_running_loop().time
        found: dict[Place, Sequence[HistoryPoint]] = {}
        told = clock()
        for place in places:
            await asyncio.sleep(0)  # an engine in this process may answer without a pause
            with suppress(VnetError):  # it stopped meanwhile
                found[place] = await connection.history(place.network, place.port)
            if clock() - told >= GATHER:
                self.post_message(self.Remembered(found))
                found, told = {}, clock()
        self.post_message(self.Remembered(found))

    def on_monitor_screen_remembered(self, message: Remembered) -> None:
        """The past goes before what was seen."""
        for place, points in message.pasts.items():
            if (history := self._histories.get(place)) is not None:
                history.remember(points)
                self.filtered.forget(place)
        self._draw_rows()
        if self.filtered.cursor_key in message.pasts:
            self._draw_chart()

    # -- what is shown --------------------------------------------------------------------------

    @property
    def _moment(self) -> float:
        return self._latest if self._held is None else self._held

    @property
    def _infos(self) -> tuple[NetworkInfo, ...]:
        return feed_of(self).networks or ()

    @property
    def _links(self) -> Links:
        sample = feed_of(self).sample
        return sample.links if sample is not None else {}

    def _top(self, place: Place) -> float | None:
        """Where the axes of a place end; None: where it fits."""
        if self._scale is Scale.FIXED:
            return self._fixed
        bit = self._unit.value.bit
        if self._scale is Scale.FIT or bit is None:
            return None
        rate = link_rate(place, self._links)
        return rate * bit if rate is not None else None

    def _places(self) -> list[Place]:
        """Those that are shown, as the filter has it."""
        found = places(self._infos, self._histories, self._links)
        left = chosen(found, self._infos, self.wanted)
        self.query_one(FilterLine).tell(len(left), len(found))
        return left

    def draw_filtered(self) -> None:
        """Everything anew."""
        self._draw_title()
        self._draw_rows()
        self._draw_chart()

    def _draw_title(self) -> None:
        form = self._unit.value.form
        line = [
            Cell("Monitor", "strong"),
            Cell(f"  {self._unit.value.word}", "accent"),
            Cell(" · scale "),
            Cell(self._scale.value, "accent"),
        ]
        end = self._top(Place(None))
        if end is not None:
            line.append(Cell(f" {form(end).strip()}"))
        if self._held is not None:
            ago = duration(self._latest - self._held)
            line.append(Cell(f" · held at {time_of_day(self._held)}, {ago} ago", "warn"))
        if self._scale is Scale.LINK:
            other = "the uplink's where a row has none" if end else "no uplink tells one"
            line.append(Cell(f" · {other}", "dim" if end else "warn"))
        if end is None:
            line.append(Cell(" · each row its own", "dim"))
        self.query_one("#monitor-title", Picture).show([tuple(line)])

    def _draw_rows(self) -> None:
        names = names_of(self._infos)
        rows = [(place, place.port or names.get(place.network, "")) for place in self._places()]
        self.filtered.show(rows, self._histories, self._unit, self._moment, self._top)
        if self._begin is not None and self._begin in self.filtered:
            self.filtered.move_to(self._begin)
            self._begin = None

    @on(LiveTable.Highlighted)
    def _draw_chart(self) -> None:
        place = self.filtered.cursor_key
        self.query_one("#monitor-row", Picture).show([self._row_title(place)])
        unit = self._unit.value
        chart = self.query_one(TrafficChart)
        chart.measure(unit.form, unit.least, self._top(place) if place is not None else None)
        end = "now" if self._held is None else time_of_day(self._held)
        chart.show(place, self._points(place, SPAN), end=end)

    def _go_on(self) -> None:
        """The chart gets the newest point."""
        place = self.filtered.cursor_key
        for point in self._points(place, 0.0):
            self.query_one(TrafficChart).go_on(place, point)

    def _points(self, place: Place | None, span: float) -> list[HistoryPoint]:
        """Up to the moment that is looked at; with a span of 0, that one alone."""
        history = self._histories.get(place) if place is not None else None
        if history is None:
            return []
        end = self._moment
        start = end - span if span else end - 1e-3
        return [
            HistoryPoint(time=moment, in_bits=pair[0], out_bits=pair[1])
            for moment, pair in history.since(self._unit, start, end)
        ]

    def _row_title(self, place: Place | None) -> Line:
        """Whose chart it is."""
        if place is not None:
            return title_of(place, self._infos, self._links)
        nothing = "Nothing has these words." if self.wanted else "There is nothing to watch."
        return (Cell(nothing, "dim"),)

    # -- what keys do ---------------------------------------------------------------------------

    def action_hold(self) -> None:
        """Let it stand still, or go on."""
        self._held = self._latest if self._held is None and self._latest else None
        self.draw_filtered()

    def action_next_unit(self) -> None:
        """Another unit has a scale of its own."""
        self._unit = self._unit.next
        if self._scale is not Scale.FIT:
            self._scale = Scale.FIT
        self.draw_filtered()

    def action_next_view(self) -> None:
        """Another scale; a fixed one has room for all that can be seen."""
        self._scale = self._scale.next(self._unit)
        if self._scale is Scale.FIXED:
            end = self._moment
            peak = max(
                (
                    max(pair)
                    for history in self._histories.values()
                    for _, pair in history.since(self._unit, end - SPAN, end)
                ),
                default=0.0,
            )
            self._fixed = nice_scale(peak, self._unit.value.least)
        self.draw_filtered()

    def action_back_in_time(self) -> None:
        """A little earlier."""
        self.action_step(-STEP)

    def action_on_in_time(self) -> None:
        """A little later."""
        self.action_step(STEP)

    def action_step(self, seconds: float) -> None:
        """Go through what is kept; beyond its end, go on as it comes."""
        if not self._latest:
            return
        wanted = max(self._moment + seconds, self._latest - SPAN)
        self._held = wanted if wanted < self._latest else None
        self.draw_filtered()

    def action_write(self) -> None:
        """Ask for a file."""
        from vnet_tui.screens.export_file import ExportFileScreen
        from vnet_tui.widgets.traffic_export import Exported

        unit, end = self._unit, self._moment
        names = names_of(self._infos)
        figures = [
            Exported(moment, names.get(place.network, ""), place.port or "", unit.value.word, *pair)
            for place in self._places()
            for moment, pair in self._histories[place].since(unit, end - SPAN, end)
        ]

        def written(path: Path | None) -> None:
            if path is not None:
                self.notify(f"{path} is written: {len(figures)} figures.")

        self.app.push_screen(ExportFileScreen(figures, "monitor.csv"), written)

    @on(LiveTable.Selected)
    def _open(self, message: LiveTable.Selected) -> None:
        """The network of the row."""
        connection = feed_of(self).connection
        if connection is None:
            return
        if message.key.network is None:
            self.notify(f"{message.key.port} is this host's own: there is no network to open.")
            return
        from vnet_tui.screens.network import NetworkScreen

        self.app.push_screen(
            NetworkScreen(connection, message.key.network, tab=TRAFFIC_TAB, clock=self._clock)
        )


def _figures(sample: Sample) -> Iterator[tuple[Place, Traffic]]:
    """What a sample tells, place by place."""
    for name, link in sample.links.items():
        yield Place(None, name), link.traffic
    for uuid, network in sample.networks.items():
        yield Place(uuid), network.traffic
        for port, traffic in network.ports.items():
            yield Place(uuid, port), traffic
