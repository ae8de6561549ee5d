"""Who is connected with whom, as a drawing: guests, their ports, bridges, this host, the outside.

Pure: networks, figures and a width to lines of cells, so that it can be tested without a terminal.
Where everything is follows from the networks and the width alone; figures only fill places of a
fixed width. A network is a band of rows: its guests at the left, one a row, joined by a trunk that
leads to the bridge's box, from there to the host, and on to the outside unless it is isolated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from rich.cells import cell_len

from vnet_tui.engine.model import Mode
from vnet_tui.engine.text import printable
from vnet_tui.engine.views import NetworkTraffic, Rates
from vnet_tui.units import short_rate
from vnet_tui.widgets.fitted import fitted
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line

PORT, BRIDGE, HOST, OUTSIDE = "port", "bridge", "host", "outside"
"""What the cursor can be on."""

BOX_ROWS = 4
"""A bridge's box: its name, the network's, the subnet, how it is forwarded."""

JOINT = 1
"""The row of a band at which the box is joined with the trunk and with the host."""

RATES_WIDTH = 13
"""``↓ 4.1M ↑ 812k``: what flows through an edge, in cells."""

OUTSIDE_WIDTH = 9
"""The box of what lies beyond the host, in cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twig:
    """A port, and who is behind it, if that is known."""

    port: str
    guest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A network; one that doesn't run has neither bridge nor twigs."""

    network: UUID
    name: str
    mode: Mode
    subnet: str
    bridge: str | None = None
    twigs: tuple[Twig, ...] = ()


class Spot(NamedTuple):
    """Where the cursor can be: at a port, at a bridge, or where a network meets the host or the
    outside."""

    network: UUID
    kind: str
    port: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """The widths of what is named, in cells; ``gap`` is how much longer than its figures the edge
    between a bridge and the host is."""

    guest: int
    port: int
    box: int
    gap: int
    host: int


@dataclass(frozen=True, slots=True)
class Band:
    """A network's rows, from ``top`` on; its first guest is at row ``first``."""

    branch: Branch
    top: int
    rows: int
    first: int

    def row_of(self, spot: Spot) -> int:
        """The row of a spot in this band, counted from the drawing's first."""
        if spot.kind != PORT:
            return self.top + JOINT
        ports = [twig.port for twig in self.branch.twigs]
        return self.top + self.first + (ports.index(spot.port) if spot.port in ports else 0)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything is."""

    bands: tuple[Band, ...]
    columns: Columns
    host: str
    rows: int

    def band_of(self, network: UUID) -> Band | None:
        """The band of a network, if it is drawn."""
        return next((band for band in self.bands if band.branch.network == network), None)


def plan(branches: Sequence[Branch], host: str, width: int) -> Plan:
    """Lay out networks in a drawing of ``width`` cells, 79 at least."""
    bands, top = [], 1
    for branch in branches:
        count = len(branch.twigs)
        first = 0 if count >= BOX_ROWS - 1 else JOINT
        rows = max(BOX_ROWS, first + count)
        bands.append(Band(branch, top, rows, first))
        top += rows + 1
    return Plan(tuple(bands), _columns(width), host, top + 1)


def _columns(width: int) -> Columns:
    """What is free is shared: names of guests get most of it."""
    spare = max(0, width - 79)
    return Columns(
        guest=9 + min(spare * 35 // 100, 19),
        port=7 + min(spare * 15 // 100, 8),
        box=13 + min(spare * 20 // 100, 15),
        gap=min(spare * 15 // 100, 12),
        host=8 + min(spare * 10 // 100, 10),
    )


# -- the drawing -----------------------------------------------------------------------------------


def draw(
    plan: Plan,
    figures: Mapping[UUID, NetworkTraffic],
    rows: range,
    cursor: Spot | None = None,
) -> list[Line]:
    """These rows of the drawing, with what flows now; what the cursor is on has the role
    ``cursor``."""
    bands = {y: band for band in plan.bands for y in range(band.top, band.top + band.rows)}
    return [_row(plan, bands.get(y), y, figures, cursor) for y in rows]


def _row(
    plan: Plan,
    band: Band | None,
    y: int,
    figures: Mapping[UUID, NetworkTraffic],
    cursor: Spot | None,
) -> Line:
    if band is None:
        return (Cell(" " * _host_at(plan.columns)), *_end_row(plan, y))
    traffic = figures.get(band.branch.network)
    here = cursor if cursor is not None and cursor.network == band.branch.network else None
    row = y - band.top
    return (
        *_guest_cells(plan.columns, band, row, traffic, here),
        *_box_cells(plan.columns, band, row, here),
        *_edge_cells(plan.columns, band, row, traffic),
        *_host_cells(plan, band, row, here),
    )


def _host_at(columns: Columns) -> int:
    """The cell in which the host's box begins."""
    return _box_at(columns) + columns.box + RATES_WIDTH + columns.gap


