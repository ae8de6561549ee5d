"""What rtnetlink messages about interfaces, addresses, routes and bridge ports say.

Pure: bytes in, values out. Structures and numbers are those of ``include/uapi/linux/if_link.h``,
``if_addr.h``, ``rtnetlink.h`` and ``neighbour.h``.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)

from vnet_tui.engine.drivers.netlink import Message, attribute, attributes
from vnet_tui.engine.model import Address, Interface, Subnet
from vnet_tui.engine.resources import BridgeSettings, Link, Route

AF_BRIDGE = 7
_RT_TABLE_MAIN = 254

_IFINFOMSG = struct.Struct("=BxHiII")
"""``struct ifinfomsg``: family, hardware type, index, flags, mask of changed flags."""

_IFADDRMSG = struct.Struct("=BBBBI")
"""``struct ifaddrmsg``: family, prefix length, flags, scope, index."""

_RTMSG = struct.Struct("=BBBBBBBBI")
"""``struct rtmsg``: family, prefix length (to, from), TOS, table, protocol, scope, type, flags."""

_NDMSG = struct.Struct("=BxxxiHBB")
"""``struct ndmsg``: family, index, state, flags, type."""

_U32 = struct.Struct("=I")
_NEXT_HOP = struct.Struct("=HBBi")

_IFF_UP = 0x1
_IFF_LOWER_UP = 0x10000

_IFLA_ADDRESS = 1
_IFLA_IFNAME = 3
_IFLA_MTU = 4
_IFLA_MASTER = 10
_IFLA_LINKINFO = 18
_IFLA_IFALIAS = 20
_IFLA_EXT_MASK = 29
_RTEXT_FILTER_SKIP_STATS = 1 << 3
_LINK = frozenset(
    {_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_IFALIAS}
)
_IFLA_INFO_KIND = 1
_IFLA_INFO_DATA = 2
_LINKINFO = frozenset({_IFLA_INFO_KIND, _IFLA_INFO_DATA})
_IFLA_BR_FORWARD_DELAY = 1
_IFLA_BR_STP_STATE = 5
_BRIDGE = frozenset({_IFLA_BR_FORWARD_DELAY, _IFLA_BR_STP_STATE})

_IFA_ADDRESS = 1
_IFA_LOCAL = 2
_ADDRESS = frozenset({_IFA_ADDRESS, _IFA_LOCAL})

_RTA_DST = 1
_RTA_OIF = 4
_RTA_GATEWAY = 5
_RTA_MULTIPATH = 9
_RTA_TABLE = 15
_RTA_VIA = 18
_ROUTE = frozenset({_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_MULTIPATH, _RTA_TABLE, _RTA_VIA})
_GATEWAY = frozenset({_RTA_GATEWAY, _RTA_VIA})

_NDA_LLADDR = 2
_NDA_MASTER = 9
_NEIGHBOUR = frozenset({_NDA_LLADDR})
_NUD_LEARNED = 0x02 | 0x04
"""REACHABLE, or STALE once it has aged: a bridge's own and its static entries are PERMANENT and
NOARP (``fdb_to_nud`` in ``net/bridge/br_fdb.c``)."""
_NTF_SELF = 0x02

CENTISECONDS = 100
"""The kernel counts a bridge's times in hundredths of a second (USER_HZ)."""


ALL_LINKS = _IFINFOMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0) + attribute(
    _IFLA_EXT_MASK, _U32.pack(_RTEXT_FILTER_SKIP_STATS)
)
"""The body of an RTM_GETLINK that dumps all interfaces, without their counters."""

ALL_ADDRESSES = _IFADDRMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
"""The body of an RTM_GETADDR that dumps the addresses of all interfaces."""


def main_routes(family: int) -> bytes:
    """The body of an RTM_GETROUTE that dumps the main table of one address family."""
    return _RTMSG.pack(family, 0, 0, 0, _RT_TABLE_MAIN, 0, 0, 0, 0)


def link_named(name: str) -> bytes:
    """The body of an RTM_GETLINK that gets one interface."""
    return _IFINFOMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0) + attribute(
        _IFLA_IFNAME, name.encode(errors="surrogateescape") + b"\0"
    )


def neighbours_of_bridge(index: int) -> bytes:
    """The body of an RTM_GETNEIGH that dumps a bridge's forwarding database."""
    return _NDMSG.pack(AF_BRIDGE, 0, 0, 0, 0) + attribute(_NDA_MASTER, _U32.pack(index))


@dataclass(frozen=True, slots=True)
class LinkMessage:
    """An interface as one message tells it; ``master`` is an index, 0 for none."""

    index: int
    name: str
    kind: str
    alias: str
    up: bool
    carrier: bool
    master: int
    mtu: int
    mac: str
    settings: BridgeSettings | None

    def link(self, master: str | None, addresses: Iterable[Interface]) -> Link:
        """The interface with what other messages tell of it."""
        return Link(
            index=self.index,
            name=self.name,
            kind=self.kind,
            alias=self.alias,
            up=self.up,
            carrier=self.carrier,
            master=master,
            addresses=frozenset(addresses),
            settings=self.settings,
            mtu=self.mtu,
        )


