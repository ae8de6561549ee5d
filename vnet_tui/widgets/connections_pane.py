"""Who talks with whom: the connections of a network's guests, the busiest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widget import Widget

from vnet_tui import actions
from vnet_tui.client.connection import Connection
from vnet_tui.engine.model import Address
from vnet_tui.engine.views import Flow, Flows, Guest, NetworkInfo, NetworkTraffic
from vnet_tui.units import RATE_WIDTH, SIZE_WIDTH, bit_rate, byte_size
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.live_table import EMPTY, Cell, LiveTable
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.picture import Line, Picture

MOST = 200
"""So many connections are shown; the line above says how many there are."""

COLUMNS = (
    Column(key="guest", label="guest", width=15, grow=2, most=40),
    Column(key="opened", label="way", width=5),
    Column(key="peer", label="peer", width=21, grow=3, most=48),
    Column(key="protocol", label="proto", width=5),
    Column(key="in", label="↓ in", width=RATE_WIDTH, justify="right"),
    Column(key="out", label="↑ out", width=RATE_WIDTH, justify="right"),
    Column(key="total", label="total", width=SIZE_WIDTH, justify="right"),
    Column(key="state", label="state", width=12, drop=1),
    Column(key="asked", label="asked for", width=20, grow=1, most=48, drop=2),
)

_VALUES: Mapping[str, Callable[[Flow], Any]] = {
    "in": lambda flow: (-(flow.in_bits or 0.0), -(flow.in_bytes or 0)),
    "out": lambda flow: (-(flow.out_bits or 0.0), -(flow.out_bytes or 0)),
    "total": lambda flow: -((flow.in_bytes or 0) + (flow.out_bytes or 0)),
    "guest": lambda flow: (flow.guest.version, int(flow.guest), flow.guest_port),
    "peer": lambda flow: (flow.peer.version, int(flow.peer), flow.peer_port),
    "protocol": lambda flow: (flow.protocol, flow.peer_port),
}
"""What each order looks at; figures go from the largest down."""

BUSIEST = ""
"""The order in which the engine tells them."""

ORDERS = (BUSIEST, *_VALUES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """The connections, and who is at which address of the network."""

    flows: Flows
    names: Mapping[Address, str]


class ConnectionsPane(Pane[Talk | None]):
    """A line that counts, and a table of the connections; new every second unless it is held."""

    TITLE = "Connections"
    SHORT = "Conns"
    BINDINGS: ClassVar[list[BindingType]] = [
        actions.SORT.binding(),
        actions.REVERSE.binding(),
        actions.HOLD.binding(),
    ]

    def __init__(
        self, connection: Connection, info: NetworkInfo, clock: Callable[[], float]
    ) -> None:
        super().__init__(connection, info, clock)
        self._talk: Talk | None = None
        self._order = BUSIEST
        self._reverse = False
        self._held = False

    def compose_body(self) -> ComposeResult:
        """The count and the table."""
        yield Picture(id="connections-count")
        yield LiveTable[int](COLUMNS, id="connections-table")

    @property
    def focus_target(self) -> Widget:
        """The table."""
        return self._table

    @property
    def _table(self) -> LiveTable[int]:
        return self.query_one("#connections-table", LiveTable)

    async def fetch(self, info: NetworkInfo) -> Talk | None:
        """The connections, and the names of the guests; None of a network that doesn't run."""
        if not info.active:
            return None
        flows = await self.connection.flows(info.uuid, MOST)
        known = self._talk.names if self._talk is not None else {}
        if any(flow.guest not in known for flow in flows.flows):
            known = names(await self.connection.guests(info.uuid), flows, info)
        return Talk(flows=flows, names=known)

    def present(self, data: Talk | None) -> None:
        """Show them, unless what is shown is held."""
        if not self._held or self.presented != self.info.uuid:
            self._talk = data
        self._draw()

    def take_sample(self, time: float, traffic: NetworkTraffic | None) -> None:  # noqa: ARG002
        """A second later."""
        if not self._held:
            self.open(self.info)

    def action_sort(self) -> None:
        """By the next column."""
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._draw()

    def action_reverse(self) -> None:
        """The other way round."""
        self._reverse = not self._reverse
        self._draw()

    def action_hold(self) -> None:
        """Let it stand still, or go on."""
        self._held = not self._held
        self._draw()
        if not self._held:
            self.open(self.info)

    def _draw(self) -> None:
        self.query_one("#connections-count", Picture).show([self._headline()])
        talk = self._talk
        flows = ordered(talk.flows.flows, self._order, reverse=self._reverse) if talk else []
        shown = talk.names if talk else {}
        self._table.set_rows((flow.id, connection_row(flow, shown)) for flow in flows)

    def _headline(self) -> Line:
        if self._talk is None:
            return (Cell(" Not running", "warn"),)
        flows = self._talk.flows
        if not flows.total:
            return (Cell(" No connections beyond the network.", "dim"),)
        count = "1 connection" if flows.total == 1 else f"{flows.total} connections"
        shown = f", the {len(flows.flows)} busiest" if flows.total > len(flows.flows) else ""
        by = f" · by {self._order}" if self._order else " · the busiest first"
        line = [Cell(f" {count}{shown}"), Cell(by, "dim")]
        if self._reverse:
            line.append(Cell(", reversed", "dim"))
        if any(flow.in_bytes is None for flow in flows.flows):
            line.append(Cell(" · –: began before they were counted", "dim"))
        if self._held:
            line.append(Cell(f" · held; {actions.HOLD.key} goes on", "warn"))
        return tuple(line)


