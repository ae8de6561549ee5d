"""What is told of the network under a cursor, as lines. Pure.

Each move writes it anew, over a link that may be slow: it says in few characters what the row of
the list doesn't, and what all networks have stands in the same place for each.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.model import Address, Dhcp, Ip, Network
from vnet_tui.engine.views import Guest, NetworkInfo, Preview
from vnet_tui.units import bit_rate
from vnet_tui.widgets.blocks import sparkline
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.overview_lines import (
    BLANK,
    LEGEND_LINE,
    NO_ADDRESSES,
    addresses_in_use,
    dns,
    fact,
    note,
    running_for,
    subnet_head,
)
from vnet_tui.widgets.picture import Line
from vnet_tui.widgets.states import MODES
from vnet_tui.widgets.subnet_bar import subnet_bar, window

LONGEST_BAR = 33
"""The most cells of a subnet's bar, with the margin before it."""

BAR_INK = "accent"
"""The role of all of a bar. One ink, since each change of ink takes more bytes than three cells;
what is what its letters and blocks tell."""

LEGEND: Line = tuple(
    cell if cell.role == "dim" else Cell(cell.text, BAR_INK) for cell in LEGEND_LINE
)

MOST_SUBNETS = 2
"""So many are told one by one."""

QUIET = 10_000.0
"""Bits a second that are a full block at least."""


def told_always(info: NetworkInfo, document: Network, now: float) -> list[Line]:
    """What there is to say of every network, line for line the same."""
    return [
        fact("state", *running_for(info, now)),
        fact("mode", Cell(MODES[info.mode].partition(":")[0])),
        fact("DNS", *dns(document)),
    ]


def told_of_some(info: NetworkInfo, plan: Preview | VnetError) -> list[Line]:
    """What there is to say of a network in particular: its title, and why it isn't as defined,
    with what would be done about that in few words."""
    lines = [fact("title", Cell(info.title))] if info.title else []
    if not info.unsettled:
        return lines + note(info)
    label = "pending" if info.pending else "drifted"
    why = info.note or ("the definition differs" if info.pending else "others changed the host")
    lines.append(fact(label, Cell(why, "warn")))
    if isinstance(plan, VnetError):
        lines.append(fact("", Cell(plan.message, "bad")))
    elif plan:
        count = len(plan.steps)
        steps = f"{count} step{'' if count == 1 else 's'}, {plan.disturbs}; p applies it"
        lines.append(fact("", Cell(steps)))
    return lines


def past(means: Sequence[Sequence[float | None]], peaks: Sequence[float]) -> list[Line]:
    """What flowed in the last ten minutes: mean rates, in and out, each to a scale of its own,
    and the highest rate there was."""
    return [
        fact(
            label,
            Cell(f"{arrow}{sparkline(values, least=QUIET)}", role),
            Cell(f"  up to {bit_rate(peak).strip()}", "dim"),
        )
        for label, arrow, role, values, peak in zip(
            ("10 min", ""), ("↓ in  ", "↑ out "), ("in", "out"), means, peaks, strict=True
        )
    ]


def subnets(document: Network, guests: tuple[Guest, ...], width: int) -> list[Line]:
    """The host's addresses with how full their ranges are, under what the bars mean. A bar on
    which there would be nothing but the host is left out."""
    if not document.ips:
        return [NO_ADDRESSES]
    dhcp = document.dhcp or Dhcp()
    used = addresses_in_use(guests)
    lines = [
        tuple(cell if cell.role == "dim" else Cell(cell.text, BAR_INK) for cell in LEGEND_LINE)
    ]
    for ip in document.ips[:MOST_SUBNETS]:
        lines.append(subnet_head(ip, dhcp, used))
        bar = _bar(ip, dhcp, used, min(width, LONGEST_BAR))
        lines += [bar, BLANK] if bar else [BLANK]
    if more := len(document.ips) - MOST_SUBNETS:
        lines += [(Cell(f" and {more} more", "dim"),)] if more > 0 else []
    return lines


def _bar(ip: Ip, dhcp: Dhcp, used: Collection[Address], width: int) -> Line | None:
    """A subnet from its first address to its last; that is named where it is another one. None:
    there would be nothing but the host on it."""
    reserved = {one.address for one in dhcp.reservations if one.address in ip.subnet}
    if not (ip.ranges or reserved or any(address in ip.subnet for address in used)):
        return None
    shown = window(ip, reserved)
    whole = shown.last == ip.subnet.broadcast_address
    end = "" if whole else f" {shown.last}"
    bar = subnet_bar(ip, shown, max(1, width - len(end) - 1), reserved=reserved, used=used)
    return (Cell(f" {''.join(cell.text for cell in bar)}", BAR_INK), Cell(end, "dim"))
