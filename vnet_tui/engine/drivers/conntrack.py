"""The connections that the kernel tracks, read by hand.

Constants and layouts are those of ``linux/netfilter/nfnetlink_conntrack.h``, ``nfnetlink.h`` and
``nf_conntrack_common.h``; integers in attributes are big-endian. A general netlink library needs
twenty times as long for a table of 10,000.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from vnet_tui.engine.drivers.netlink import HEADER, attributes, ends_dump, messages
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Address, Subnet

NETLINK_NETFILTER = 12
_GET = 1 << 8 | 1  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET
_REQUEST_DUMP = 0x001 | 0x300
NFGENMSG = struct.Struct("BBH")
_RECEIVE = 1 << 17

ORIGINAL, REPLY, STATUS, _PROTOINFO, _TIMEOUT = 1, 2, 3, 4, 7
_COUNTED_ORIGINAL, _COUNTED_REPLY, ID = 9, 10, 12
_WANTED = frozenset(
    (ORIGINAL, REPLY, STATUS, _PROTOINFO, _TIMEOUT, _COUNTED_ORIGINAL, _COUNTED_REPLY, ID)
)
_TUPLE = frozenset((1, 2))  # CTA_TUPLE_IP, CTA_TUPLE_PROTO
_ADDRESSES = frozenset((1, 2, 3, 4))  # CTA_IP_V4_SRC, _V4_DST, _V6_SRC, _V6_DST
_PROTOCOL = frozenset((1, 2, 3))  # CTA_PROTO_NUM, _SRC_PORT, _DST_PORT
_COUNTERS = frozenset((1, 2))  # CTA_COUNTERS_PACKETS, _BYTES
_ONE = frozenset((1,))  # CTA_PROTOINFO_TCP, and CTA_PROTOINFO_TCP_STATE in it

SEEN_REPLY = 1 << 1  # IPSSEEN_REPLY

_TCP_STATES = (
    "", "SYN sent", "SYN received", "established", "FIN wait", "close wait",
    "last ACK", "time wait", "closed", "SYN sent",
)  # fmt: skip
"""``enum tcp_conntrack``, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """An address, and a port where the protocol has them (else 0)."""

    address: Address
    port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A connection. ``source`` opened it to ``asked``; ``target`` is who answers, another one where
    it was translated on the way. ``sent`` and ``answered`` are packets and bytes from and to the
    source, None where nobody counts them. ``forgotten_in`` is in seconds."""

    id: int
    protocol: int
    source: End
    asked: End
    target: End
    sent: tuple[int, int] | None
    answered: tuple[int, int] | None
    state: str
    forgotten_in: int


def tracked(subnets: Collection[Subnet]) -> tuple[Tracked, ...]:
    """The connections that an address in one of these subnets opened or answers, in the network
    namespace of the calling thread.

    Blocks for some 5 ms a thousand. Raises DriverError.
    """
    found: list[Tracked] = []
    try:
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER
        ) as kernel:
            kernel.bind((0, 0))
            for family, version in ((socket.AF_INET, 4), (socket.AF_INET6, 6)):
                ours = [
                    (int(net.network_address), int(net.netmask))
                    for net in subnets
                    if net.version == version
                ]
                if ours:
                    found += filter(
                        None, (_read(body, ours) for body in dump(kernel, family, _WANTED))
                    )
    except OSError as error:
        raise DriverError(
            f"reading the tracked connections: {error.strerror}", "the kernel needs nf_conntrack"
        ) from error
    return tuple(found)


def dump(
    kernel: socket.socket, family: int, wanted: frozenset[int], filter_: bytes = b""
) -> Iterator[dict[int, bytes]]:
    """The ``wanted`` attributes of all connections of an address family that a filter, which are
    attributes too, lets pass. Raises OSError."""
    body = NFGENMSG.pack(family, 0, 0) + filter_
    kernel.send(HEADER.pack(HEADER.size + len(body), _GET, _REQUEST_DUMP, family, 0) + body)
    while True:
        for _, _, data, start, end in messages(kernel.recv(_RECEIVE)):
            if ends_dump(data, start - HEADER.size):
                return
            yield attributes(data, start + NFGENMSG.size, end, wanted)


def _read(found: dict[int, bytes], ours: list[tuple[int, int]]) -> Tracked | None:
    """A connection, unless neither end of it is ours."""
    protocol, source, asked = ends(found.get(ORIGINAL, b""))
    _, target, _ = ends(found.get(REPLY, b""))
    if not (_in(source[0], ours) or _in(target[0], ours)):
        return None
    return Tracked(
        id=number(found.get(ID, b"")),
        protocol=protocol,
        source=_end(*source),
        asked=_end(*asked),
        target=_end(*target),
        sent=_count(found.get(_COUNTED_ORIGINAL)),
        answered=_count(found.get(_COUNTED_REPLY)),
        state=_state(found),
        forgotten_in=number(found.get(_TIMEOUT, b"")),
    )


RawEnd = tuple[bytes, int]


def ends(data: bytes) -> tuple[int, RawEnd, RawEnd]:
    """The protocol of a tuple (``ORIGINAL``, ``REPLY``), its source and its destination."""
    parts = attributes(data, 0, len(data), _TUPLE)
    network, transport = parts.get(1, b""), parts.get(2, b"")
    addresses = attributes(network, 0, len(network), _ADDRESSES)
    numbers = attributes(transport, 0, len(transport), _PROTOCOL)
    source = addresses.get(1) or addresses.get(3, b"")
    destination = addresses.get(2) or addresses.get(4, b"")
    return (
        number(numbers.get(1, b"")),
        (source, number(numbers.get(2, b""))),
        (destination, number(numbers.get(3, b""))),
    )


def _in(address: bytes, ours: list[tuple[int, int]]) -> bool:
    value = int.from_bytes(address, "big")
    return any(value & mask == network for network, mask in ours)


def _end(address: bytes, port: int) -> End:
    whole = IPv4Address(address) if len(address) == 4 else IPv6Address(address)
    return End(address=whole, port=port)


def number(data: bytes) -> int:
    """An integer of an attribute."""
    return int.from_bytes(data, "big")


def _count(data: bytes | None) -> tuple[int, int] | None:
    if data is None:
        return None
    parts = attributes(data, 0, len(data), _COUNTERS)
    return number(parts.get(1, b"")), number(parts.get(2, b""))


def _state(found: dict[int, bytes]) -> str:
    """TCP's own; for others whether anybody answered."""
    info = found.get(_PROTOINFO, b"")
    tcp = attributes(info, 0, len(info), _ONE).get(1, b"")
    known = number(attributes(tcp, 0, len(tcp), _ONE).get(1, b""))
    if 0 < known < len(_TCP_STATES):
        return _TCP_STATES[known]
    return "answered" if number(found.get(STATUS, b"")) & SEEN_REPLY else "unanswered"
