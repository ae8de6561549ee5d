"""All networks with what they are and what flows through them, arranged as is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from textual import events
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from vnet_tui.actions import OPEN
from vnet_tui.engine.views import HistoryPoint, NetworkInfo, NetworkTraffic, Sample, State
from vnet_tui.units import RATE_WIDTH, bit_rate
from vnet_tui.widgets.arrangement import LIVE, SORTABLE, Arrangement, Heading, arrange
from vnet_tui.widgets.blocks import Buckets, sparkline
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.live_table import EMPTY, Cell, LiveTable
from vnet_tui.widgets.states import EDITED, STATE_SYMBOLS

SPANS = 10
SPAN_SECONDS = 6.0
"""The last minute in ten blocks: each moves only every six seconds, which a slow link thanks."""

QUIET = 10_000.0
"""Bits a second that are a full block at least: the background noise of a bridge stays low."""

RESORT_SECONDS = 5.0
"""Sorted by figures, networks change places at most so often: a list must stay readable."""

COLUMNS = (
    Column(key="symbol", label="", width=2),
    Column(key="name", label="name", width=11, grow=2, most=40),
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


class NetworksTable(LiveTable[UUID | State]):
    """A row a network, and with groups one for each group's heading, known by its state.

    ``arrangement`` is how they are shown; :meth:`marked` are those that were selected.
    """

    # A move of the cursor writes two rows, and each colour in them takes as many bytes as twenty
    # characters: so the cursor has one ink, as where there are sixteen colours, ends with the
    # columns, and the scroll bar stands on what all stands on.
    MARGIN = 1
    DEFAULT_CSS = """
    NetworksTable {
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    NetworksTable > .live-table--cursor { color: $text; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", OPEN.label, tooltip=OPEN.help, id=OPEN.id)
    ]

    arrangement: reactive[Arrangement] = reactive(Arrangement(), repaint=False, init=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)
        self._networks: dict[UUID, NetworkInfo] = {}
        self._sample: Sample | None = None
        self._busy: Mapping[UUID, str] = {}
        self._edited: frozenset[UUID] = frozenset()
        self._minutes: dict[UUID, Buckets] = {}
        self._marked: frozenset[UUID] = frozenset()
        self._headings: dict[State, Heading] = {}
        self._sorted_at = 0.0
        self.relabel(headings(self.arrangement))

    def watch_arrangement(self) -> None:
        """Show them so."""
        self.relabel(headings(self.arrangement))
        self._refill()

    def show_networks(self, networks: Sequence[NetworkInfo]) -> None:
        """These are all networks, from now on."""
        self._networks = {info.uuid: info for info in networks}
        running = {info.uuid for info in networks if info.active}
        self._minutes = {uuid: minute for uuid, minute in self._minutes.items() if uuid in running}
        self._marked &= self._networks.keys()
        self._refill()

    def show_sample(self, sample: Sample) -> None:
        """What flowed in the last second."""
        self._sample = sample
        for uuid, network in sample.networks.items():
            rates = network.traffic.rates
            self._minute(uuid).add(sample.time, rates.in_bits + rates.out_bits)
        if self.arrangement.column in LIVE and sample.time - self._sorted_at >= RESORT_SECONDS:
            self._sorted_at = sample.time
            self._refill()
            return
        self.remake()

    def show_past(self, uuid: UUID, points: Iterable[HistoryPoint]) -> None:
        """What flowed through a network before anybody looked."""
        self._minutes[uuid] = minute = Buckets(SPANS, SPAN_SECONDS)
        minute.extend((point.time, point.in_bits + point.out_bits) for point in points)
        self.remake()

    def show_busy(self, busy: Mapping[UUID, str]) -> None:
        """What is being done to which networks, in a word each."""
        self._busy = dict(busy)
        self._refill()

    def show_edited(self, edited: Iterable[UUID]) -> None:
        """These have staged edits."""
        self._edited = frozenset(edited)
        self._refill()

    # -- what is selected -----------------------------------------------------------------------

    @property
    def network(self) -> UUID | None:
        """The network under the cursor; None on a heading, and in an empty list."""
        return key if isinstance(key := self.cursor_key, UUID) else None

    @property
    def marked(self) -> tuple[UUID, ...]:
        """The networks that were selected, in the order in which they are shown; those that a
        filter or a folded group hides come last."""
        shown = [key for key in self.keys if key in self._marked]
        hidden = [uuid for uuid in self._networks if uuid in self._marked and uuid not in self]
        return tuple(key for key in (*shown, *hidden) if isinstance(key, UUID))

    def toggle_mark(self) -> None:
        """Select what is under the cursor, or no longer; on a heading, its whole group."""
        key = self.cursor_key
        if isinstance(key, UUID):
            self._marked ^= {key}
        elif key is not None:
            members = {info.uuid for info in self._networks.values() if info.state is key}
            self._marked = (
                self._marked - members if members <= self._marked else self._marked | members
            )
        self._refill()

    def mark_shown(self) -> None:
        """Select all that are shown."""
        self._marked |= {key for key in self.keys if isinstance(key, UUID)}
        self._refill()

    def unmark(self) -> None:
        """Select none."""
        self._marked = frozenset()
        self._refill()

    async def on_click(self, event: events.Click) -> None:
        """The header sorts."""
        column = self.column_at(event.x) if event.y == 0 else None
        if column is not None and column.key in SORTABLE:
            self.arrangement = self.arrangement.sorted_by(column.key)

    # -- rows -----------------------------------------------------------------------------------

    def _minute(self, uuid: UUID) -> Buckets:
        if uuid not in self._minutes:
            self._minutes[uuid] = Buckets(SPANS, SPAN_SECONDS)
        return self._minutes[uuid]

    def _refill(self) -> None:
        figures = self._sample.networks if self._sample else {}
        rows = arrange(self._networks.values(), figures, self.arrangement)
        self._headings = {row.state: row for row in rows if isinstance(row, Heading)}
        self.set_keys(row.state if isinstance(row, Heading) else row.uuid for row in rows)

    def make_row(self, key: UUID | State) -> tuple[Cell, ...]:
        """A network with its latest figures, or a heading."""
        if isinstance(key, State):
            return heading_row(self._headings[key])
        info = self._networks[key]
        figures = self._sample.networks.get(info.uuid) if self._sample else None
        minute = self._minutes.get(info.uuid)
        values = minute.values if minute is not None else ()
        busy = self._busy.get(info.uuid, "")
        return network_row(
            info,
            figures,
            values,
            busy,
            marked=info.uuid in self._marked,
            edited=info.uuid in self._edited,
        )


def headings(how: Arrangement) -> tuple[str, ...]:
    """The labels of :data:`COLUMNS`, with an arrow at the one that networks are sorted by."""
    arrow = "▾" if how.descending else "▴"
    return tuple(
        f"{column.label}{arrow}" if column.key == how.column else column.label for column in COLUMNS
    )


def heading_row(heading: Heading) -> tuple[Cell, ...]:
    """The cells of :data:`COLUMNS` for the line above a group."""
    sign = "+" if heading.folded else "-"
    words = (Cell(f" {sign}", "dim"), Cell(f"{heading.count} {heading.state}", "header"))
    return *words, *(EMPTY,) * (len(COLUMNS) - len(words))


def network_row(
    info: NetworkInfo,
    figures: NetworkTraffic | None,
    minute: Sequence[float | None],
    busy: str,
    *,
    marked: bool = False,
    edited: bool = False,
) -> tuple[Cell, ...]:
    """The cells of :data:`COLUMNS` for a network; ``busy`` stands for its state while set."""
    symbol = STATE_SYMBOLS[info.state]
    marks = ("*" if info.pending else "") + ("◌" if info.waiting else "")
    word = info.state.value + marks
    state = Cell(busy, "accent") if busy else Cell(word, symbol.role)
    live = (EMPTY, EMPTY, EMPTY)
    if info.active and figures is not None:
        rates = figures.traffic.rates
        live = (
            Cell(str(figures.port_count), "plain" if figures.port_count else "dim"),
            Cell(bit_rate(rates.in_bits), "in" if rates.in_bits >= 1 else "dim"),
            Cell(bit_rate(rates.out_bits), "out" if rates.out_bits >= 1 else "dim"),
        )
    elif info.active:
        live = (NOTHING, NOTHING, NOTHING)
    return (
        Cell(f"▸{symbol.text}" if marked else f" {symbol.text}", symbol.role),
        Cell(info.name, "strong" if info.active else "plain"),
        state,
        Cell(subnets(info)),
        Cell(info.bridge) if info.bridge else NOTHING,
        Cell("yes") if info.autostart else EMPTY,
        *live,
        _last(info, minute, edited=edited),
    )


def subnets(info: NetworkInfo) -> str:
    """The first subnet, and how many more there are."""
    if not info.addresses:
        return "–"
    more = len(info.addresses) - 1
    return str(info.addresses[0].network) + (f" +{more}" if more else "")


def _last(info: NetworkInfo, minute: Sequence[float | None], *, edited: bool) -> Cell:
    """What needs a word, else the last minute."""
    if edited:
        return Cell(f"{EDITED} edited" + (f"; {info.note}" if info.note else ""), "warn")
    if info.note:
        return Cell(info.note, "bad" if info.state is State.DAMAGED else "warn")
    if not info.active:
        return EMPTY
    return Cell(sparkline(minute, least=QUIET), "accent")
