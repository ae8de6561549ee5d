"""What the kernel tells of our table: elements with their counters, named counters.

libnftables writes ten thousand elements as text and takes a second for it; read by hand they take
some milliseconds. Constants are those of ``linux/netfilter/nfnetlink.h`` and ``nf_tables.h``.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from vnet_tui.engine.drivers.firewall.layout import TABLE
from vnet_tui.engine.drivers.netlink import (
    ATTRIBUTE,
    HEADER,
    attribute,
    attributes,
    ends_dump,
    messages,
)
from vnet_tui.engine.rule_counters import Count

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 10 << 8  # NFNL_SUBSYS_NFTABLES
_GETSET, _GETSETELEM, _GETOBJ = _SUBSYSTEM | 10, _SUBSYSTEM | 13, _SUBSYSTEM | 19
_NLM_F_REQUEST, _NLM_F_DUMP, _NLM_F_DUMP_INTR = 0x001, 0x300, 0x010
_NFPROTO_INET = 1
_NFGENMSG = struct.Struct(">BBH")
_DATAGRAM = 1 << 17
_ATTEMPTS = 4

_SET_TABLE, _SET_NAME = 1, 2
_LIST_TABLE, _LIST_SET, _LIST_ELEMENTS = 1, 2, 3
_ELEM_KEY, _ELEM_USERDATA, _ELEM_EXPR = 1, 6, 7
_DATA_VALUE = 1
_EXPR_DATA = 2
_COUNTER_BYTES, _COUNTER_PACKETS = 1, 2
_OBJ_TABLE, _OBJ_NAME, _OBJ_TYPE, _OBJ_DATA = 1, 2, 3, 4
_OBJECT_COUNTER = 1
_UDATA_COMMENT = 0  # NFTNL_UDATA_SET_ELEM_COMMENT of libnftnl
_TYPE = 0x3FFF
_U64 = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Element:
    """What a set's element says: its key as the kernel keeps it, its comment, its counter."""

    key: bytes
    comment: str
    count: Count


