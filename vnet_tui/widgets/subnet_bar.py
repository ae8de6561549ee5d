"""A subnet as one line of characters: the host, what DHCP hands out, what is kept and what is used.

Letters and blocks, so that it can be read without colour. Each character stands for an equal share
of the addresses; where several things fall on one, the most particular is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from vnet_tui.engine.model import Address, Ip, Range
from vnet_tui.widgets.live_table import Cell

WHOLE_SUBNET = 1 << 16
"""Subnets up to this size are drawn whole; of greater ones, the part that anything is in."""

UNUSED = Cell("·", "dim")
RANGE = Cell("░", "plain")
USED = Cell("█", "good")
RESERVED = Cell("R", "accent")
HOST = Cell("H", "strong")

LEGEND = (
    HOST,
    Cell(" host  ", "dim"),
    RANGE,
    Cell(" DHCP range  ", "dim"),
    USED,
    Cell(" in use  ", "dim"),
    RESERVED,
    Cell(" reserved", "dim"),
)


@dataclass(frozen=True, slots=True)
class Window:
    """The addresses that a bar covers, both ends included."""

    first: Address
    last: Address


def window(ip: Ip, reserved: Iterable[Address]) -> Window:
    """The whole subnet, or, of a great one, from its beginning to the last address of interest,
    rounded up so that the ends are round."""
    subnet = ip.subnet
    if subnet.num_addresses <= WHOLE_SUBNET:
        return Window(subnet.network_address, subnet.broadcast_address)
    ends = [ip.address, *(r.end for r in ip.ranges), *(a for a in reserved if a in subnet)]
    extent = max(int(end) for end in ends) - int(subnet.network_address)
    size = min(1 << max(8, extent.bit_length()), subnet.num_addresses)
    return Window(subnet.network_address, subnet.network_address + (size - 1))


def subnet_bar(
    ip: Ip, shown: Window, width: int, *, reserved: Collection[Address], used: Collection[Address]
) -> tuple[Cell, ...]:
    """The bar, as cells of one character each run together by role; ``width`` characters."""
    first, size = int(shown.first), int(shown.last) - int(shown.first) + 1
    bar = [UNUSED] * width

    def position(address: Address) -> int | None:
        offset = int(address) - first
        if address.version != ip.address.version or not 0 <= offset < size:
            return None
        return min(width - 1, offset * width // size)

    for range_ in ip.ranges:
        start, end = position(range_.start), position(range_.end)
        if start is not None and end is not None:
            bar[start : end + 1] = [RANGE] * (end + 1 - start)
    host = position(ip.address)
    for addresses, cell in ((used, USED), (reserved, RESERVED)):
        for address in addresses:
            place = position(address)
            if place is not None:
                bar[_beside(place, host, width)] = cell
    if host is not None:
        bar[host] = HOST
    return _joined(bar)


def _beside(place: int, host: int | None, width: int) -> int:
    """Where an address is drawn: what falls on the host's own character stands next to it. The
    first addresses of a subnet, which are given away first, would never be seen otherwise."""
    if place != host or width < 2:
        return place
    return place + 1 if place + 1 < width else place - 1


def usage(ranges: Sequence[Range], used: Collection[Address]) -> str:
    """How full the ranges are, in words."""
    if not ranges:
        return "no DHCP range"
    size = sum(int(r.end) - int(r.start) + 1 for r in ranges)
    taken = sum(
        any(r.start.version == a.version and int(r.start) <= int(a) <= int(r.end) for r in ranges)
        for a in used
    )
    amount = f"{size:,}" if size < 1_000_000 else f"2^{size.bit_length() - 1}"
    return f"{taken} of {amount} in use"


def _joined(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    joined: list[Cell] = []
    for cell in cells:
        if joined and joined[-1].role == cell.role:
            joined[-1] = Cell(joined[-1].text + cell.text, cell.role)
        else:
            joined.append(cell)
    return tuple(joined)
