"""The chart of a network's traffic over the last ten minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal

from vnet_tui.engine.views import HistoryPoint
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.traffic_plot import SPAN, Columns, bars, nice_scale, time_axis
from vnet_tui.widgets.units import bit_rate

_LABELS = 10
"""The width of the scale beside the chart, in characters."""


class TrafficChart(Horizontal):
    """*In* rises above a time axis, *out* falls below it, both on one scale, which is shown.

    It costs few bytes on a slow link. Only whole characters move, every ten minutes divided by the
    chart's width (5.6 s at 107 characters); in between, only the newest character is redrawn.
    That one is a widget of its own, because Textual writes a changed line from the left edge of
    its widget on.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._points: deque[HistoryPoint] = deque()
        self._columns = Columns(1)
        self._drawn_scale = 0.0

    def compose(self) -> ComposeResult:
        """The scale, what has been, and what is."""
        yield Picture(id="chart-scale")
        yield Picture(id="chart-past")
        yield Picture(id="chart-newest")

    def show(self, points: Iterable[HistoryPoint]) -> None:
        """Start anew with these points, oldest first."""
        self._points = deque(points)
        self._rebuild()

    def add(self, point: HistoryPoint) -> None:
        """Go on with one more point."""
        if self._points and point.time <= self._points[-1].time:
            return
        self._points.append(point)
        while self._points[0].time < point.time - SPAN:
            self._points.popleft()
        moved = self._columns.add(point.time, point.in_bits, point.out_bits)
        self._draw(moved=moved)

    def on_resize(self) -> None:
        """Another width means other columns."""
        self._rebuild()

    def _rebuild(self) -> None:
        past = self.query_one("#chart-past", Picture).size.width or self.size.width - _LABELS - 1
        self._columns = Columns(past + 1)
        for point in self._points:
            self._columns.add(point.time, point.in_bits, point.out_bits)
        self._draw(moved=True)

    def _draw(self, *, moved: bool) -> None:
        rows = (self.size.height - 1) // 2
        if rows < 1 or self.size.width <= _LABELS + 1:
            return
        scale = nice_scale(self._columns.peak)
        shown = self._columns.visible()
        if scale != self._drawn_scale or moved:
            moved = True
            self._drawn_scale = scale
            self.query_one("#chart-scale", Picture).show(_scale_lines(scale, rows))
        else:
            shown = shown[-2:]
        axis = time_axis(self._columns.cells, self._columns.seconds, self._columns.known)
        rising = bars([column.in_bits if column else 0.0 for column in shown], scale, rows)
        falling = bars(
            [column.out_bits if column else 0.0 for column in shown], scale, rows, falling=True
        )
        lines = [
            *((text, "in") for text in rising),
            (axis, "dim"),
            *((text, "out") for text in falling),
        ]
        if moved:
            past = [(Cell(text[:-1], role),) for text, role in lines]
            self.query_one("#chart-past", Picture).show(past)
        newest = [(Cell(text[-1:], role),) for text, role in lines]
        self.query_one("#chart-newest", Picture).show(newest)


def _scale_lines(scale: float, rows: int) -> list[Line]:
    """The scale: its end at the top and at the bottom, half of it between, zero in the middle."""
    texts = [""] * (2 * rows + 1)
    texts[0] = texts[-1] = bit_rate(scale).strip()
    texts[rows] = "0"
    if rows >= 4:
        texts[rows // 2] = texts[-1 - rows // 2] = bit_rate(scale / 2).strip()
    if rows >= 3:
        texts[rows - 1], texts[rows + 1] = "↓ in", "↑ out"
    roles = ["in"] * rows + ["dim"] + ["out"] * rows
    return [
        (Cell(f"{text:>{_LABELS - 1}} ", role),) for text, role in zip(texts, roles, strict=True)
    ]
