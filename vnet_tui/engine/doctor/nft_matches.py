"""nft's expressions on paper: what of a packet they look at, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_network
from typing import Any

from vnet_tui.engine.doctor.packet import Layer, Packet
from vnet_tui.engine.doctor.tables import Match
from vnet_tui.engine.doctor.values import Value, either, every, negated, parsed, range_test

Sets = dict[str, Mapping[str, Any]]
"""The named sets and maps of a table, as nft lists them."""


class Other(Enum):
    """What isn't a value: the packet has no such thing, or it isn't known."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


Found = Value | Other
Get = Callable[[Packet], Found]

_L4 = {"icmpv6": "ipv6-icmp"}
_NFPROTO = {4: "ipv4", 6: "ipv6"}
_ETHERTYPE = {4: "ip", 6: "ip6"}
_ARP_OPERATIONS = {False: "request", True: "reply"}
_EVERYBODY = "ff:ff:ff:ff:ff:ff"
_PKTTYPE = {"broadcast": "broadcast", "multicast": "multicast"}
_WITH_PORTS = ("tcp", "udp")


def match(operator: str, left: Any, right: Any, sets: Sets) -> Match:
    """A comparison of nft's as a question to a packet."""
    if isinstance(left, dict) and "concat" in left:
        return _concatenated(operator, left["concat"], right, sets)
    if (mask := _flag_mask(left)) is not None:
        return _flags(operator, mask, right)
    get = _getter(left)
    flags = isinstance(left, dict) and "ct" in left
    compare = _comparison(operator, right, sets, listed=flags)

    def matches(packet: Packet) -> bool | None:
        value = get(packet)
        if value is Other.ABSENT:
            return False
        if isinstance(value, Other):
            return None
        return compare(value)

    return matches


_ALL_FLAGS = frozenset({"fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"})


def _flag_mask(left: Any) -> frozenset[str] | None:
    """Which of TCP's flags an expression looks at; None where it looks at something else."""
    mask: Any = _ALL_FLAGS
    if isinstance(left, dict) and "&" in left:
        left, mask = left["&"]
    if left != {"payload": {"protocol": "tcp", "field": "flags"}}:
        return None
    names = {mask} if isinstance(mask, str) else mask
    return frozenset(names) if isinstance(names, (list, set, frozenset)) else None


def _flags(operator: str, mask: frozenset[str], right: Any) -> Match:
    """The packet on paper opens a connection (syn), or belongs to one (ack)."""
    wanted = frozenset([right] if isinstance(right, str) else right or ())

    def matches(packet: Packet) -> bool | None:
        if packet.protocol != "tcp":
            return False
        if packet.state != "new":  # what an established connection carries may have any of them
            return None
        has = mask & {"syn"}
        if operator == "in":
            return bool(has & wanted)
        return (has == wanted) is (operator == "==") if operator in ("==", "!=") else None

    return matches


def _concatenated(operator: str, parts: list[Any], right: Any, sets: Sets) -> Match:
    getters = [_getter(part) for part in parts]
    rows = [_row(one, len(parts)) for one in _listed(right, sets)]

    def matches(packet: Packet) -> bool | None:
        values = [get(packet) for get in getters]
        if Other.ABSENT in values:
            return False
        found = either(
            every(
                None if isinstance(value, Other) else _equal(value, wanted)
                for value, wanted in zip(values, row, strict=True)
            )
            if row is not None
            else None
            for row in rows
        )
        return negated(found) if operator == "!=" else found

    return matches


def _row(element: Any, width: int) -> list[Any] | None:
    element = _bare(element)
    row = element.get("concat") if isinstance(element, dict) else None
    return row if isinstance(row, list) and len(row) == width else None


def _comparison(
    operator: str, right: Any, sets: Sets, *, listed: bool
) -> Callable[[Value], bool | None]:
    if operator in ("==", "!=", "in"):
        choices = _listed(right, sets)
        if listed and isinstance(right, list):  # flags: any of them
            choices = right

        def equal(value: Value) -> bool | None:
            found = either(_equal(value, choice) for choice in choices)
            return negated(found) if operator == "!=" else found

        return equal
    orders: Mapping[str, Callable[[int, int], bool]] = {
        "<": lambda one, other: one < other,
        ">": lambda one, other: one > other,
        "<=": lambda one, other: one <= other,
        ">=": lambda one, other: one >= other,
    }
    order = orders.get(operator)

    def ordered(value: Value) -> bool | None:
        if order is None or not isinstance(value, int) or not isinstance(right, int):
            return None
        return order(value, right)

    return ordered


