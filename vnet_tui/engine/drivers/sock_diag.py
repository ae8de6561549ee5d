"""The TCP sockets that listen, asked of the kernel by sock_diag(7).

It walks over those that listen, in microseconds. For the table of proc(5) it walks over all that
there could be, which takes milliseconds a family on a large machine.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from vnet_tui.engine.model import Address

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_DUMP_REQUEST = 0x301
"""NLM_F_REQUEST and NLM_F_DUMP: linux/netlink.h."""

_TCP_LISTEN = 10
_HEADER = struct.Struct("=IHHII")
"""nlmsghdr: length, type, flags, sequence number, port."""

_REQUEST = struct.Struct("=BBBBI48x")
"""inet_diag_req_v2: family, protocol, extensions, padding, states, and no socket in particular."""

_MESSAGE = struct.Struct("=4x2s2x16s44xI")
"""inet_diag_msg: local port and address in network order, and the inode."""

_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


def listening(version: int) -> list[tuple[Address, int, int]]:
    """Those of a family in the namespace of the calling thread: address, port and inode. Raises
    OSError where the kernel can't be asked so."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asking:
        request = _REQUEST.pack(_FAMILIES[version], socket.IPPROTO_TCP, 0, 0, 1 << _TCP_LISTEN)
        length = _HEADER.size + len(request)
        header = _HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, _DUMP_REQUEST, 1, 0)
        asking.send(header + request)
        return [_socket(body, version) for body in _answers(asking)]


def _answers(asking: socket.socket) -> Iterator[bytes]:
    while True:
        data = asking.recv(1 << 16)
        at = 0
        while at < len(data):
            length, kind, *_ = _HEADER.unpack_from(data, at)
            body = data[at + _HEADER.size : at + length]
            if kind == _NLMSG_DONE:
                return
            if kind == _NLMSG_ERROR:
                raise OSError(-struct.unpack_from("=i", body)[0], "sock_diag")
            yield body
            at += (length + 3) & ~3


def _socket(body: bytes, version: int) -> tuple[Address, int, int]:
    port, address, inode = _MESSAGE.unpack_from(body)
    where = IPv6Address(address) if version == 6 else IPv4Address(address[:4])
    return where, int.from_bytes(port), inode
