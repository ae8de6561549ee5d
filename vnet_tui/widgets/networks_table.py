"""All networks with what they are and what flows through them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from textual.binding import Binding, BindingType

from vnet_tui.actions import OPEN
from vnet_tui.engine.views import HistoryPoint, NetworkInfo, NetworkTraffic, Sample, State
from vnet_tui.units import RATE_WIDTH, bit_rate
from vnet_tui.widgets.blocks import Buckets, sparkline
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.live_table import EMPTY, Cell, LiveTable
from vnet_tui.widgets.states import STATE_SYMBOLS

SPANS = 10
SPAN_SECONDS = 6.0
"""The last minute in ten blocks: each moves only every six seconds, which a slow link thanks."""

QUIET = 10_000.0
"""Bits a second that are a full block at least: the background noise of a bridge stays low."""

COLUMNS = (
    Column(key="symbol", label="", width=1),
    Column(key="name", label="name", width=12, grow=2, most=40),
    Column(key="state", label="state", width=8),
    Column(key="subnet", label="subnet", width=16, grow=1, most=32),
    Column(key="bridge", label="bridge", width=15, drop=2),
    Column(key="autostart", label="auto", width=4, drop=1),
    Column(key="guests", label="guests", width=6, justify="right"),
    Column(key="in", label="↓ in", width=RATE_WIDTH, justify="right"),
    Column(key="out", label="↑ out", width=RATE_WIDTH, justify="right"),
    Column(key="minute", label="last min", width=SPANS, grow=5, most=28),
)

NOTHING = Cell("–", "dim")


class NetworksTable(LiveTable[UUID]):
    """A row a network, in the order in which they are given."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", OPEN.label, tooltip=OPEN.help, id=OPEN.id)
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)
        self._networks: dict[UUID, NetworkInfo] = {}
        self._sample: Sample | None = None
        self._busy: Mapping[UUID, str] = {}
        self._minutes: dict[UUID, Buckets] = {}

    def show_networks(self, networks: Sequence[NetworkInfo]) -> None:
        """These are all networks, from now on."""
        self._networks = {info.uuid: info for info in networks}
        running = {info.uuid for info in networks if info.active}
        self._minutes = {uuid: minute for uuid, minute in self._minutes.items() if uuid in running}
        self._refill()

    def show_sample(self, sample: Sample) -> None:
        """What flowed in the last second."""
        before, self._sample = self._sample, sample
        for uuid, network in sample.networks.items():
            rates = network.traffic.rates
            self._minute(uuid).add(sample.time, rates.in_bits + rates.out_bits)
        gone = before.networks.keys() - sample.networks.keys() if before else set()
        for uuid in (*sample.networks, *gone):
            if uuid in self._networks:
                self.update_row(uuid, self._row(self._networks[uuid]))

    def show_past(self, uuid: UUID, points: Iterable[HistoryPoint]) -> None:
        """What flowed through a network before anybody looked."""
        self._minutes[uuid] = minute = Buckets(SPANS, SPAN_SECONDS)
        minute.extend((point.time, point.in_bits + point.out_bits) for point in points)
        self._refill()

    def show_busy(self, busy: Mapping[UUID, str]) -> None:
        """What is being done to which networks, in a word each."""
        self._busy = dict(busy)
        self._refill()

    def _minute(self, uuid: UUID) -> Buckets:
        if uuid not in self._minutes:
            self._minutes[uuid] = Buckets(SPANS, SPAN_SECONDS)
        return self._minutes[uuid]

    def _refill(self) -> None:
        self.set_rows((uuid, self._row(info)) for uuid, info in self._networks.items())

    def _row(self, info: NetworkInfo) -> tuple[Cell, ...]:
        figures = self._sample.networks.get(info.uuid) if self._sample else None
        minute = self._minutes.get(info.uuid)
        values = minute.values if minute is not None else ()
        return network_row(info, figures, values, self._busy.get(info.uuid, ""))


def network_row(
    info: NetworkInfo,
    figures: NetworkTraffic | None,
    minute: Sequence[float | None],
    busy: str,
) -> tuple[Cell, ...]:
    """The cells of :data:`COLUMNS` for a network; ``busy`` stands for its state while set."""
    symbol = STATE_SYMBOLS[info.state]
    word = info.state.value + ("*" if info.pending else "")
    state = Cell(busy, "accent") if busy else Cell(word, symbol.role)
    live = (EMPTY, EMPTY, EMPTY)
    if info.active and figures is not None:
        rates = figures.traffic.rates
        live = (
            Cell(str(len(figures.ports)), "plain" if figures.ports else "dim"),
            Cell(bit_rate(rates.in_bits), "in" if rates.in_bits >= 1 else "dim"),
            Cell(bit_rate(rates.out_bits), "out" if rates.out_bits >= 1 else "dim"),
        )
    elif info.active:
        live = (NOTHING, NOTHING, NOTHING)
    return (
        symbol,
        Cell(info.name, "strong" if info.active else "plain"),
        state,
        Cell(subnets(info)),
        Cell(info.bridge) if info.bridge else NOTHING,
        Cell("yes") if info.autostart else NOTHING,
        *live,
        _last(info, minute),
    )


def subnets(info: NetworkInfo) -> str:
    """The first subnet, and how many more there are."""
    if not info.addresses:
        return "–"
    more = len(info.addresses) - 1
    return str(info.addresses[0].network) + (f" +{more}" if more else "")


def _last(info: NetworkInfo, minute: Sequence[float | None]) -> Cell:
    if info.note:
        return Cell(info.note, "bad" if info.state is State.DAMAGED else "warn")
    if not info.active:
        return EMPTY
    return Cell(sparkline(minute, least=QUIET), "accent")
