"""What a network has several of (addresses, ranges, rules, …), and how these lists are edited.

Pure: every edit gives another network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from vnet_tui.engine.check.addresses import reserved_in
from vnet_tui.engine.errors import StateError
from vnet_tui.engine.model import (
    Action,
    Address,
    Dhcp,
    DhcpOption,
    Dns,
    DnsHost,
    Element,
    Forwarder,
    Forwarding,
    Ip,
    Network,
    Policy,
    Protocol,
    Range,
    Record,
    Reservation,
    Rule,
)
from vnet_tui.engine.sections import within

Items = tuple[Any, ...]

LOOKED_AT = 1 << 16
"""So many addresses of a subnet are looked at for a free one."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of elements: a ``word`` for one of them, the class that holds one, and how the list
    of them is read from a network and put into it. ``ordered``: their order means something.
    ``line`` gives the line of one, told by its number, where it hasn't its own."""

    word: str
    make: Callable[..., Any]
    get: Callable[[Network], Items]
    put: Callable[[Network, Items], Network]
    ordered: bool = False
    line: Callable[[Network, int], int] | None = None


def _ranges(network: Network) -> Items:
    return tuple(one for ip in network.ips for one in ip.ranges)


def _put_ranges(network: Network, ranges: Items) -> Network:
    """Each where its subnet is; one that is in none stays in the first, whose check tells it."""
    if not network.ips:
        raise StateError(
            f"{network.name} has no address of the host, so no subnet", "add an address first"
        )
    of: dict[int, list[Range]] = {at: [] for at in range(len(network.ips))}
    for one in ranges:
        home = (at for at, ip in enumerate(network.ips) if one.start in ip.subnet)
        of[next(home, 0)].append(one)
    ips = tuple(replace(ip, ranges=tuple(of[at])) for at, ip in enumerate(network.ips))
    return replace(network, dhcp=replace(network.dhcp or Dhcp(), ips=ips))


def _rules(direction: str) -> Kind:
    def of(network: Network) -> Policy:
        policy: Policy | None = None
        if network.forwarding:
            policy = getattr(network.forwarding, direction)
        return policy or Policy()

    def get(network: Network) -> Items:
        return of(network).rules

    def line(network: Network, at: int) -> int:
        return of(network).line_of(at)

    def put(network: Network, rules: Items) -> Network:
        """Rules of an isolated network wait: it stays isolated."""
        forwarding = network.forwarding or Forwarding(enabled=False)
        changes: Any = {direction: of(network).with_rules(rules)}
        return replace(network, forwarding=replace(forwarding, **changes))

    return Kind(f"{direction} rule", Rule, get, put, ordered=True, line=line)


ADDRESS = Kind("address", Ip, *within("dhcp", Dhcp, "ips"))
RANGE = Kind("range", Range, _ranges, _put_ranges)
RESERVATION = Kind("reservation", Reservation, *within("dhcp", Dhcp, "reservations"))
OPTION = Kind("option", DhcpOption, *within("dhcp", Dhcp, "options"))
FORWARDER = Kind("forwarder", Forwarder, *within("dns", Dns, "forwarders"), ordered=True)
HOST = Kind("host", DnsHost, *within("dns", Dns, "hosts"))
RECORD = Kind("record", Record, *within("dns", Dns, "records"))
INCOMING = _rules("incoming")
OUTGOING = _rules("outgoing")


class Place(NamedTuple):
    """One element of a network: its kind, and its number among those, from 0."""

    kind: Kind
    at: int

    def of(self, network: Network) -> Any:
        """The element. IndexError: there is none."""
        return self.kind.get(network)[self.at]

    def line(self, network: Network) -> int:
        """Where it begins in the network's document; 0: nowhere. IndexError: there is none."""
        line_of = self.kind.line
        return line_of(network, self.at) if line_of else self.of(network).line


def place_at(network: Network, line: int, *kinds: Kind) -> Place | None:
    """The element of one of these kinds that begins in a line of the network's document."""
    places = (Place(kind, at) for kind in kinds for at in range(len(kind.get(network))))
    return next((place for place in places if place.line(network) == line), None)


def added(network: Network, place: Place, element: Element) -> Network:
    """With another element, which is at ``place`` then."""
    items = place.kind.get(network)
    return place.kind.put(network, (*items[: place.at], element, *items[place.at :]))


def changed(network: Network, place: Place, element: Element) -> Network:
    """With another element in the place of one."""
    items = place.kind.get(network)
    return place.kind.put(network, (*items[: place.at], element, *items[place.at + 1 :]))


def removed(network: Network, place: Place) -> Network:
    """Without one element."""
    items = place.kind.get(network)
    return place.kind.put(network, (*items[: place.at], *items[place.at + 1 :]))


def moved(network: Network, place: Place, by: int) -> tuple[Network, Place]:
    """With one element before the one that it stood behind, or the other way round; and where it
    is then. At an end nothing changes."""
    items = list(place.kind.get(network))
    goal = place.at + by
    if not 0 <= goal < len(items):
        return network, place
    items.insert(goal, items.pop(place.at))
    return place.kind.put(network, tuple(items)), Place(place.kind, goal)


def switched(network: Network, place: Place) -> Network:
    """With a rule switched off that was on, or on that was off."""
    rule: Rule = place.of(network)
    return changed(network, place, replace(rule, enabled=not rule.enabled))


def proposed(network: Network, kind: Kind) -> Mapping[str, Any]:
    """What a new element could begin with, by the names of its fields."""
    if kind is RANGE:
        return next((_upper_half(ip) for ip in network.ips if not ip.ranges), {})
    if kind is RESERVATION:
        return {"address": free} if (free := free_address(network)) else {}
    if kind in (INCOMING, OUTGOING):
        action = Action.ALLOW if kind is INCOMING else Action.DENY
        return {"action": action, "protocol": Protocol.TCP}
    return {}


def free_address(network: Network) -> Address | None:
    """The first address of the network's subnets that nothing has or hands out."""
    taken = {ip.address for ip in network.ips}
    taken |= {one.address for one in RESERVATION.get(network)}
    for ip in network.ips:
        first = int(ip.subnet.network_address)
        for number in range(first, first + min(LOOKED_AT, ip.subnet.num_addresses)):
            address = ip.subnet.network_address + (number - first)
            held = any(int(one.start) <= number <= int(one.end) for one in ip.ranges)
            if not held and address not in taken and not reserved_in(ip.subnet, address):
                return address
    return None


def _upper_half(ip: Ip) -> Mapping[str, Any]:
    """The second half of a small subnet, some hundred addresses of a large one."""
    size = min(ip.subnet.num_addresses, 256)
    start, end = ip.subnet.network_address + size // 2, ip.subnet.network_address + (size - 1)
    if reserved_in(ip.subnet, end):
        end -= 1
    return {"start": start, "end": end} if size >= 8 and int(ip.address) < int(start) else {}