def _box_at(columns: Columns) -> int:
    return 1 + columns.guest + 1 + columns.port + RATES_WIDTH + 3


def _guest_cells(
    columns: Columns, band: Band, row: int, traffic: NetworkTraffic | None, cursor: Spot | None
) -> Line:
    """A guest, its port, what passes it, and the trunk."""
    number, count = row - band.first, len(band.branch.twigs)
    trunk = _trunk(band, row)
    if not 0 <= number < count:
        return (Cell(" " * (_box_at(columns) - 2)), Cell(trunk, "dim"))
    twig = band.branch.twigs[number]
    under_cursor = cursor is not None and (cursor.kind, cursor.port) == (PORT, twig.port)
    port = fitted(printable(twig.port), columns.port).rstrip()
    figures = traffic.ports.get(twig.port) if traffic else None
    return (
        Cell(" "),
        Cell(
            fitted(printable(twig.guest or "?"), columns.guest),
            "cursor" if under_cursor else "plain",
        ),
        Cell("─", "dim"),
        Cell(port, "cursor" if under_cursor else "accent"),
        Cell("─" * (columns.port - cell_len(port)), "dim"),
        *_rates(figures.rates if figures else None),
        Cell("─" + trunk, "dim"),
    )


def _trunk(band: Band, row: int) -> str:
    """Two cells: the line that joins the guests, and what leads from it to the box."""
    first, last = band.first, band.first + len(band.branch.twigs) - 1
    if last < first:
        return "  "
    up = min(first, JOINT) < row <= max(last, JOINT)
    down = min(first, JOINT) <= row < max(last, JOINT)
    left, right = first <= row <= last, row == JOINT
    return LINES[up, down, left, right] + ("─" if right else " ")


LINES = {
    (False, False, False, False): " ",
    (False, False, True, True): "─",
    (False, True, True, False): "┐",
    (False, True, True, True): "┬",
    (True, False, True, False): "┘",
    (True, False, True, True): "┴",
    (True, True, True, False): "┤",
    (True, True, True, True): "┼",
}
"""The character that joins lines from above, below, left and right."""


def _box_cells(columns: Columns, band: Band, row: int, cursor: Spot | None) -> Line:
    """A network's box, or what isn't in it."""
    branch, inner = band.branch, columns.box - 2
    joined = row == JOINT
    if row >= BOX_ROWS:
        return (Cell(" " * columns.box),)
    if row == 0:
        return _titled("┌", "┐", branch.bridge or "", inner, "accent")
    if row == BOX_ROWS - 1:
        return _titled("└", "┘", MODES[branch.mode] if branch.bridge else "off", inner, "dim")
    left = "┤" if joined and branch.twigs else "│"
    right = "├" if joined and branch.bridge else "│"
    text, role = (branch.name, "strong") if joined else (branch.subnet, "plain")
    if joined and cursor is not None and cursor.kind == BRIDGE:
        role = "cursor"
    elif branch.bridge is None:
        role = "dim"
    return (Cell(left, "dim"), *_padded(text, role, inner), Cell(right, "dim"))


def _padded(text: str, role: str, inner: int) -> Line:
    """Text in a box; where there is room, not just at its edge."""
    shown = printable(text)
    margin = " " if cell_len(shown) < inner else ""
    return (Cell(margin), Cell(fitted(shown, inner - len(margin)), role))


