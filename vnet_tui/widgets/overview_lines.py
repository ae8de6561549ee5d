"""What the overview of a network says, as lines. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.model import INFINITE_LEASE, Address, Dhcp, Ip, Network, Range
from vnet_tui.engine.views import Disturbance, Guest, NetworkInfo, NetworkTraffic, Preview, State
from vnet_tui.units import byte_size, duration, packet_count
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line
from vnet_tui.widgets.states import EDITED, MODES, STATE_SYMBOLS
from vnet_tui.widgets.subnet_bar import LEGEND, subnet_bar, usage, window

LABEL = 11
"""The width of the labels, in cells."""

MOST_STEPS = 12
"""So many steps of a pending plan are told one by one."""

_DISTURBANCE_ROLES = {
    Disturbance.LIVE: "good",
    Disturbance.RESTARTS_SERVICES: "warn",
    Disturbance.DISCONNECTS_GUESTS: "bad",
}

BLANK: Line = ()
LEGEND_LINE: Line = (Cell(" "), *LEGEND)
NO_ADDRESSES: Line = (Cell(" No addresses: the host has none on this network.", "dim"),)


def fact(label: str, *value: Cell) -> Line:
    """One line: a label, and what there is to say."""
    return (Cell(f" {label:<{LABEL - 1}}", "dim"), *value)


def facts(info: NetworkInfo, document: Network, now: float) -> list[Line]:
    """What the network is and how it is."""
    state = running_for(info, now)
    if info.started is not None:
        since = datetime.fromtimestamp(info.started).strftime("%d %b %H:%M")
        state.append(Cell(f", since {since}"))
    lines = [fact("state", *state), *note(info)]
    if info.title:
        lines.append(fact("title", Cell(info.title)))
    name = [Cell(info.name, "strong")]
    if info.id is not None:
        name.append(Cell(f", id {info.id}"))
    lines.append(fact("name", *name))
    lines.append(fact("uuid", Cell(str(info.uuid))))
    lines.append(fact("bridge", Cell(_bridge(info, document))))
    mode, colon, meaning = MODES[info.mode].partition(":")
    lines.append(fact("mode", Cell(mode), Cell(colon + meaning, "dim")))
    lines.append(fact("DNS", *dns(document)))
    lines.append(fact("start", Cell(_start(info))))
    return lines


def running_for(info: NetworkInfo, now: float) -> list[Cell]:
    """The state, and how long it has been running."""
    symbol = STATE_SYMBOLS[info.state]
    lasting = f" for {duration(now - info.started)}" if info.started is not None else ""
    return [Cell(f"{symbol.text} {info.state}", symbol.role), Cell(lasting)]


def note(info: NetworkInfo) -> list[Line]:
    """What is remarkable about the state, if anything."""
    role = "bad" if info.state is State.DAMAGED else "warn"
    return [fact("", Cell(info.note, role))] if info.note else []


def totals(traffic: NetworkTraffic | None) -> list[Line]:
    """What went through it since it was started."""
    if traffic is None:
        return [fact("total", Cell("–", "dim"))]
    counted = traffic.traffic.totals
    return [
        fact(label, Cell(arrow, role), Cell(_amount(octets, packets)), _dropped(drops))
        for label, arrow, role, octets, packets, drops in (
            ("total", "↓ in  ", "in", counted.in_bytes, counted.in_packets, counted.in_drops),
            ("", "↑ out ", "out", counted.out_bytes, counted.out_packets, counted.out_drops),
        )
    ]


def pending(info: NetworkInfo, plan: Preview | VnetError) -> list[Line]:
    """What would be done to bring what runs to its definition."""
    if not info.unsettled:
        return []
    label = "pending" if info.pending else "drifted"
    differs = "the definition differs" if info.pending else "others changed the host"
    if isinstance(plan, VnetError):
        return [BLANK, fact(label, Cell(plan.message, "bad"))]
    if not plan:
        return [BLANK, fact(label, Cell(f"{differs}, nothing to do on the host"))]
    worst = plan.disturbs
    lines = [
        BLANK,
        fact(
            label,
            Cell(f"{differs}; "),
            Cell("p", "strong"),
            Cell(" applies the definition: "),
            Cell(str(worst), _DISTURBANCE_ROLES[worst]),
        ),
    ]
    for step in plan.steps[:MOST_STEPS]:
        quiet = step.disturbs is Disturbance.LIVE
        mark = [] if quiet else [Cell(f" ({step.disturbs})", "warn")]
        lines.append(fact("", Cell(f"· {step.text}"), *mark))
    if more := len(plan.steps) - MOST_STEPS:
        lines += [fact("", Cell(f"· and {more} more", "dim"))] if more > 0 else []
    return lines


def edited(what: str) -> list[Line]:
    """What is staged and not applied yet, in words; nothing where that is empty."""
    if not what:
        return []
    told = (Cell(f"{EDITED} {what}; not applied yet, ", "warn"), Cell("P", "strong"))
    return [BLANK, fact("edited", *told, Cell(" shows it"))]


def addressing(document: Network, guests: tuple[Guest, ...], width: int) -> list[Line]:
    """Each of the host's addresses, its subnet as a bar of at most ``width`` cells in all, and the
    ranges in it."""
    if not document.ips:
        return [BLANK, NO_ADDRESSES]
    dhcp = document.dhcp or Dhcp()
    used = addresses_in_use(guests)
    lines: list[Line] = []
    for ip in document.ips:
        lines += [BLANK, subnet_head(ip, dhcp, used)]
        bar = bar_line(ip, dhcp, used, width)
        lines += [bar] if bar else []
        lines += [range_line(range_, dhcp) for range_ in ip.ranges]
    return [*lines, BLANK, LEGEND_LINE]


def addresses_in_use(guests: Collection[Guest]) -> set[Address]:
    """Those that are leased, and those of who is on the network."""
    used = {guest.lease.address for guest in guests if guest.lease is not None}
    return used | {address for guest in guests if guest.port for address in guest.addresses}


def bar_line(ip: Ip, dhcp: Dhcp, used: Collection[Address], width: int) -> Line | None:
    """A subnet as a bar between its first and last address; None where there is no room."""
    reserved = {reservation.address for reservation in dhcp.reservations}
    shown = window(ip, reserved)
    first, last = f" {shown.first} ", f" {shown.last}"
    room = width - len(first) - len(last)
    if room < 8:
        return None
    bar = subnet_bar(ip, shown, room, reserved=reserved, used=used)
    return (Cell(first, "dim"), *bar, Cell(last, "dim"))


def subnet_head(ip: Ip, dhcp: Dhcp, used: Collection[Address]) -> Line:
    """The host's address, and how full the ranges there are."""
    served = "DHCP off" if not dhcp.enabled else usage(ip.ranges, used)
    return (Cell(f" {ip.interface}", "strong"), Cell(f"  {served}", "dim"))


