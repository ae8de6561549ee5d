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
from collections.abc import Collection

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
from vnet_tui.engine.drivers.netlink import HEADER, attribute
from vnet_tui.engine.model import Address, PortRange

_DELETE = 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE
_REQUEST_ACK = 0x001 | 0x004
_NESTED = 0x8000
_FILTER, _FILTER_ORIGINAL, _FILTER_REPLY = 25, 1, 2  # CTA_FILTER and what is in it
_TRANSPORT, _NUMBER, _DESTINATION_PORT = 2, 1, 3  # CTA_TUPLE_PROTO and what is in it
_BY_NUMBER, _BY_DESTINATION_PORT = 1 << 3, 1 << 5
_WANTED = frozenset((ORIGINAL, REPLY, STATUS, ID))
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


def forget_datagrams(
    ports: Collection[PortRange], left: Collection[Address], versions: Collection[int]
) -> None:
    """Forget the flows of UDP to any of these ports which nobody answered yet, or which are led to
    one of the addresses that were ``left``; in the network namespace of the calling thread.

    Blocks for some 15 ms a family, and 10 ms a thousand flows of UDP if the ports are several.
    Raises OSError.
    """
    asked = bytearray(1 << 16)
    for own in ports:
        asked[own.first : own.last + 1] = b"\1" * len(own)
    gone = {address.packed for address in left}
    only = next(iter(ports)).first if sum(asked) == 1 else None
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, kind, NETLINK_NETFILTER) as kernel:
        kernel.bind((0, 0))
        for family in map(_FAMILIES.__getitem__, versions):
            filter_ = _filter(only)
            found = [
                body for body in dump(kernel, family, _WANTED, filter_) if _stray(body, asked, gone)
            ]
            for body in found:
                kernel.send(_deletion(family, body))
                # Told whatever it comes to: others may have forgotten it meanwhile.
                kernel.recv(1 << 12)


def _stray(flow: dict[int, bytes], asked: bytearray, gone: Collection[bytes]) -> bool:
    protocol, _, (_, port) = ends(flow.get(ORIGINAL, b""))
    if protocol != socket.IPPROTO_UDP or not asked[port]:
        return False
    _, (target, _), _ = ends(flow.get(REPLY, b""))
    return target in gone or not number(flow.get(STATUS, b"")) & SEEN_REPLY


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
