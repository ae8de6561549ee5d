"""Who is on a network: names, addresses, leases, ports and what flows through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.app import ComposeResult
from textual.widget import Widget

from vnet_tui.client.connection import Connection
from vnet_tui.engine.views import Guest, NetworkInfo, NetworkTraffic, Traffic
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.live_table import EMPTY, Cell, LiveTable
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.units import bit_rate, duration

COLUMNS = (
    Column(key="name", label="  guest", width=13, grow=3, most=34),
    Column(key="addresses", label="address", width=15, grow=2, most=48),
    Column(key="mac", label="MAC", width=17, drop=2),
    Column(key="lease", label="lease", width=15, grow=1, most=20),
    Column(key="in", label="↓ in", width=9, justify="right"),
    Column(key="out", label="↑ out", width=9, justify="right"),
    Column(key="port", label="port", width=8, grow=1, most=15),
)


class GuestsPane(Pane[tuple[Guest, ...]]):
    """A line that counts, and a table of the guests."""

    TITLE = "Guests"

    def __init__(
        self, connection: Connection, info: NetworkInfo, clock: Callable[[], float]
    ) -> None:
        super().__init__(connection, info, clock)
        self._guests: tuple[Guest, ...] = ()
        self._ports: Mapping[str, Traffic] = {}

    def compose_body(self) -> ComposeResult:
        """The count and the table."""
        yield Picture(id="guests-count")
        yield LiveTable[str](COLUMNS, id="guests-table")

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
        self._guests = data
        if not self.info.active:
            self._ports = {}
        self.query_one("#guests-count", Picture).show([_count(self.info, data)])
        self._draw(self.clock())

    def take_sample(self, time: float, traffic: NetworkTraffic | None) -> None:
        """New rates, and a second less of each lease."""
        self._ports = traffic.ports if traffic else {}
        self._draw(time)

    def _draw(self, now: float) -> None:
        self._table.set_rows(
            (f"{number} {guest.mac}", _row(guest, self._ports, now))
            for number, guest in enumerate(self._guests)
        )


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


def _row(guest: Guest, ports: Mapping[str, Traffic], now: float) -> tuple[Cell, ...]:
    away = guest.port is None
    role = "dim" if away else "plain"
    symbol = "○" if away else "●"
    traffic = ports.get(guest.port) if guest.port else None
    return (
        Cell(f"{symbol} {guest.name or '(no name)'}", role),
        Cell(", ".join(str(address) for address in guest.addresses) or "–", role),
        Cell(guest.mac, "dim"),
        lease_cell(guest, now),
        Cell(bit_rate(traffic.rates.in_bits), "in") if traffic else EMPTY,
        Cell(bit_rate(traffic.rates.out_bits), "out") if traffic else EMPTY,
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
