"""The chart of a network's traffic over the last ten minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal

from vnet_tui.engine.views import HistoryPoint, Rates
from vnet_tui.units import bit_rate
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.traffic_plot import (
    SET_BACK,
    SMALLEST_SCALE,
    SPAN,
    Columns,
    Layout,
    bars,
    layout,
    time_axis,
)

_LABELS = 10
"""The width of the scale beside the chart, in characters."""


class TrafficChart(Horizontal):
    """*In* rises above a time axis, *out* falls below it, on one scale, which is shown: a row is
    the same rate in both.

    It costs few bytes on a slow link. Only whole characters move, every ten minutes divided by the
    chart's width (5.6 s at 107 characters); in between, only the newest character is redrawn.
    That one is a widget of its own, because Textual writes a changed line from the left edge of
    its widget on.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._subject: Hashable = None
        self._points: deque[HistoryPoint] = deque()
        self._columns = Columns(1)
        self._drawn: Layout | None = None
        self._form: Callable[[float], str] = bit_rate
        self._least = SMALLEST_SCALE
        self._top: float | None = None
        self._end = "now"

    def compose(self) -> ComposeResult:
        """The scale, what has been, and what is."""
        yield Picture(id="chart-scale")
        yield Picture(id="chart-past")
        yield Picture(id="chart-newest")

    def measure(self, form: Callable[[float], str], least: float, top: float | None) -> None:
        """From the next :meth:`show` on points are in another unit than bits a second: ``form``
        writes it, the scale ends at ``least`` at least, or just at ``top``."""
        self._form, self._least, self._top = form, least, top

    def show(self, subject: Hashable, points: Iterable[HistoryPoint], *, end: str = "now") -> None:
        """Start anew with these points of a network or a port, oldest first; ``end`` names the
        moment of the last."""
        self._subject = subject
        self._points = deque(points)
        self._end = end
        self._rebuild()

    def add(self, subject: Hashable, moment: float, rates: Rates) -> None:
        """Go on with a second's rates."""
        point = HistoryPoint(time=moment, in_bits=rates.in_bits, out_bits=rates.out_bits)
        self.go_on(subject, point)

    def go_on(self, subject: Hashable, point: HistoryPoint) -> None:
        """Go on with a point; those of what isn't shown, and those that were shown already, are
        passed over."""
        if subject != self._subject:
            return
        if self._points and point.time <= self._points[-1].time:
            if self._points[-1].time - point.time < SET_BACK:
                return
            self.show(subject, ())
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
        rows = self.size.height - 1
        if rows < 2 or self.size.width <= _LABELS + 1:
            return
        plan = layout(*self._columns.peaks, rows, least=self._least, top=self._top)
        shown = self._columns.visible()
        if plan != self._drawn or moved:
            moved = True
            self._drawn = plan
            self.query_one("#chart-scale", Picture).show(_scale_lines(plan, self._form))
        else:
            shown = shown[-2:]
        in_bits = [column.in_bits if column else 0.0 for column in shown]
        out_bits = [column.out_bits if column else 0.0 for column in shown]
        columns = self._columns
        axis = time_axis(columns.cells, columns.seconds, columns.known, self._end)
        lines = [
            *((text, "in") for text in bars(in_bits, plan.in_scale, plan.in_rows)),
            (axis, "dim"),
            *(
                (text, "out")
                for text in bars(out_bits, plan.out_scale, plan.out_rows, falling=True)
            ),
        ]
        if moved:
            past = [(Cell(text[:-1], role),) for text, role in lines]
            self.query_one("#chart-past", Picture).show(past)
        newest = [(Cell(text[-1:], role),) for text, role in lines]
        self.query_one("#chart-newest", Picture).show(newest)


def _scale_lines(plan: Layout, form: Callable[[float], str]) -> list[Line]:
    """The scale: its ends at the top and at the bottom, zero at the axis, half where there is
    room for it."""
    rising = _scale_texts("↓ in", plan.in_scale, plan.in_rows, form)
    falling = _scale_texts("↑ out", plan.out_scale, plan.out_rows, form)
    labels = [
        *((text, "in") for text in reversed(rising)),
        ("0", "dim"),
        *((text, "out") for text in falling),
    ]
    return [(Cell(f"{text:>{_LABELS - 1}} ", role),) for text, role in labels]


def _scale_texts(name: str, scale: float, rows: int, form: Callable[[float], str]) -> list[str]:
    """The labels of one direction, from the axis on."""
    texts = [""] * rows
    if rows >= 2:
        texts[0] = name
    if rows >= 5:
        texts[rows // 2] = form(scale / 2).strip()
    texts[-1] = form(scale).strip()
    return texts