HOST = "this host"
"""No guest can give itself a name with a blank in it."""


def names(guests: tuple[Guest, ...], flows: Flows, info: NetworkInfo) -> Mapping[Address, str]:
    """What the guests are called, and the host; a guest that nobody names is called by its
    address."""
    nameless = {flow.guest: str(flow.guest) for flow in flows.flows}
    known = {address: guest.name for guest in guests if guest.name for address in guest.addresses}
    return {**nameless, **known, **{address.ip: HOST for address in info.addresses}}


def ordered(flows: tuple[Flow, ...], order: str, *, reverse: bool) -> list[Flow]:
    """In one of :data:`ORDERS`."""
    found = sorted(flows, key=_VALUES[order]) if order else list(flows)
    return found[::-1] if reverse else found


def place(address: Address | str, port: int) -> str:
    """An address or a name, and a port where there is one."""
    text = f"[{address}]" if port and ":" in str(address) else str(address)
    return f"{text}:{port}" if port else text


def connection_row(flow: Flow, known: Mapping[Address, str]) -> tuple[Cell, ...]:
    """The cells of :data:`COLUMNS` for a connection. The port that was asked for stands with who
    offers it; the other end's says nothing."""
    out = flow.opened == "out"
    guest = known.get(flow.guest, str(flow.guest))
    peer = known.get(flow.peer, flow.peer)
    counted = flow.in_bytes is not None and flow.out_bytes is not None
    total = (flow.in_bytes or 0) + (flow.out_bytes or 0)
    return (
        Cell(guest if out else place(guest, flow.guest_port), "strong"),
        Cell("↑ out", "out") if out else Cell("↓ in", "in"),
        Cell(place(peer, flow.peer_port) if out else str(peer)),
        Cell(flow.protocol, "dim"),
        _rate(flow.in_bits, "in"),
        _rate(flow.out_bits, "out"),
        Cell(byte_size(total)) if counted else Cell("–", "dim"),
        Cell(flow.state, "plain" if flow.state in _USUAL else "warn"),
        Cell(place(flow.asked, flow.asked_port), "dim") if flow.asked else EMPTY,
    )


_USUAL = frozenset({"established", "answered", "time wait", "FIN wait", "close wait", "last ACK"})


def _rate(bits: float | None, role: str) -> Cell:
    if bits is None:
        return Cell("–", "dim")
    return Cell(bit_rate(bits), role if bits >= 1 else "dim")
