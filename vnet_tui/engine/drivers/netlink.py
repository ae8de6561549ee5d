"""Reading rtnetlink(7) by hand: what the kernel has, and what it notifies.

What the kernel tells about a thousand interfaces is parsed here in a tenth of the time that a
general netlink library needs for it, and without importing one. Constants are those of
``include/uapi/linux/netlink.h`` and ``rtnetlink.h``.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
from collections.abc import Iterator

RTM_NEWLINK = 16
RTM_DELLINK = 17
RTM_GETLINK = 18
RTM_NEWADDR = 20
RTM_DELADDR = 21
RTM_GETADDR = 22
RTM_GETROUTE = 26
RTM_GETNEIGH = 30
RTM_NEWSTATS = 92
RTM_GETSTATS = 94

_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLM_F_REQUEST = 0x01
_NLM_F_DUMP_INTR = 0x10
_NLM_F_DUMP = 0x300

_SOL_NETLINK = 270
_NETLINK_EXT_ACK = 11
_NETLINK_GET_STRICT_CHK = 12
_SO_RCVBUFFORCE = 33

_TYPE_MASK = 0x3FFF  # NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_DATAGRAM = 65536  # the kernel makes none longer: 32 KiB of many messages, or one long message

HEADER = struct.Struct("=IHHII")
"""``struct nlmsghdr``: length, type, flags, sequence, port."""

ATTRIBUTE = struct.Struct("=HH")
"""``struct nlattr``: length with this header, type."""

_ERROR = struct.Struct("=i")

Message = tuple[int, int, bytes, int, int]
"""A message: its type and flags, the datagram it is in, where its body begins and ends."""


def route_socket(groups: int = 0, receive_buffer: int = 1 << 20) -> socket.socket:
    """A bound rtnetlink socket in the network namespace of the calling thread.

    ``groups`` is the mask of ``RTMGRP_`` bits whose notifications it gets, ``receive_buffer`` the
    bytes that the kernel keeps of them for a slow reader.
    """
    made = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    )
    try:
        made.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        made.setsockopt(_SOL_NETLINK, _NETLINK_GET_STRICT_CHK, 1)
        try:
            made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, receive_buffer)
        except PermissionError:  # in a user namespace: as much as net.core.rmem_max allows
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        made.bind((0, groups))
    except BaseException:
        made.close()
        raise
    return made


def messages(data: bytes) -> Iterator[Message]:
    """The messages of a datagram."""
    position, end = 0, len(data)
    while end - position >= HEADER.size:
        length, kind, flags, _, _ = HEADER.unpack_from(data, position)
        yield kind, flags, data, position + HEADER.size, position + length
        position += (length + 3) & ~3


def attributes(data: bytes, start: int, end: int, wanted: frozenset[int]) -> dict[int, bytes]:
    """The ``wanted`` ones among the attributes that fill ``data`` from ``start`` to ``end``."""
    found = {}
    unpack = ATTRIBUTE.unpack_from
    while end - start >= 4:
        length, kind = unpack(data, start)
        kind &= _TYPE_MASK
        if kind in wanted:
            found[kind] = data[start + 4 : start + length]
        start += (length + 3) & ~3
    return found


def attribute(kind: int, value: bytes) -> bytes:
    """An attribute as it is sent, padded to four bytes."""
    return ATTRIBUTE.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def ends_dump(data: bytes, position: int) -> bool:
    """Whether the message at ``position`` is the end of an answer.

    Raises OSError when it is one that says that the question failed.
    """
    length, kind, _, _, _ = HEADER.unpack_from(data, position)
    if kind not in (_NLMSG_ERROR, _NLMSG_DONE):
        return False
    if length >= HEADER.size + _ERROR.size:
        number = _ERROR.unpack_from(data, position + HEADER.size)[0]
        if number < 0:
            raise OSError(-number, os.strerror(-number))
    return True


class RouteReader:
    """A blocking socket for questions to the kernel, asked one at a time.

    It stays in the network namespace of the thread that made it. Threads that share one hold
    :attr:`lock` from :meth:`ask` to the last :meth:`receive`; :meth:`dump` and :meth:`get` do.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._socket = route_socket()
        self._sequence = 0

    def close(self) -> None:
        """Let go of the socket, once the question that is under way has its answer."""
        with self.lock:
            self._socket.close()

    def ask(self, request: int, body: bytes, flags: int = _NLM_F_DUMP) -> None:
        """Send a question: by default for everything of a kind."""
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        length = HEADER.size + len(body)
        head = HEADER.pack(length, request, _NLM_F_REQUEST | flags, self._sequence, 0)
        self._socket.send(head + body)

    def receive(self) -> bytes:
        """The next datagram of the answer to the last question.

        What an earlier question left unread is thrown away.
        """
        while True:
            data = self._socket.recv(_DATAGRAM)
            if HEADER.unpack_from(data)[3] == self._sequence:
                return data

    def dump(self, request: int, body: bytes, attempts: int = 4) -> list[Message]:
        """Everything of a kind that the kernel has. Raises OSError with what the kernel said.

        When it changes while it is told, it is asked for again; on a host that doesn't come to
        rest the last answer has to do, which may lack what came or went meanwhile.
        """
        with self.lock:
            for _ in range(attempts):
                self.ask(request, body)
                found, interrupted = self._rest_of_dump()
                if not interrupted:
                    break
        return found

    def _rest_of_dump(self) -> tuple[list[Message], int]:
        """The messages of an answer, and whether things changed while it was given."""
        found: list[Message] = []
        interrupted = 0
        while True:
            for message in messages(self.receive()):
                _, flags, data, start, _ = message
                interrupted |= flags & _NLM_F_DUMP_INTR
                if ends_dump(data, start - HEADER.size):
                    return found, interrupted
                found.append(message)

    def get(self, request: int, body: bytes) -> Message | None:
        """One thing, or None where the kernel hasn't got it. Raises OSError."""
        with self.lock:
            self.ask(request, body, flags=0)
            data = self.receive()
        try:
            ends_dump(data, 0)
        except OSError as error:
            if error.errno in (errno.ENODEV, errno.ENOENT):
                return None
            raise
        return next(messages(data))