def range_line(range_: Range, dhcp: Dhcp) -> Line:
    """What DHCP hands out, and for how long."""
    seconds = range_.lease_time or dhcp.lease_time
    lease = ""
    if seconds:
        lease = (
            "  leases for ever" if seconds >= INFINITE_LEASE else f"  leases {duration(seconds)}"
        )
    return (Cell(f" range {range_.start} – {range_.end}"), Cell(lease, "dim"))


def _bridge(info: NetworkInfo, document: Network) -> str:
    if info.bridge:
        return info.bridge
    named = document.bridge.name if document.bridge else None
    return f"{named} (when it runs)" if named else "named when it starts"


def dns(document: Network) -> list[Cell]:
    """Whether names are resolved, in which domain, and who is asked."""
    if not document.serves_dns:
        return [Cell("off", "dim")]
    domain = document.dns.domain if document.dns else None
    value = [Cell(f"on, domain {domain}" if domain else "on, no domain")]
    if document.dns and document.dns.forwarders:
        asked = ", ".join(str(forwarder.address) for forwarder in document.dns.forwarders)
        value.append(Cell(f", asks {asked}"))
    return value


def _start(info: NetworkInfo) -> str:
    if not info.persistent:
        return "transient: gone when it is stopped"
    return "by itself with the host" if info.autostart else "by hand"


def _amount(octets: int, packets: int) -> str:
    return f"{byte_size(octets)}  {packet_count(packets).rstrip():>6} packets"


def _dropped(drops: int) -> Cell:
    return Cell(f"  {drops:,} dropped", "warn" if drops else "dim")
