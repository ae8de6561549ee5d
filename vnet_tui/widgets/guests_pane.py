"""Who is on a network: names, addresses, leases, ports and what flows through them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from vnet_tui import actions
from vnet_tui.client.connection import Connection
from vnet_tui.engine.rule_counters import GuestCount
from vnet_tui.engine.views import Guest, NetworkInfo, NetworkTraffic
from vnet_tui.units import bit_rate, byte_size, duration
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.live_table import EMPTY, Cell, LiveTable
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.picture import Line, Picture

NO_GUEST_COUNT = GuestCount()

COLUMNS = (
    Column(key="name", label="  guest", width=13, grow=3, most=34),
    Column(key="addresses", label="address", width=15, grow=2, most=48),
    Column(key="mac", label="MAC", width=17, drop=2),
    Column(key="lease", label="lease", width=15, grow=1, most=20),
    Column(key="in", label="↓ in", width=9, justify="right"),
    Column(key="out", label="↑ out", width=9, justify="right"),
    Column(key="port", label="port", width=8, grow=1, most=15),
)


class View(StrEnum):
    """Which figures are shown: what flows now, or all that was routed to and from a guest."""

    RATES = "rates"
    ROUTED = "routed in all"


class GuestsPane(Pane[tuple[Guest, ...]]):
    """A line that counts, a table of the guests, and all about the one under the cursor."""

    TITLE = "Guests"
    DETAILED = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "v",
            "next_view",
            "view",
            id="network.guests.view",
            tooltip="What flows now, or all that was routed to and from each guest",
        ),
        actions.RESERVE.binding(),
        actions.FORWARD.binding(),
    ]

    class KeepWanted(Message):
        """The address of a guest is to be reserved."""

        def __init__(self, info: NetworkInfo, guest: Guest) -> None:
            super().__init__()
            self.info = info
            self.guest = guest

    class ForwardWanted(Message):
        """A port is to lead to a guest."""

        def __init__(self, info: NetworkInfo, guest: Guest) -> None:
            super().__init__()
            self.info = info
            self.guest = guest

    def __init__(
        self, connection: Connection, info: NetworkInfo, clock: Callable[[], float]
    ) -> None:
        super().__init__(connection, info, clock)
        self._guests: tuple[Guest, ...] = ()
        self._traffic: NetworkTraffic | None = None
        self._view = View.RATES

    def compose_body(self) -> ComposeResult:
        """The count, the table, the guest under the cursor."""
        yield Picture(id="guests-count")
        yield LiveTable[str](COLUMNS, id="guests-table")
        yield Picture(id="guests-chosen")

    @property
    def focus_target(self) -> Widget:
        """The table."""
        return self._table

    @property
    def _table(self) -> LiveTable[str]:
        return self.query_one("#guests-table", LiveTable)

    async def fetch(self, info: NetworkInfo) -> tuple[Guest, ...]:
        """Who is there; of a network that doesn't run, who has a reservation."""
        return await self.connection.guests(info.uuid)

    def present(self, data: tuple[Guest, ...]) -> None:
        """Show the guests, with the rates that are known."""
        anybody, self._guests = bool(self._guests), data
        if anybody is not bool(data):
            self.refresh_bindings()
        if not self.info.active:
            self._keep(None)
        self._draw(self.clock())

    def take_sample(self, time: float, traffic: NetworkTraffic | None) -> None:
        """New rates, and a second less of each lease."""
        self._keep(traffic)
        self._draw(time)

    def _keep(self, traffic: NetworkTraffic | None) -> None:
        """Keep figures; whether routed traffic is counted decides which views there are."""
        counted = self._counted
        self._traffic = traffic
        if self._counted is not counted:
            self.refresh_bindings()

    @property
    def _counted(self) -> bool:
        return self._traffic is not None and bool(self._traffic.rules)

    @property
    def _shown(self) -> View:
        return self._view if self._counted else View.RATES

    def check_action(
        self,
        action: str,
        parameters: tuple[object, ...],  # noqa: ARG002 - Textual's signature
    ) -> bool | None:
        """Keys are offered where there is another view, or a guest."""
        if action in ("reserve_lease", "forward_port"):
            return bool(self._guests)
        return action != "next_view" or self._counted

    def action_next_view(self) -> None:
        """From one view to the other."""
        self._view = View.ROUTED if self._view is View.RATES else View.RATES
        self._draw(self.clock())

    @property
    def _guest(self) -> Guest | None:
        """The one under the cursor."""
        number = int(key.split()[0]) if (key := self._table.cursor_key) else len(self._guests)
        return self._guests[number] if number < len(self._guests) else None

    def action_reserve_lease(self) -> None:
        """Keep the address of the guest under the cursor."""
        if (guest := self._guest) is not None:
            self.post_message(self.KeepWanted(self.info, guest))

    def action_forward_port(self) -> None:
        """Lead a port to the guest under the cursor."""
        if (guest := self._guest) is not None:
            self.post_message(self.ForwardWanted(self.info, guest))

    def _draw(self, now: float) -> None:
        self.query_one("#guests-count", Picture).show([self._headline()])
        figures = rates if self._shown is View.RATES else routed
        self._table.set_rows(
            (f"{number} {guest.mac}", _row(guest, figures(guest, self._traffic), now))
            for number, guest in enumerate(self._guests)
        )
        self._draw_chosen()

    @on(LiveTable.Highlighted, "#guests-table")
    def _draw_chosen(self) -> None:
        guest = self._guest
        chosen = [told(guest)] if guest is not None else []
        self.query_one("#guests-chosen", Picture).show(chosen)

    def _headline(self) -> Line:
        """The count, and at its end which view it is, where there are two."""
        line = _count(self.info, self._guests)
        if not self._counted:
            return line
        views = [
            Cell(f"[{view}]", "strong") if view is self._shown else Cell(f" {view} ", "dim")
            for view in View
        ]
        return (*line, Cell("   "), *views)