def _listed(right: Any, sets: Sets) -> list[Any]:
    """The elements that a value may be: those of a set, or the one that is there."""
    if isinstance(right, str) and right.startswith("@"):
        named = sets.get(right.removeprefix("@"))
        return list(named.get("elem", [])) if named is not None else [None]
    if isinstance(right, dict) and "set" in right:
        inside = right["set"]
        return list(inside) if isinstance(inside, list) else [inside]
    return [right]


def _bare(element: Any) -> Any:
    """An element without its timeout, counter or comment."""
    return element["elem"]["val"] if isinstance(element, dict) and "elem" in element else element


def _equal(value: Value, wanted: Any) -> bool | None:
    wanted = _bare(wanted)
    if isinstance(wanted, bool):
        return value == int(wanted)
    if isinstance(wanted, dict) and "prefix" in wanted:
        subnet = ip_network(f"{wanted['prefix']['addr']}/{wanted['prefix']['len']}", strict=False)
        return not isinstance(value, (str, int)) and value in subnet
    if isinstance(wanted, dict) and "range" in wanted:
        first, last = wanted["range"]
        return range_test(parsed(first), parsed(last))(value)
    if isinstance(wanted, str) and isinstance(value, str):
        if wanted.endswith("*"):
            return value.startswith(wanted[:-1])
        return value == wanted
    if isinstance(wanted, (str, int)):
        named = parsed(wanted)
        # A service or protocol by name, where the packet has a number: nft prints numbers.
        return None if isinstance(named, str) != isinstance(value, str) else value == named
    return None


@dataclass(frozen=True, slots=True)
class _Masked:
    get: Get
    mask: int

    def __call__(self, packet: Packet) -> Found:
        value = self.get(packet)
        return value & self.mask if isinstance(value, int) else value


def _getter(left: Any) -> Get:
    if not isinstance(left, dict) or len(left) != 1:
        return _unknown
    kind, value = next(iter(left.items()))
    if kind == "&" and isinstance(value, list) and isinstance(value[1], int):
        return _Masked(_getter(value[0]), value[1])
    if kind == "meta":
        return _META.get(value.get("key"), _unknown)
    if kind == "payload":
        return _payload(value.get("protocol", ""), value.get("field", ""))
    if kind == "ct":
        return _CT.get((value.get("dir"), value.get("key")), _unknown)
    if kind == "fib":
        return _fib(value)
    if kind == "exthdr":  # IPv6 extension headers, of which the packet on paper has none
        return lambda _packet: Other.ABSENT
    return _unknown


def _unknown(_packet: Packet) -> Found:
    return Other.UNKNOWN


def _known(value: Value | None) -> Found:
    return Other.UNKNOWN if value is None else value


_META: Mapping[str, Get] = {
    "iifname": lambda packet: packet.iif,
    "oifname": lambda packet: packet.oif,
    "iif": lambda packet: packet.iif or Other.ABSENT,
    "oif": lambda packet: packet.oif or Other.ABSENT,
    "ibrname": lambda packet: packet.bridge if packet.iif else Other.ABSENT,
    "obrname": lambda packet: packet.bridge if packet.oif else Other.ABSENT,
    "l4proto": lambda packet: (
        Other.ABSENT if packet.protocol == "arp" else _L4.get(packet.protocol, packet.protocol)
    ),
    "nfproto": lambda packet: (
        _NFPROTO[packet.version] if packet.layer is Layer.IP else Other.UNKNOWN
    ),
    "protocol": lambda packet: _ethertype(packet),
    "mark": lambda packet: _known(packet.mark),
    "pkttype": lambda packet: _packet_type(packet),
    "iiftype": lambda packet: "loopback" if packet.iif == "lo" else "ether",
}


def _ethertype(packet: Packet) -> Found:
    return "arp" if packet.protocol == "arp" else _ETHERTYPE[packet.version]


