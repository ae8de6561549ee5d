"""The traffic of one network: now, in total, and over the last ten minutes."""

from __future__ import annotations

from textual.app import ComposeResult

from vnet_tui.engine.views import HistoryPoint, NetworkInfo, NetworkTraffic
from vnet_tui.units import bit_rate, byte_size, packet_count, packet_rate
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.traffic_chart import TrafficChart


class TrafficPane(Pane[tuple[HistoryPoint, ...]]):
    """Figures above, the chart below."""

    TITLE = "Traffic"

    def compose_body(self) -> ComposeResult:
        """Figures, chart."""
        yield Picture(id="traffic-figures")
        yield TrafficChart(id="traffic-chart")

    async def fetch(self, info: NetworkInfo) -> tuple[HistoryPoint, ...]:
        """The history that the engine kept; none while the network doesn't run."""
        return await self.connection.history(info.uuid) if info.active else ()

    def present(self, data: tuple[HistoryPoint, ...]) -> None:
        """Draw the history; samples go on from there."""
        self.query_one(TrafficChart).show(self.info.uuid, data)
        if not self.info.active:
            self.query_one("#traffic-figures", Picture).show(traffic_lines(None))

    def take_sample(self, time: float, traffic: NetworkTraffic | None) -> None:
        """One second more."""
        self.query_one("#traffic-figures", Picture).show(traffic_lines(traffic))
        if traffic is not None:
            self.query_one(TrafficChart).add(self.info.uuid, time, traffic.traffic.rates)


_HEAD = " " * 7 + "".join(
    f"{label:>{width}}"
    for label, width in (
        ("now", 10),
        ("packets", 11),
        ("dropped", 11),
        ("total", 10),
        ("packets", 10),
        ("dropped", 9),
    )
)


def traffic_lines(traffic: NetworkTraffic | None) -> list[Line]:
    """Rates and totals as three lines of columns that don't move."""
    if traffic is None:
        return [
            (Cell(_HEAD, "dim"),),
            (Cell(" ↓ in  ", "in"), Cell(f"{'–':>10}", "dim")),
            (Cell(" ↑ out ", "out"), Cell(f"{'–':>10}", "dim")),
        ]
    rates, totals = traffic.traffic.rates, traffic.traffic.totals
    return [
        (Cell(_HEAD, "dim"),),
        _direction(
            Cell(" ↓ in  ", "in"),
            (rates.in_bits, rates.in_packets, rates.in_drops),
            (totals.in_bytes, totals.in_packets, totals.in_drops),
        ),
        _direction(
            Cell(" ↑ out ", "out"),
            (rates.out_bits, rates.out_packets, rates.out_drops),
            (totals.out_bytes, totals.out_packets, totals.out_drops),
        ),
    ]


def _direction(
    label: Cell, rates: tuple[float, float, float], totals: tuple[int, int, int]
) -> Line:
    """Bits, packets and drops a second; then bytes, packets and drops since the start."""
    dropping = f"{packet_rate(rates[2]):>11}"
    dropped = f"{packet_count(totals[2]).rstrip():>9}"
    return (
        label,
        Cell(f"{bit_rate(rates[0]):>10}", "strong"),
        Cell(f"{packet_rate(rates[1]):>11}"),
        Cell(dropping, "bad" if rates[2] else "dim"),
        Cell(f"{byte_size(totals[0]):>10}"),
        Cell(f"{packet_count(totals[1]).rstrip():>10}"),
        Cell(dropped, "warn" if totals[2] else "dim"),
    )