def _text(value: bytes) -> str:
    """A C string of the kernel; names and aliases may hold any bytes."""
    return value.rstrip(b"\0").decode(errors="surrogateescape")


def _number(value: bytes | None) -> int:
    return int(_U32.unpack_from(value)[0]) if value else 0


def read_link(message: Message) -> LinkMessage:
    """An RTM_NEWLINK or RTM_DELLINK."""
    _, _, data, start, end = message
    _, _, index, flags, _ = _IFINFOMSG.unpack_from(data, start)
    found = attributes(data, start + _IFINFOMSG.size, end, _LINK)
    info = found.get(_IFLA_LINKINFO, b"")
    details = attributes(info, 0, len(info), _LINKINFO) if info else {}
    kind = _text(details.get(_IFLA_INFO_KIND, b""))
    mtu = _number(found.get(_IFLA_MTU))
    mac = found.get(_IFLA_ADDRESS, b"").hex(":")
    settings = None
    if kind == "bridge":
        options = details.get(_IFLA_INFO_DATA, b"")
        bridge = attributes(options, 0, len(options), _BRIDGE)
        settings = BridgeSettings(
            mac=mac,
            mtu=mtu,
            stp=bool(_number(bridge.get(_IFLA_BR_STP_STATE))),
            forward_delay=-(-_number(bridge.get(_IFLA_BR_FORWARD_DELAY)) // CENTISECONDS),
        )
    return LinkMessage(
        index=index,
        name=_text(found.get(_IFLA_IFNAME, b"")),
        kind=kind,
        alias=_text(found.get(_IFLA_IFALIAS, b"")),
        up=bool(flags & _IFF_UP),
        carrier=bool(flags & _IFF_LOWER_UP),
        master=_number(found.get(_IFLA_MASTER)),
        mtu=mtu,
        mac=mac,
        settings=settings,
    )


def family(message: Message) -> int:
    """The address family that a message is about; AF_BRIDGE marks those about bridge ports."""
    _, _, data, start, _ = message
    return data[start]


def read_address(message: Message) -> tuple[int, Interface] | None:
    """The interface's index and the address of an RTM_NEWADDR or RTM_DELADDR."""
    _, _, data, start, end = message
    _, prefix, _, _, index = _IFADDRMSG.unpack_from(data, start)
    found = attributes(data, start + _IFADDRMSG.size, end, _ADDRESS)
    packed = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
    return (index, _interface(packed, prefix)) if packed else None


def address_index(message: Message) -> int:
    """The index of the interface that an RTM_NEWADDR or RTM_DELADDR is about."""
    _, _, data, start, _ = message
    return int(_IFADDRMSG.unpack_from(data, start)[4])


def read_route(message: Message) -> tuple[int, Route] | None:
    """The index of the device (0: none) and the route; None for those of other tables."""
    _, _, data, start, end = message
    kind, prefix, _, _, table, protocol, _, _, _ = _RTMSG.unpack_from(data, start)
    found = attributes(data, start + _RTMSG.size, end, _ROUTE)
    if (_number(found.get(_RTA_TABLE)) or table) != _RT_TABLE_MAIN:
        return None
    destination = found.get(_RTA_DST) or bytes(4 if kind == socket.AF_INET else 16)
    device = _number(found.get(_RTA_OIF))
    hops = found.get(_RTA_MULTIPATH)
    if hops:
        length, _, _, device = _NEXT_HOP.unpack_from(hops)
        found = attributes(hops, _NEXT_HOP.size, length, _GATEWAY)
    gateway = found.get(_RTA_GATEWAY) or found.get(_RTA_VIA, b"")[2:]
    return device, Route(
        destination=_subnet(destination, prefix),
        device=None,
        gateway=_address(gateway) if gateway else None,
        protocol=protocol,
    )


def read_learned(message: Message) -> tuple[str, int] | None:
    """A MAC and the index of the port behind which a bridge learned it; None if it didn't."""
    _, _, data, start, end = message
    _, index, state, flags, _ = _NDMSG.unpack_from(data, start)
    if flags & _NTF_SELF or not state & _NUD_LEARNED:
        return None
    mac = attributes(data, start + _NDMSG.size, end, _NEIGHBOUR).get(_NDA_LLADDR)
    return (mac.hex(":"), index) if mac else None


@lru_cache(maxsize=8192)
def _interface(packed: bytes, prefix: int) -> Interface:
    return (IPv4Interface if len(packed) == 4 else IPv6Interface)((packed, prefix))


@lru_cache(maxsize=8192)
def _subnet(packed: bytes, prefix: int) -> Subnet:
    return (IPv4Network if len(packed) == 4 else IPv6Network)((packed, prefix))


@lru_cache(maxsize=1024)
def _address(packed: bytes) -> Address:
    return (IPv4Address if len(packed) == 4 else IPv6Address)(packed)