class TableReader:
    """Asks for our table over a socket of the namespace in which it was made."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER
        )
        self._socket.settimeout(5.0)
        self._sequence = 0

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def sets(self) -> tuple[str, ...]:
        """The names of all sets and maps; none without a table."""
        wanted = frozenset((_SET_NAME,))
        return tuple(
            _text(attributes(data, start, end, wanted)[_SET_NAME])
            for data, start, end in self._dump(_GETSET, attribute(_SET_TABLE, _NAME))
        )

    def elements(self, name: str) -> Iterator[Element]:
        """The elements of a set that count; none without such a set."""
        question = attribute(_LIST_TABLE, _NAME) + attribute(_LIST_SET, name.encode() + b"\0")
        wanted = frozenset((_LIST_ELEMENTS,))
        known = _Known()
        for data, start, end in self._dump(_GETSETELEM, question):
            yield from known.read(attributes(data, start, end, wanted).get(_LIST_ELEMENTS, b""))

    def counters(self) -> Iterator[tuple[str, Count]]:
        """The named counters."""
        question = attribute(_OBJ_TABLE, _NAME) + attribute(
            _OBJ_TYPE, struct.pack(">I", _OBJECT_COUNTER)
        )
        wanted = frozenset((_OBJ_NAME, _OBJ_TYPE, _OBJ_DATA))
        for data, start, end in self._dump(_GETOBJ, question):
            found = attributes(data, start, end, wanted)
            if int.from_bytes(found[_OBJ_TYPE], "big") == _OBJECT_COUNTER:
                yield _text(found[_OBJ_NAME]), _count(found[_OBJ_DATA])

    def _dump(self, kind: int, body: bytes) -> list[tuple[bytes, int, int]]:
        """The messages of an answer; asked again where things changed while it was given."""
        for _ in range(_ATTEMPTS):
            found, interrupted = self._ask(kind, body)
            if not interrupted:
                break
        return found

    def _ask(self, kind: int, body: bytes) -> tuple[list[tuple[bytes, int, int]], bool]:
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        body = _NFGENMSG.pack(_NFPROTO_INET, 0, 0) + body
        flags = _NLM_F_REQUEST | _NLM_F_DUMP
        self._socket.send(
            HEADER.pack(HEADER.size + len(body), kind, flags, self._sequence, 0) + body
        )
        found: list[tuple[bytes, int, int]] = []
        interrupted = False
        while True:
            data = self._socket.recv(_DATAGRAM)
            if HEADER.unpack_from(data)[3] != self._sequence:
                continue  # left over from a question that failed
            for _, told, _, start, end in messages(data):
                try:
                    if ends_dump(data, start - HEADER.size):
                        return found, interrupted
                except OSError as error:
                    if error.errno == errno.ENOENT:
                        return [], False
                    if error.errno == errno.EINTR:
                        return [], True
                    raise
                interrupted = interrupted or bool(told & _NLM_F_DUMP_INTR)
                found.append((data, start + _NFGENMSG.size, end))


_NAME = TABLE.encode() + b"\0"


class _Known:
    """Reads elements; those that are as long as one before are unpacked in one go.

    Within a set only the comment differs in length, and the kernel tells attributes in one order.
    Where the parts aren't where they were in the last element of that length, it is read anew.
    """

    def __init__(self) -> None:
        self._ways: dict[int, tuple[struct.Struct, tuple[bytes, bytes]]] = {}

    def read(self, data: bytes) -> Iterator[Element]:
        """The elements of one list."""
        position, end = 0, len(data)
        while end - position >= ATTRIBUTE.size:
            length, _ = ATTRIBUTE.unpack_from(data, position)
            way = self._ways.get(length)
            if way is not None:
                unpacked, heads = way
                key, head, octets, other, packets, comment = unpacked.unpack_from(data, position)
                if (head, other) == heads:
                    yield Element(key, _comment(comment), Count(packets, octets))
                    position += (length + 3) & ~3
                    continue
            found = self._learn(data, position, length)
            if found is not None:
                yield found
            position += (length + 3) & ~3

    def _learn(self, data: bytes, position: int, length: int) -> Element | None:
        """One element read with care, and how to read others like it."""
        at = _places(data, position + 4, position + length)
        if _ELEM_KEY not in at or _ELEM_EXPR not in at:
            return None
        value = _places(data, *at[_ELEM_KEY])[_DATA_VALUE]
        expression = _places(data, *at[_ELEM_EXPR])
        counter = _places(data, *expression[_EXPR_DATA])
        if _COUNTER_BYTES not in counter or _COUNTER_PACKETS not in counter:
            return None
        octets, packets = counter[_COUNTER_BYTES][0], counter[_COUNTER_PACKETS][0]
        comment = at.get(_ELEM_USERDATA, (packets + 8, packets + 8))
        if value[1] <= octets - 4 and octets + 8 <= packets - 4 and packets + 8 <= comment[0]:
            gaps = (
                value[0] - position,
                octets - 4 - value[1],
                packets - 4 - octets - 8,
                comment[0] - packets - 8,
            )
            form = (
                f">{gaps[0]}x{value[1] - value[0]}s{gaps[1]}x4sQ{gaps[2]}x4sQ{gaps[3]}x"
                f"{comment[1] - comment[0]}s"
            )
            heads = (data[octets - 4 : octets], data[packets - 4 : packets])
            self._ways[length] = (struct.Struct(form), heads)
        count = Count(_U64.unpack_from(data, packets)[0], _U64.unpack_from(data, octets)[0])
        return Element(data[slice(*value)], _comment(data[slice(*comment)]), count)


def _places(data: bytes, start: int, end: int) -> dict[int, tuple[int, int]]:
    """Where the attributes between two places have their values."""
    found = {}
    while end - start >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data, start)
        found[kind & _TYPE] = (start + ATTRIBUTE.size, start + length)
        start += (length + 3) & ~3
    return found


def _count(data: bytes) -> Count:
    at = _places(data, 0, len(data))
    octets, packets = (
        _U64.unpack_from(data, at[kind][0])[0] for kind in (_COUNTER_BYTES, _COUNTER_PACKETS)
    )
    return Count(packets, octets)


def _comment(data: bytes) -> str:
    """The comment among what libnftnl keeps beside an element: type, length, text and a zero."""
    if len(data) < 3 or data[0] != _UDATA_COMMENT:
        return ""
    return data[2 : 1 + data[1]].decode(errors="replace")


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode(errors="replace")
