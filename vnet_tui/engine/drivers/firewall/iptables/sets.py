"""Sets of the kernel (ipset) that count what each guest sends and gets.

A rule of legacy tables counts for all packets alike; an element of a set counts for itself, and is
found by its address in one step. Rules put guests into sets as they appear, so the sets outlive
all edits. Numbers are those of ``linux/netfilter/ipset/ip_set.h``.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from uuid import UUID

from vnet_tui.engine.drivers.firewall.iptables.rules import digits
from vnet_tui.engine.drivers.netlink import HEADER, attribute, attributes, ends_dump, messages
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Address
from vnet_tui.engine.rule_counters import Count

MAX_GUESTS = 4096
"""So many a set takes, so that nobody fills the kernel's memory; further ones aren't counted."""

_OURS = re.compile(r"VNET-(?P<way>SENT|GOT)-(?P<network>[0-9a-f]{12})-(?P<family>[46])")

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 6 << 8  # NFNL_SUBSYS_IPSET
_CREATE, _DESTROY, _LIST = 2, 3, 7  # IPSET_CMD_*
_NLMSG_ERROR = 2
_REQUEST_ACK, _REQUEST_DUMP = 0x001 | 0x004, 0x001 | 0x300
_PROTOCOL, _NAME, _TYPE, _REVISION, _FAMILY, _FLAGS, _DATA, _ADT = range(1, 9)  # IPSET_ATTR_*
_IP, _CADT_FLAGS, _MAX_ELEMENTS, _BYTES, _PACKETS = 1, 8, 19, 24, 25
_WITH_COUNTERS = 1 << 3
_NAMES_ONLY = 1 << 1  # IPSET_FLAG_LIST_SETNAME
_NESTED, _NET_ORDER = 0x8000, 0x4000
_VERSION = 6
_COUNTERS_SINCE = 1
"""The revision of hash:ip in which counters came."""
_NFGENMSG = struct.Struct(">BBH")
_ADDRESSES = {4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class GuestSet:
    """The set for what a network's guests send, or for what they get, in one address family."""

    network: str
    family: int
    sent: bool

    @property
    def name(self) -> str:
        """At most 31 bytes (IPSET_MAXNAMELEN)."""
        return f"VNET-{'SENT' if self.sent else 'GOT'}-{self.network}-{self.family}"


def guest_sets(network: UUID, family: int) -> tuple[GuestSet, GuestSet]:
    """Both of a network's."""
    part = digits(network)
    return GuestSet(part, family, sent=True), GuestSet(part, family, sent=False)


class Sets:
    """The sets of the network namespace of the thread that makes it. All methods block, and raise
    DriverError."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER
        )

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def create(self, wanted: Iterable[GuestSet]) -> None:
        """Have these sets; those that are there stay as they are."""
        for one in wanted:
            inner = attribute(_CADT_FLAGS | _NET_ORDER, struct.pack(">I", _WITH_COUNTERS))
            inner += attribute(_MAX_ELEMENTS | _NET_ORDER, struct.pack(">I", MAX_GUESTS))
            self._do(
                _CREATE,
                one.name,
                attribute(_TYPE, b"hash:ip\0"),
                attribute(_REVISION, bytes((_COUNTERS_SINCE,))),
                attribute(_FAMILY, bytes((_ADDRESSES[one.family],))),
                attribute(_DATA | _NESTED, inner),
                what="make a set",
            )

    def ours(self) -> tuple[GuestSet, ...]:
        """All sets of ours that there are."""
        flags = attribute(_FLAGS | _NET_ORDER, struct.pack(">I", _NAMES_ONLY))
        names = (
            found.get(_NAME, b"").rstrip(b"\0").decode(errors="replace")
            for found in self._dump("", flags)
        )
        return tuple(
            GuestSet(of["network"], int(of["family"]), sent=of["way"] == "SENT")
            for name in names
            if (of := _OURS.fullmatch(name))
        )

    def destroy(self, unwanted: Iterable[GuestSet]) -> None:
        """Have these sets no more; what rules still use stays."""
        for one in unwanted:
            try:
                self._ask(_DESTROY, _REQUEST_ACK, one.name)
                self._acknowledged()
            except OSError:
                continue

    def counts(self, of: GuestSet) -> dict[Address, Count]:
        """What was counted, by guest; nothing where there is no such set."""
        made: dict[Address, Count] = {}
        for found in self._dump(of.name):
            elements = found.get(_ADT, b"")
            for data in _each(elements):
                fields = _fields(data, _IP, _BYTES, _PACKETS)
                at = b"".join(_each(fields.get(_IP, b"")))
                if len(at) in (4, 16):
                    count = Count(
                        int.from_bytes(fields.get(_PACKETS, b""), "big"),
                        int.from_bytes(fields.get(_BYTES, b""), "big"),
                    )
                    made[ip_address(at)] = count
        return made

    def _do(self, command: int, name: str, *parts: bytes, what: str) -> None:
        try:
            self._ask(command, _REQUEST_ACK, name, *parts)
            self._acknowledged()
        except OSError as error:
            raise DriverError(
                f"the kernel doesn't {what} to count by guest ({name}): {error.strerror or error}",
                "see that it has ip_set and ip_set_hash_ip",
            ) from error

    def _ask(self, command: int, flags: int, name: str, *parts: bytes) -> None:
        body = _NFGENMSG.pack(socket.AF_INET, 0, 0) + attribute(_PROTOCOL, bytes((_VERSION,)))
        if name:
            body += attribute(_NAME, name.encode() + b"\0")
        body += b"".join(parts)
        head = HEADER.pack(HEADER.size + len(body), _SUBSYSTEM | command, flags, 1, 0)
        self._socket.send(head + body)

    def _acknowledged(self) -> None:
        for kind, _, data, start, _ in messages(self._socket.recv(1 << 16)):
            if kind == _NLMSG_ERROR:
                code = -struct.unpack_from("=i", data, start)[0]
                if code:
                    raise OSError(code, os.strerror(code))

    def _dump(self, name: str, *parts: bytes) -> Iterator[dict[int, bytes]]:
        self._ask(_LIST, _REQUEST_DUMP, name, *parts)
        while True:
            data = self._socket.recv(1 << 17)
            position = 0
            for _, _, _, start, end in messages(data):
                try:
                    if ends_dump(data, position):
                        return
                except OSError as error:
                    if error.errno == errno.ENOENT:
                        return
                    raise DriverError(
                        f"the kernel doesn't tell of its sets: {error.strerror}"
                    ) from error
                yield attributes(data, start + _NFGENMSG.size, end, frozenset((_NAME, _ADT)))
                position += (end - position + 3) & ~3


def _each(data: bytes) -> Iterator[bytes]:
    """The values of all attributes, one after another."""
    at = 0
    while len(data) - at >= 4:
        length = struct.unpack_from("=H", data, at)[0]
        yield data[at + 4 : at + length]
        at += (length + 3) & ~3


def _fields(data: bytes, *wanted: int) -> dict[int, bytes]:
    return attributes(data, 0, len(data), frozenset(wanted))
