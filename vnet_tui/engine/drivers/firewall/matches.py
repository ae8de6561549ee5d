"""How nft says what rules match: the fields of packets, as single matches and as keys of sets."""

from __future__ import annotations

from dataclasses import dataclass

from vnet_tui.engine.drivers.firewall.fragments import Shape, Slot
from vnet_tui.engine.drivers.firewall.scopes import Scope
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import PortRange, Protocol, Subnet

FAMILY_OF = {4: "ip", 6: "ip6"}
"""nft's word for the header of an address family."""

ADDRESS_TYPE = {4: "ipv4_addr", 6: "ipv6_addr"}
"""nft's data type of an address family."""

INET_PORT = "inet_proto . inet_service"
ANY_PORT = "meta l4proto . th dport"
TCP_OR_UDP = "meta l4proto { tcp, udp } "
LED = "ct status dnat "
"""Only what was led to a guest by a forward."""


def quoted(interface: str) -> str:
    """An interface's name as nft takes it; refused where nft would read a pattern or a quote."""
    if not interface or set(interface) & set('"*\\\n'):
        raise DriverError(
            f"the bridge name {interface!r} can't be written into firewall rules",
            'choose one without ", * and \\',
        )
    return f'"{interface}"'


def subnet_match(field: str, subnet: Subnet) -> str:
    """Source or destination (``saddr``, ``daddr``) in a subnet."""
    return f"{FAMILY_OF[subnet.version]} {field} {subnet}"


@dataclass(frozen=True, slots=True)
class View:
    """Which fields of a packet are source, destination and port of its connection."""

    saddr: str
    daddr: str
    port: str


THERE = View("saddr", "daddr", "dport")
"""A packet in the direction in which the connection was opened."""

BACK = View("daddr", "saddr", "sport")
"""A packet that answers."""


def key_fields(shape: Shape, slot: Slot, view: View) -> list[str]:
    """The addresses in the key of a group's set, as nft's expressions."""
    if not slot.version:
        return []
    family = FAMILY_OF[slot.version]
    source, destination = f"{family} {view.saddr}", f"{family} {view.daddr}"
    if shape.forward:
        asked = f"ct original {family} daddr"
        parts = [(shape.source, source), (shape.destination, asked), (True, destination)]
    else:
        # An interval never stands by itself (see fragments).
        both = slot.interval and not shape.ports
        parts = [(shape.source or both, source), (shape.destination or both, destination)]
    return [words for present, words in parts if present]


def key_match(shape: Shape, slot: Slot, view: View) -> str:
    """The key of a group's set, with what has to hold beside it."""
    if shape.forward:
        # By the port that was asked for, since several can lead to one of the guest's.
        return asked_match(shape, slot, view)
    ports = [f"meta l4proto . th {view.port}"] if shape.ports else []
    return _protocol(shape.protocol) + " . ".join([*key_fields(shape, slot, view), *ports])


def asked_match(shape: Shape, slot: Slot, view: View) -> str:
    """The same key with the port that was asked for, before any translation."""
    fields = [*key_fields(shape, slot, view), "meta l4proto . ct original proto-dst"]
    return LED + TCP_OR_UDP + " . ".join(fields)


def key_types(shape: Shape, slot: Slot, view: View) -> str:
    """The data types of that key."""
    types = [ADDRESS_TYPE[slot.version] for _ in key_fields(shape, slot, view)]
    return " . ".join([*types, *([INET_PORT] if shape.ports else [])])


def scope_match(shape: Shape, version: int, scope: Scope, view: View) -> str:
    """The addresses of one rule, each matched by itself."""
    fields = key_fields(shape, Slot(version, "", False), view)
    words = [f"{field} {subnet} " for field, subnet in zip(fields, scope, strict=True)]
    return (LED if shape.forward else "") + "".join(words)


def port_match(protocol: Protocol | None, ports: PortRange | None, view: View) -> str:
    """Protocol and ports of one rule."""
    if ports is None:
        return _protocol(str(protocol) if protocol else "")
    transport = f"meta l4proto {protocol} " if protocol else TCP_OR_UDP
    return f"{transport}th {view.port} {ports} "


def asked_port_match(protocol: Protocol | None, ports: PortRange) -> str:
    """Protocol and ports of one rule, as they were asked for."""
    transport = f"meta l4proto {protocol} " if protocol else TCP_OR_UDP
    return f"{transport}ct original proto-dst {ports} "


def _protocol(protocol: str) -> str:
    if not protocol:
        return ""
    if protocol == Protocol.ICMP:
        return "meta l4proto { icmp, icmpv6 } "
    return f"meta l4proto {protocol} "
