"""The tab with the network's addresses and what DHCP hands out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from vnet_tui.drafts.lists import ADDRESS, OPTION, RANGE, RESERVATION, Kind, Place
from vnet_tui.engine import entries
from vnet_tui.engine.model import (
    INFINITE_LEASE,
    Dhcp,
    DhcpOption,
    Ip,
    Network,
    Range,
    Reservation,
)
from vnet_tui.engine.xml.values import written_lease_time
from vnet_tui.units import duration
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.editing.list_tab import ListTab
from vnet_tui.widgets.editing.settings import Setting, attribute
from vnet_tui.widgets.fields import SwitchField, TextField
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.overview_lines import bar_line
from vnet_tui.widgets.picture import Line
from vnet_tui.widgets.subnet_bar import LEGEND, usage

COLUMNS = (
    Column(key="kind", label="", width=11),
    Column(key="what", label="address", width=31, grow=2, most=52),
    Column(key="detail", label="for", width=30, grow=3),
)


class AddressesTab(ListTab):
    """Addresses, ranges, reservations and options; above them the subnet as a bar."""

    TITLE = "Addresses"
    KINDS: ClassVar[tuple[Kind, ...]] = (ADDRESS, RANGE, RESERVATION, OPTION)
    EMPTY_TEXT: ClassVar[str] = "No addresses: + adds the host's own, with its subnet."

    def __init__(self) -> None:
        super().__init__(COLUMNS, _settings(), id="editor-addresses")

    def cells(self, place: Place, element: Any) -> Sequence[Cell]:
        """One of the four."""
        kind = Cell(place.kind.word, "dim")
        match element:
            case Ip():
                used = usage(element.ranges, self.running.used)
                return kind, Cell(str(element.interface), "strong"), Cell(used, "dim")
            case Range():
                return kind, Cell(f"{element.start} – {element.end}"), Cell(_leases(element))
            case Reservation():
                who = "  ".join(text for text in (element.name, element.mac) if text)
                return kind, Cell(str(element.address)), Cell(who)
            case DhcpOption():
                number = f"{element.name or element.number}"
                family = "  DHCPv6" if element.family == 6 else ""
                return kind, Cell(f"{number}{family}"), Cell(element.value)
        raise AssertionError(element)

    def drawing(self, network: Network, place: Place | None, width: int) -> Sequence[Line]:
        """The subnet that an element is in, else the first one."""
        ip = subnet_of(network, place)
        bar = bar_line(ip, network.dhcp or Dhcp(), self.running.used, width) if ip else None
        return [bar, (Cell(" "), *LEGEND)] if bar else []


def subnet_of(network: Network, place: Place | None) -> Ip | None:
    """The address whose subnet an element is in; the first one where it is in none."""
    items = place.kind.get(network) if place else ()
    element = items[place.at] if place and place.at < len(items) else None
    match element:
        case Ip():
            return element
        case Range(start=address) | Reservation(address=address):
            home = (ip for ip in network.ips if address in ip.subnet)
            return next(home, None)
    return network.ips[0] if network.ips else None


def _leases(one: Range) -> str:
    size = int(one.end) - int(one.start) + 1
    count = f"{size:,}" if size < 1_000_000 else f"2^{size.bit_length() - 1}"
    amount = "1 address" if size == 1 else f"{count} addresses"
    if one.lease_time is None:
        return amount
    if one.lease_time >= INFINITE_LEASE:
        return f"{amount}, leases for ever"
    return f"{amount}, leases {duration(one.lease_time)}"


def _settings() -> list[Setting]:
    return [
        attribute(
            "dhcp",
            Dhcp,
            "enabled",
            SwitchField("DHCP", True, words=("on", "off: addresses only")),
            "switch DHCP",
        ),
        attribute(
            "dhcp",
            Dhcp,
            "lease_time",
            TextField("lease time", entries.lease_time, example="1h, unless a range says another"),
            "change the lease time",
            written_lease_time,
        ),
    ]
