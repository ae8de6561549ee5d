"""The drawing of who is connected with whom, as lines of cells.

Pure. Figures only fill places of a fixed width: what flows moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from rich.cells import cell_len

from vnet_tui.engine.model import Mode
from vnet_tui.engine.text import printable
from vnet_tui.engine.views import HostLink, NetworkTraffic, Rates, Sample
from vnet_tui.units import short_rate
from vnet_tui.widgets.fitted import fitted
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line
from vnet_tui.widgets.topology_layout import (
    BOX_ROWS,
    BRIDGE,
    HOST,
    JOINT,
    LINK,
    LINK_GAP,
    LINK_ROWS,
    PORT,
    RATES_WIDTH,
    Band,
    Branch,
    Columns,
    Plan,
    Spot,
)

NOTHING = Sample(time=0.0, networks={})
"""As long as no figures are known."""


def draw(
    plan: Plan, rows: range, figures: Sample = NOTHING, cursor: Spot | None = None
) -> list[Line]:
    """These rows of the drawing, with what flows now; what the cursor is on has the role
    ``cursor``."""
    bands = {y: band for band in plan.bands for y in range(band.top, band.top + band.rows)}
    return [
        (
            *_band_row(plan, bands.get(y), y, figures.networks, cursor),
            *_link_row(plan, y, y - rows.start, figures.links, cursor),
        )
        for y in rows
    ]


def _band_row(
    plan: Plan,
    band: Band | None,
    y: int,
    figures: Mapping[UUID, NetworkTraffic],
    cursor: Spot | None,
) -> Line:
    """Everything up to the right edge of the host's box, which it leaves to who comes next."""
    if band is None:
        return (Cell(" " * plan.columns.host_at), *_host_end(plan, y))
    traffic = figures.get(band.branch.network)
    here = cursor if cursor is not None and cursor.network == band.branch.network else None
    row = y - band.top
    return (
        *_guest_cells(plan.columns, band, y, traffic, here),
        *_box_cells(plan.columns, band, row, here),
        *_edge_cells(plan.columns, band, row, traffic),
        *_host_cells(plan, band, row, here),
    )


def _guest_cells(
    columns: Columns, band: Band, y: int, traffic: NetworkTraffic | None, cursor: Spot | None
) -> Line:
    """A guest, its port, what passes it, and the trunk."""
    twig, trunk = band.twig_at(y), _trunk(band, y - band.top)
    if twig is None:
        return (Cell(" " * columns.trunk_at), Cell(trunk, "dim"))
    under_cursor = cursor is not None and (cursor.kind, cursor.name) == (PORT, twig.port)
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


MODES = {Mode.ISOLATED: "isolated", Mode.NAT: "NAT", Mode.ROUTE: "routed"}


def _padded(text: str, role: str, inner: int) -> Line:
    """Text in a box; where there is room, not just at its edge."""
    shown = printable(text)
    margin = " " if cell_len(shown) < inner else ""
    return (Cell(margin), Cell(fitted(shown, inner - len(margin)), role))


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


def _rates(rates: Rates | None) -> Line:
    """What flows through an edge: :data:`RATES_WIDTH` cells."""
    if rates is None:
        return (Cell("─" * RATES_WIDTH, "dim"),)
    into, out = _in_and_out(rates)
    return (Cell(f"{into.text} ", into.role), out)


def _in_and_out(rates: Rates) -> tuple[Cell, Cell]:
    return (
        Cell(f"↓{short_rate(rates.in_bits)}", "in" if rates.in_bits >= 1 else "dim"),
        Cell(f"↑{short_rate(rates.out_bits)}", "out" if rates.out_bits >= 1 else "dim"),
    )


# -- the host, and what leads out of it ------------------------------------------------------------


def _host_cells(plan: Plan, band: Band, row: int, cursor: Spot | None) -> Line:
    """The host at a row of a network: through which links the network reaches the world."""
    if row != JOINT or band.branch.bridge is None:
        return _host_end(plan, band.top + row)
    role = "cursor" if cursor is not None and cursor.kind == HOST else "plain"
    inner = plan.columns.host - 2
    return (Cell("┤", "dim"), *_padded(_through(band.branch, inner), role, inner))


def _through(branch: Branch, width: int) -> str:
    if branch.mode is Mode.ISOLATED:
        return "inside"
    if branch.through is None:
        return "…"
    names = ", ".join(branch.through)
    if not names:
        return "no way"
    return f"→ {names}" if cell_len(names) + 2 < width else names


def _host_end(plan: Plan, y: int) -> Line:
    """The host's box where no network meets it: its name, its ends."""
    inner = plan.columns.host - 2
    if y == 0:
        return (Cell("┌" + "─" * inner, "dim"),)
    if y == 1:
        return (Cell("│", "dim"), *_padded(plan.host, "strong", inner))
    if y == plan.rows - 1:
        return (Cell("└" + "─" * inner, "dim"),)
    return (Cell(("│" if y < plan.rows else " ") + " " * inner, "dim"),)


def _link_row(
    plan: Plan, y: int, row: int, figures: Mapping[str, HostLink], cursor: Spot | None
) -> Line:
    """From the right edge of the host's box on, at row ``y`` of the drawing and ``row`` of what is
    in view."""
    number, line = divmod(row, LINK_ROWS)
    there = number < len(plan.exits)
    edge = Cell(_host_edge(plan, y, joined=there and line == JOINT), "dim")
    inner = plan.columns.link - 2
    if not there:
        return (edge, Cell(" " * plan.columns.link))
    one = plan.exits[number]
    if line == 0:
        versions = " ".join(f"v{version}" for version in one.defaults)
        return (edge, *_titled("┌", "┐", versions, inner, "accent"))
    if line == LINK_ROWS - 1:
        return (edge, *_titled("└", "┘", "", inner, "dim"))
    if line == JOINT:
        here = cursor is not None and (cursor.kind, cursor.name) == (LINK, one.name)
        cells = _padded(one.name, "cursor" if here else "strong", inner)
        return (edge, Cell("┤", "dim"), *cells, Cell("│", "dim"))
    known = figures.get(one.name)
    if known is None:
        cells = (Cell(" " * inner),)
    else:
        cell = _in_and_out(known.traffic.rates)[line - JOINT - 1]
        cells = (Cell(cell.text, cell.role), Cell(" " * (inner - cell_len(cell.text))))
    return (edge, Cell("│", "dim"), *cells, Cell("│", "dim"))


def _host_edge(plan: Plan, y: int, *, joined: bool) -> str:
    """The right edge of the host's box at a row of the drawing, and what leads from there."""
    if y >= plan.rows:
        return " " * (1 + LINK_GAP)
    end = "┐" if y == 0 else "┘" if y == plan.rows - 1 else "├" if joined else "│"
    return end + ("─" if joined else " ") * LINK_GAP