MODES = {Mode.ISOLATED: "isolated", Mode.NAT: "NAT", Mode.ROUTE: "routed"}


def _titled(left: str, right: str, title: str, inner: int, role: str) -> Line:
    """An edge of a box with a title in it."""
    if not title:
        return (Cell(left + "─" * inner + right, "dim"),)
    text = fitted(printable(title), inner - 2).rstrip()
    rest = "─" * (inner - 2 - cell_len(text))
    return (Cell(f"{left} ", "dim"), Cell(text, role), Cell(f" {rest}{right}", "dim"))


def _edge_cells(columns: Columns, band: Band, row: int, traffic: NetworkTraffic | None) -> Line:
    """What flows between a bridge and the host."""
    if row != JOINT or band.branch.bridge is None:
        return (Cell(" " * (RATES_WIDTH + columns.gap)),)
    before = columns.gap // 2
    return (
        Cell("─" * before, "dim"),
        *_rates(traffic.traffic.rates if traffic else None),
        Cell("─" * (columns.gap - before), "dim"),
    )


def _host_cells(plan: Plan, band: Band, row: int, cursor: Spot | None) -> Line:
    """The host and the outside at a row of a network."""
    if row != JOINT or band.branch.bridge is None:
        return _end_row(plan, band.top + row)
    inner = plan.columns.host - 2
    kind = cursor.kind if cursor is not None else ""
    out = band.branch.mode is not Mode.ISOLATED
    return (
        Cell("┤", "dim"),
        *_padded(plan.host, "cursor" if kind == HOST else "strong", inner),
        Cell("├──┤" if out else "│  │", "dim"),
        Cell("outside" if out else "       ", "cursor" if kind == OUTSIDE else "plain"),
        Cell("│", "dim"),
    )


def _end_row(plan: Plan, y: int) -> Line:
    """The host's box and the outside's where nothing leads to them."""
    left, line, right = "│", " ", "│"
    if y == 0:
        left, line, right = "┌", "─", "┐"
    elif y == plan.rows - 1:
        left, line, right = "└", "─", "┘"
    elif y >= plan.rows:
        return ()
    host = left + line * (plan.columns.host - 2) + right
    return (Cell(f"{host}  {left}{line * (OUTSIDE_WIDTH - 2)}{right}", "dim"),)


def _rates(rates: Rates | None) -> Line:
    """What flows through an edge: :data:`RATES_WIDTH` cells."""
    if rates is None:
        return (Cell("─" * RATES_WIDTH, "dim"),)
    return (
        Cell(f"↓{short_rate(rates.in_bits)} ", "in" if rates.in_bits >= 1 else "dim"),
        Cell(f"↑{short_rate(rates.out_bits)}", "out" if rates.out_bits >= 1 else "dim"),
    )


# -- the cursor ------------------------------------------------------------------------------------


def spots(plan: Plan, kind: str) -> list[Spot]:
    """Where the cursor can be in one column of the drawing, from the top."""
    found = []
    for band in plan.bands:
        branch = band.branch
        if kind == PORT:
            found += [Spot(branch.network, PORT, twig.port) for twig in branch.twigs]
        elif (
            kind == BRIDGE
            or (kind == HOST and branch.bridge)
            or (kind == OUTSIDE and branch.bridge and branch.mode is not Mode.ISOLATED)
        ):
            found.append(Spot(branch.network, kind))
    return found


def beside(plan: Plan, spot: Spot, by: int) -> Spot:
    """The next one to the left (-1) or to the right (1) that ``spot`` is joined with, or itself."""
    kinds = (PORT, BRIDGE, HOST, OUTSIDE)
    place = kinds.index(spot.kind) + by
    if not 0 <= place < len(kinds):
        return spot
    joined = [one for one in spots(plan, kinds[place]) if one.network == spot.network]
    return joined[0] if joined else spot


def above(plan: Plan, spot: Spot, by: int) -> Spot:
    """So many places further up (negative) or down in the same column."""
    column = spots(plan, spot.kind)
    place = column.index(spot) + by
    return column[max(0, min(place, len(column) - 1))]
