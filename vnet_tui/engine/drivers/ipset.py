"""The sets of ipset(8), as the kernel lists them over netlink; nothing here changes any.

Constants are those of ``include/uapi/linux/netfilter/ipset/ip_set.h`` and ``nfnetlink.h``.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from vnet_tui.engine.drivers.netlink import ATTRIBUTE, HEADER, attribute, ends_dump, messages
from vnet_tui.engine.model import Address

MOST = 65_536
"""The elements that are read of a set; ipset itself allows as many unless told otherwise."""

_NETLINK_NETFILTER = 12
_LIST = 6 << 8 | 7  # NFNL_SUBSYS_IPSET, IPSET_CMD_LIST
_PROTOCOL = 6  # IPSET_PROTOCOL, which newer kernels speak too
_REQUEST_DUMP = 0x301
_DATAGRAM = 1 << 16

_A_PROTOCOL, _A_NAME, _A_TYPE, _A_DATA, _A_ELEMENTS = 1, 2, 3, 7, 8
_IP, _IP_TO, _CIDR, _PORT, _PORT_TO, _PROTO, _FLAGS, _MARK = 1, 2, 3, 4, 5, 7, 8, 10
_NAME, _IP2, _CIDR2, _IP2_TO, _IFACE = 18, 20, 21, 22, 23
_FLAG_PHYSDEV, _FLAG_NOMATCH, _FLAG_WILDCARD = 1 << 1, 1 << 2, 1 << 7
_TYPE_MASK = 0x3FFF


@dataclass(frozen=True, slots=True)
class Addresses:
    """From first to last, both included."""

    first: Address
    last: Address


@dataclass(frozen=True, slots=True)
class Ports:
    """From first to last, both included; ``protocol`` is IANA's number, 0: whatever."""

    protocol: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface by name, or all whose names begin so."""

    name: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """Another set."""

    name: str


Part = Addresses | Ports | Interface | Name | int | None
"""What a dimension of an element is: an int is a mark, None isn't understood."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element, a part a dimension. ``excluded``: what it holds is in no wider one (nomatch)."""

    parts: tuple[Part, ...]
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class IpSet:
    """A set: its ``type`` such as ``hash:net,port``; not ``complete``: it has more elements."""

    name: str
    type: str
    elements: tuple[Element, ...]
    complete: bool = True

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What its elements are made of: ``ip``, ``net``, ``port``, ``iface``, ``set``, ..."""
        return tuple(self.type.partition(":")[2].split(","))


def read_sets(names: frozenset[str]) -> Mapping[str, IpSet]:
    """The sets of these names, and those that they hold, in the network namespace of the calling
    thread; those that there aren't are left out. Raises OSError where the kernel has no sets."""
    found: dict[str, IpSet] = {}
    waiting = set(names)
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER
    ) as kernel:
        kernel.bind((0, 0))
        while waiting:
            name = waiting.pop()
            one = _read(kernel, name)
            if one is not None:
                found[name] = one
                held = {
                    part.name
                    for element in one.elements
                    for part in element.parts
                    if isinstance(part, Name)
                }
                waiting |= held - found.keys()
    return found


def _read(kernel: socket.socket, name: str) -> IpSet | None:
    body = struct.pack("=BBH", 0, 0, 0)
    body += attribute(_A_PROTOCOL, bytes([_PROTOCOL]))
    body += attribute(_A_NAME, name.encode() + b"\0")
    kernel.send(HEADER.pack(HEADER.size + len(body), _LIST, _REQUEST_DUMP, 1, 0) + body)
    kind = ""
    elements: list[Element] = []
    while True:
        for _, _, data, start, end in messages(kernel.recv(_DATAGRAM)):
            try:
                if ends_dump(data, start - HEADER.size):
                    return IpSet(name, kind, tuple(elements[:MOST]), len(elements) <= MOST)
            except FileNotFoundError:
                return None
            for number, value in _attributes(data[start + 4 : end]):
                if number == _A_TYPE:
                    kind = _text(value)
                elif number == _A_ELEMENTS and len(elements) <= MOST:
                    dimensions = kind.partition(":")[2].split(",")
                    inside = (one for at, one in _attributes(value) if at == _A_DATA)
                    elements += [_element(dict(_attributes(one)), dimensions) for one in inside]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while len(data) - position >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data, position)
        if length < ATTRIBUTE.size:
            return
        yield kind & _TYPE_MASK, data[position + ATTRIBUTE.size : position + length]
        position += (length + 3) & ~3


def _element(fields: Mapping[int, bytes], dimensions: list[str]) -> Element:
    flags = _number(fields.get(_FLAGS, b""))
    parts: list[Part] = []
    addresses = iter(((_IP, _IP_TO, _CIDR), (_IP2, _IP2_TO, _CIDR2)))
    for dimension in dimensions:
        if dimension in ("ip", "net"):
            parts.append(_addresses(fields, *next(addresses, (0, 0, 0))))
        elif dimension == "port":
            first = _number(fields.get(_PORT, b""))
            last = _number(fields[_PORT_TO]) if _PORT_TO in fields else first
            parts.append(Ports(_number(fields.get(_PROTO, b"")), first, last))
        elif dimension == "iface" and not flags & _FLAG_PHYSDEV:
            parts.append(Interface(_text(fields.get(_IFACE, b"")), bool(flags & _FLAG_WILDCARD)))
        elif dimension == "mark":
            parts.append(_number(fields.get(_MARK, b"")))
        elif dimension == "set":
            parts.append(Name(_text(fields.get(_NAME, b""))))
        else:
            parts.append(None)
    return Element(tuple(parts), bool(flags & _FLAG_NOMATCH))


def _addresses(fields: Mapping[int, bytes], at: int, to: int, cidr: int) -> Part:
    first = _address(fields.get(at, b""))
    if first is None:
        return None
    if (last := _address(fields.get(to, b""))) is not None:
        return Addresses(first, last)
    length = _number(fields[cidr]) if cidr in fields else first.max_prefixlen
    subnet = ip_network(f"{first}/{length}", strict=False)
    return Addresses(subnet.network_address, subnet.broadcast_address)


def _address(nested: bytes) -> Address | None:
    packed = next((value for _, value in _attributes(nested)), b"")
    return ip_address(packed) if len(packed) in (4, 16) else None


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _text(data: bytes) -> str:
    return data.split(b"\0")[0].decode(errors="replace")
