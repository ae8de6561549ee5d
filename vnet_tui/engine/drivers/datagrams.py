"""Having the kernel forget flows of UDP that no longer go where they should.

A flow has no end that the kernel could see: it is known for as long as its packets come, and goes
where the first one went. Who sends to a port that a forward leads elsewhere from now on, or for the
first time, would never get there.

Constants and layouts are those of ``linux/netfilter/nfnetlink_conntrack.h`` and, of filters, the
kernel's ``net/netfilter/nf_internals.h``; who doesn't know filters (before 5.8) lists all flows.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field

from vnet_tui.engine.drivers.conntrack import (
    ID,
    NETLINK_NETFILTER,
    NFGENMSG,
    ORIGINAL,
    REPLY,
    SEEN_REPLY,
    STATUS,
    dump,
    ends,
    number,
)
from vnet_tui.engine.drivers.netlink import (
    HEADER,
    RTM_GETADDR,
    RouteReader,
    attribute,
    attributes,
)
from vnet_tui.engine.model import Address, PortRange

_DELETE = 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE
_REQUEST_ACK = 0x001 | 0x004
_NESTED = 0x8000
_FILTER, _FILTER_ORIGINAL, _FILTER_REPLY = 25, 1, 2  # CTA_FILTER and what is in it
_TRANSPORT, _NUMBER, _DESTINATION_PORT = 2, 1, 3  # CTA_TUPLE_PROTO and what is in it
_BY_NUMBER, _BY_DESTINATION_PORT = 1 << 3, 1 << 5
_WANTED = frozenset((ORIGINAL, REPLY, STATUS, ID))
_IFADDRMSG = struct.Struct("=BBBBI")
_OWN = frozenset((1, 2))  # IFA_ADDRESS, IFA_LOCAL
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(slots=True)
class Strays:
    """Flows of UDP that don't go where they should: those to any of these ``ports`` of the host
    which are led to an address that was ``left``, or which nobody answered yet and which aren't
    led ``there``, where they should be. ``versions`` are the address families to look at."""

    ports: list[PortRange] = field(default_factory=list)
    left: set[Address] = field(default_factory=set)
    there: set[Address] = field(default_factory=set)
    versions: set[int] = field(default_factory=set)


def forget_datagrams(strays: Strays) -> None:
    """Forget these flows, in the network namespace of the calling thread.

    Blocks for some 15 ms a family, and 10 ms a thousand flows of UDP if the ports are several.
    Raises OSError.
    """
    asked = bytearray(1 << 16)
    for ports in strays.ports:
        asked[ports.first : ports.last + 1] = b"\1" * len(ports)
    left, there = ({one.packed for one in of} for of in (strays.left, strays.there))
    only = strays.ports[0].first if sum(asked) == 1 else None

    def stray(flow: dict[int, bytes]) -> bool:
        protocol, _, (host, port) = ends(flow.get(ORIGINAL, b""))
        if protocol != socket.IPPROTO_UDP or not asked[port] or host not in own:
            return False
        _, (target, _), _ = ends(flow.get(REPLY, b""))
        answered = number(flow.get(STATUS, b"")) & SEEN_REPLY
        return target in left or not (answered or target in there)

    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, kind, NETLINK_NETFILTER) as kernel:
        kernel.bind((0, 0))
        for family in map(_FAMILIES.__getitem__, strays.versions):
            own = _own_addresses(family)
            for body in [*filter(stray, dump(kernel, family, _WANTED, _filter(only)))]:
                kernel.send(_deletion(family, body))
                # Told whatever it comes to: others may have forgotten it meanwhile.
                kernel.recv(1 << 12)


def _own_addresses(family: int) -> set[bytes]:
    """The host's own: what only passes is none of a forward's business."""
    reader = RouteReader()
    try:
        found = reader.dump(RTM_GETADDR, _IFADDRMSG.pack(family, 0, 0, 0, 0))
    finally:
        reader.close()
    return {
        address
        for _, _, data, start, end in found
        for address in attributes(data, start + _IFADDRMSG.size, end, _OWN).values()
    }


def _filter(port: int | None) -> bytes:
    """Has the kernel list flows of UDP only, or to one port only."""
    by = _BY_NUMBER
    transport = attribute(_NUMBER, bytes((socket.IPPROTO_UDP,)))
    if port is not None:
        by |= _BY_DESTINATION_PORT
        transport += attribute(_DESTINATION_PORT, struct.pack("!H", port))
    flags = attribute(_FILTER_ORIGINAL, struct.pack("=I", by))
    flags += attribute(_FILTER_REPLY, struct.pack("=I", 0))
    asked = attribute(_TRANSPORT | _NESTED, transport)
    return attribute(ORIGINAL | _NESTED, asked) + attribute(_FILTER | _NESTED, flags)


def _deletion(family: int, flow: dict[int, bytes]) -> bytes:
    body = NFGENMSG.pack(family, 0, 0)
    body += attribute(ORIGINAL | _NESTED, flow[ORIGINAL]) + attribute(ID, flow[ID])
    return HEADER.pack(HEADER.size + len(body), _DELETE, _REQUEST_ACK, 0, 0) + body