def _packet_type(packet: Packet) -> Found:
    """For whom the frame is. A port takes what is for the bridge for somebody else's."""
    if packet.layer is not Layer.IP and packet.target_type not in _PKTTYPE:
        return Other.UNKNOWN
    return _PKTTYPE.get(packet.target_type, "host")


def _state(packet: Packet) -> Found:
    """At interfaces nobody has looked yet which connection it belongs to."""
    return "invalid" if packet.layer is Layer.DEVICE else packet.state


def _frame(field: str) -> Get:
    """Of the Ethernet header only the type is known, and whether it is for everybody."""
    if field == "type":
        return _ethertype

    def get(packet: Packet) -> Found:
        return (
            _EVERYBODY if (field, packet.target_type) == ("daddr", "broadcast") else (Other.UNKNOWN)
        )

    return get


def _arp(field: str) -> Get:
    def get(packet: Packet) -> Found:
        if packet.protocol != "arp":
            return Other.ABSENT
        fields: dict[str, Found] = {
            "operation": _ARP_OPERATIONS[packet.reply],
            "saddr ip": packet.source,
            "daddr ip": packet.target,
        }
        return fields.get(field, Other.UNKNOWN)

    return get


def _status(packet: Packet) -> Found:
    return "dnat" if packet.translated else "none"


_CT: Mapping[tuple[str | None, str | None], Get] = {
    (None, "state"): _state,
    (None, "status"): _status,
    (None, "direction"): lambda packet: "reply" if packet.reply else "original",
    (None, "mark"): lambda _packet: 0,
    ("original", "proto-dst"): lambda packet: packet.original_port,
    ("original", "daddr"): lambda packet: packet.original_target,
    ("original", "ip daddr"): lambda packet: _of_family(packet, 4, packet.original_target),
    ("original", "ip6 daddr"): lambda packet: _of_family(packet, 6, packet.original_target),
}


def _of_family(packet: Packet, version: int, value: Value) -> Found:
    return value if packet.version == version else Other.ABSENT


def _payload(protocol: str, field: str) -> Get:
    if protocol == "ether":
        return _frame(field)
    if protocol == "arp":
        return _arp(field)
    if protocol == "vlan":
        return lambda _packet: Other.ABSENT
    if protocol in ("ip", "ip6"):
        return _header(4 if protocol == "ip" else 6, field)
    if protocol in ("icmp", "icmpv6"):
        return lambda packet: (
            (packet.icmp_type if field == "type" else Other.UNKNOWN)
            if packet.protocol == protocol
            else Other.ABSENT
        )
    if protocol in (*_WITH_PORTS, "th"):

        def port(packet: Packet) -> Found:
            if packet.protocol not in (_WITH_PORTS if protocol == "th" else (protocol,)):
                return Other.ABSENT
            return {"sport": packet.sport, "dport": packet.dport}.get(field, Other.UNKNOWN)

        return port
    if protocol in ("sctp", "dccp", "udplite", "ah", "esp", "comp", "igmp"):
        return lambda _packet: Other.ABSENT
    return _unknown


def _header(version: int, field: str) -> Get:
    def get(packet: Packet) -> Found:
        if packet.version != version or packet.protocol == "arp":
            return Other.ABSENT
        if field == "saddr":
            return packet.source
        if field == "daddr":
            return packet.target
        if field in ("protocol", "nexthdr"):
            return _L4.get(packet.protocol, packet.protocol)
        if field == "hoplimit" and packet.icmp_type.startswith("nd-"):
            return 255  # RFC 4861, section 4: all its messages
        return Other.UNKNOWN

    return get


def _fib(value: Mapping[str, Any]) -> Get:
    flags = value.get("flags", [])
    result = value.get("result")
    if result == "type" and flags in (["saddr"], ["daddr"]):
        return lambda packet: packet.source_type if flags == ["saddr"] else packet.target_type
    if result == "oif" and "saddr" in flags and "iif" in flags:
        # 1: there is a way back by the interface that it came from; "missing" is listed as false.
        return lambda packet: Other.UNKNOWN if packet.back is None else int(packet.back)
    return _unknown
