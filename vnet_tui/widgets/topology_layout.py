"""Who is connected with whom, and where in a drawing everything is.

Pure: networks, links and a size to places, so that it can be tested without a terminal. Where
everything is follows from these alone, and never from what flows. A network is a band of rows: its
guests at the left, one a row, joined by a trunk that leads to the bridge's box, and from there to
the host. At the right, always in view, are the links through which traffic leaves the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from vnet_tui.engine.model import Mode

PORT, BRIDGE, HOST, LINK = "port", "bridge", "host", "link"
"""What the cursor can be on."""

BOX_ROWS = 4
"""A bridge's box: its name, the network's, the subnet, how it is forwarded."""

JOINT = 1
"""The row of a band, and of a link's box, at which lines meet the box."""

RATES_WIDTH = 13
"""``↓ 4.1M ↑ 812k``: what flows through an edge, in cells."""

LINK_ROWS = 5
"""A link's box: the versions of IP whose default route it has, its name, in, out, the end."""

LINK_GAP = 2
"""Between the host's box and those of the links, in cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twig:
    """A port, and who is behind it, if that is known."""

    port: str
    guest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A network; one that doesn't run has neither bridge nor twigs. ``through`` are the links
    through which it reaches the world; None: not known yet."""

    network: UUID
    name: str
    mode: Mode
    subnet: str
    bridge: str | None = None
    twigs: tuple[Twig, ...] = ()
    through: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """A link through which traffic leaves the host: all of these versions of IP, or some."""

    name: str
    defaults: tuple[int, ...] = ()


class Spot(NamedTuple):
    """Where the cursor can be: at a port, at a bridge, where a network meets the host, or at a
    link, to which it came from that network. ``name`` is that of the port or the link."""

    network: UUID
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """The widths of what is named, in cells; ``gap`` is how much longer than its figures the edge
    between a bridge and the host is."""

    guest: int
    port: int
    box: int
    gap: int
    host: int
    link: int

    @property
    def trunk_at(self) -> int:
        """The cell of the line that joins the ports of a network."""
        return 1 + self.guest + 1 + self.port + RATES_WIDTH + 1

    @property
    def box_at(self) -> int:
        """The cell in which the box of a bridge begins."""
        return self.trunk_at + 2

    @property
    def host_at(self) -> int:
        """The cell in which the host's box begins."""
        return self.box_at + self.box + RATES_WIDTH + self.gap

    @property
    def links_at(self) -> int:
        """The cell in which the boxes of links begin."""
        return self.host_at + self.host + LINK_GAP


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
        return self.top + self.first + (ports.index(spot.name) if spot.name in ports else 0)

    def twig_at(self, y: int) -> Twig | None:
        """The port at a row of the drawing."""
        number = y - self.top - self.first
        return self.branch.twigs[number] if 0 <= number < len(self.branch.twigs) else None


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything is; ``exits`` are those that there is room for, ``more`` how many others
    there are."""

    bands: tuple[Band, ...]
    columns: Columns
    host: str
    exits: tuple[Exit, ...]
    more: int
    rows: int

    def band_of(self, network: UUID) -> Band | None:
        """The band of a network, if it is drawn."""
        return next((band for band in self.bands if band.branch.network == network), None)

    def band_at(self, y: int) -> Band | None:
        """The band that has a row of the drawing."""
        return next((band for band in self.bands if band.top <= y < band.top + band.rows), None)


def plan(
    branches: Sequence[Branch], exits: Sequence[Exit], host: str, width: int, height: int
) -> Plan:
    """Lay out networks in a drawing of ``width`` cells, 79 at least, of which ``height`` rows are
    in view: there the links stay, whatever else is."""
    bands, top = [], 1
    for branch in branches:
        count = len(branch.twigs)
        first = 0 if count >= BOX_ROWS - 1 else JOINT
        rows = max(BOX_ROWS, first + count)
        bands.append(Band(branch, top, rows, first))
        top += rows + 1
    shown = tuple(exits[: max(1, height // LINK_ROWS)])
    rows = max(top + 1, len(shown) * LINK_ROWS)
    return Plan(tuple(bands), _columns(width), host, shown, len(exits) - len(shown), rows)


def _columns(width: int) -> Columns:
    """What is free is shared: names of guests get most of it, those of links the first cell."""
    first = min(max(0, width - 79), 1)
    spare = max(0, width - 79 - first)
    return Columns(
        guest=9 + min(spare * 35 // 100, 19),
        port=7 + min(spare * 15 // 100, 8),
        box=13 + min(spare * 20 // 100, 15),
        gap=min(spare * 10 // 100, 12),
        host=8 + first + min(spare * 10 // 100, 10),
        link=9 + min(spare * 10 // 100, 8),
    )


# -- the cursor ------------------------------------------------------------------------------------


def spots(plan: Plan, kind: str, network: UUID | None = None) -> list[Spot]:
    """Where the cursor can be in one column of the drawing, from the top; at links, having come
    from ``network``."""
    if kind == LINK:
        return [Spot(network, LINK, one.name) for one in plan.exits if network is not None]
    found = []
    for branch in (band.branch for band in plan.bands):
        if kind == PORT:
            found += [Spot(branch.network, PORT, twig.port) for twig in branch.twigs]
        elif kind == BRIDGE or branch.bridge:
            found.append(Spot(branch.network, kind))
    return found


def has(plan: Plan, spot: Spot) -> bool:
    """Whether a spot is in the drawing."""
    known = plan.band_of(spot.network) is not None
    return known and spot in spots(plan, spot.kind, spot.network)


def beside(plan: Plan, spot: Spot, by: int) -> Spot:
    """The next one to the left (-1) or to the right (1) that ``spot`` is joined with, or itself."""
    kinds = (PORT, BRIDGE, HOST, LINK)
    place = kinds.index(spot.kind) + by
    if not 0 <= place < len(kinds):
        return spot
    near = [one for one in spots(plan, kinds[place], spot.network) if one.network == spot.network]
    if kinds[place] == LINK:
        band = plan.band_of(spot.network)
        through = (band.branch.through if band is not None else None) or ()
        near.sort(key=lambda one: one.name not in through)
    return near[0] if near else spot


def above(plan: Plan, spot: Spot, by: int) -> Spot:
    """So many places further up (negative) or down in the same column."""
    column = spots(plan, spot.kind, spot.network)
    place = column.index(spot) + by
    return column[max(0, min(place, len(column) - 1))]


def spot_at(plan: Plan, x: int, y: int, top: int, cursor: Spot | None) -> Spot | None:
    """What is at a cell of the drawing, of which ``top`` is the first row in view; links are
    reached from where the cursor is."""
    columns = plan.columns
    if x >= columns.links_at:
        number = (y - top) // LINK_ROWS
        column = spots(plan, LINK, cursor.network if cursor is not None else None)
        return column[number] if number < len(column) else None
    band = plan.band_at(y)
    if band is None:
        return None
    twig = band.twig_at(y)
    if x < columns.trunk_at:
        return Spot(band.branch.network, PORT, twig.port) if twig is not None else None
    if columns.box_at <= x < columns.box_at + columns.box:
        return Spot(band.branch.network, BRIDGE) if y - band.top < BOX_ROWS else None
    spot = Spot(band.branch.network, HOST)
    at_host = columns.host_at <= x < columns.host_at + columns.host
    return spot if at_host and y == band.row_of(spot) and has(plan, spot) else None