def is_stale(guest: Guest) -> bool:
    """Whether it holds a lease and is plugged in nowhere."""
    return guest.lease is not None and guest.port is None


def lease_cell(guest: Guest, now: float) -> Cell:
    """How long its address is its own, or why it has none, in words."""
    if guest.lease is None:
        away = Cell("reserved, away", "dim")
        return away if guest.port is None else Cell("no lease", "warn")
    left = guest.lease.expires
    if guest.port is None:
        return Cell(f"stale {duration(left - now)}" if left is not None else "stale", "warn")
    if guest.reserved:
        return Cell("reserved")
    if left is None:
        return Cell("for ever")
    return Cell(duration(left - now)) if left > now else Cell("expired", "warn")


def told(guest: Guest) -> Line:
    """What a row has no room for: its MAC, and what is wrong with it, if anything is."""
    known = [guest.mac or "MAC unknown", *map(str, guest.addresses)]
    words: tuple[Cell, ...] = ()
    if guest.note:
        lacks = "lease" if guest.addresses else "address"
        words = (Cell(f" · has no {lacks}: {guest.note}", "warn"),)
    elif is_stale(guest):
        words = (Cell(" · holds its lease, but is plugged in nowhere", "warn"),)
    return (
        Cell(f" {guest.name or '(no name)'}", "strong"),
        *words,
        Cell(f" · {' · '.join(known)}"),
    )


def rates(guest: Guest, traffic: NetworkTraffic | None) -> tuple[Cell, Cell]:
    """What passes its port now, in and out."""
    port = traffic.ports.get(guest.port) if traffic and guest.port else None
    if port is None:
        return EMPTY, EMPTY
    return Cell(bit_rate(port.rates.in_bits), "in"), Cell(bit_rate(port.rates.out_bits), "out")


def routed(guest: Guest, traffic: NetworkTraffic | None) -> tuple[Cell, Cell]:
    """What passed to and from it beyond its network, in and out."""
    if traffic is None:
        return EMPTY, EMPTY
    counts = [traffic.guests.get(address, NO_GUEST_COUNT) for address in guest.addresses]
    into, out = sum(one.into.bytes for one in counts), sum(one.out.bytes for one in counts)
    return (
        Cell(byte_size(into), "in" if into else "dim"),
        Cell(byte_size(out), "out" if out else "dim"),
    )


def _row(guest: Guest, figures: tuple[Cell, Cell], now: float) -> tuple[Cell, ...]:
    away = guest.port is None
    role = "dim" if away else "plain"
    symbol = "○" if away else "●"
    return (
        Cell(f"{symbol} {guest.name or '(no name)'}", role),
        Cell(", ".join(str(address) for address in guest.addresses) or "–", role),
        Cell(guest.mac, "dim"),
        lease_cell(guest, now),
        *figures,
        Cell(guest.port or "–", role),
    )


def _count(info: NetworkInfo, guests: tuple[Guest, ...]) -> Line:
    if not info.active:
        reserved = f" · {len(guests)} reserved" if guests else ""
        return (Cell(" Not running", "warn"), Cell(reserved, "dim"))
    if not guests:
        return (Cell(f" No guests: nothing is plugged into {info.bridge}.", "dim"),)
    here = sum(guest.port is not None for guest in guests)
    stale = sum(is_stale(guest) for guest in guests)
    line = [Cell(f" {here} here")]
    if away := len(guests) - here - stale:
        line.append(Cell(f" · {away} reserved, away", "dim"))
    if stale:
        line.append(Cell(f" · {stale} stale", "warn"))
    return tuple(line)
