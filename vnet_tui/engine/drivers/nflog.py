"""Packets that rules tell of: a group of nfnetlink_log, read by hand.

Constants and layouts are those of ``linux/netfilter/nfnetlink_log.h``, ``nfnetlink.h`` and
``nfnetlink_conntrack.h``; integers in attributes are big-endian.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections import deque
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from vnet_tui.engine.drivers.netlink import HEADER, attribute, attributes, messages
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Address
from vnet_tui.engine.rule_log import LOG_BYTES, LOG_GROUP, LogMark

_NETLINK_NETFILTER = 12
_PACKET, _CONFIG = 4 << 8 | 0, 4 << 8 | 1  # NFNL_SUBSYS_ULOG
_NLMSG_ERROR = 2
_REQUEST_ACK = 0x001 | 0x004
_NFGENMSG = struct.Struct(">BBH")

_CFG_CMD, _CFG_MODE, _CFG_TIMEOUT, _CFG_FLAGS = 1, 2, 4, 6
_BIND = b"\1"
_COPY_PACKET = 2
_WITH_CONNTRACK = 4
_HUNDREDTHS = 10
"""How long the kernel may keep packets to tell several at once, in hundredths of a second."""

_HEADER, _PAYLOAD, _PREFIX, _CONNTRACK = 1, 9, 10, 18
_WANTED = frozenset((_HEADER, _PAYLOAD, _PREFIX, _CONNTRACK))
_TUPLE_ORIGINAL, _TUPLE_IP, _TUPLE_PROTO = 1, 1, 2
_IP4_DESTINATION, _IP6_DESTINATION, _DESTINATION_PORT = 2, 4, 3

_ETH_IP, _ETH_IP6 = 0x0800, 0x86DD
_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}
_WITH_PORTS = frozenset((6, 17))
_EXTENSIONS = frozenset((0, 43, 60))  # IPv6 headers before the transport's: RFC 8200
_FRAGMENT = 44

_BACKLOG = 512
"""Packets that wait to be taken; of more the oldest are lost, and counted."""


@dataclass(frozen=True, slots=True)
class LoggedPacket:
    """A packet as a rule saw it.

    ``protocol`` is ``tcp``, ``udp``, ``icmp`` or a number; ports are 0 where there are none.
    ``asked`` is where the connection was opened to, before any translation, where that is known.
    """

    mark: LogMark
    protocol: str
    source: Address
    destination: Address
    source_port: int = 0
    port: int = 0
    asked: tuple[Address, int] | None = None


class TakenError(DriverError):
    """Somebody else listens to our group: one can, in each network namespace."""


class Nflog:
    """Listens to our group, in the network namespace of the thread that makes it.

    Iterate over it, in one task. Raises TakenError where somebody else listens to the group, other
    DriverErrors where it can't be had: the kernel has no nfnetlink_log.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._waiting: deque[LoggedPacket] = deque(maxlen=_BACKLOG)
        self._woken = asyncio.Event()
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER
        )
        try:
            self._socket.settimeout(1.0)
            self._bind()
            self._socket.setblocking(False)
        except OSError as error:
            self._socket.close()
            what = f"hearing of denied connections: {error.strerror}"
            if error.errno in (errno.EBUSY, errno.EPERM):
                raise TakenError(what, "another program listens to our group of NFLOG") from error
            raise DriverError(what, "the kernel needs nfnetlink_log") from error
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        """Stop listening, and end the iteration."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
        self._woken.set()

    def __aiter__(self) -> Nflog:
        return self

    async def __anext__(self) -> LoggedPacket:
        while not self._waiting:
            if self._socket.fileno() < 0:
                raise StopAsyncIteration
            self._woken.clear()
            await self._woken.wait()
        return self._waiting.popleft()

    def _bind(self) -> None:
        self._configure(attribute(_CFG_CMD, _BIND))
        mode = struct.pack(">IBx", LOG_BYTES, _COPY_PACKET)
        timeout = attribute(_CFG_TIMEOUT, struct.pack(">I", _HUNDREDTHS))
        self._configure(attribute(_CFG_MODE, mode) + timeout)
        try:
            self._configure(attribute(_CFG_FLAGS, struct.pack(">H", _WITH_CONNTRACK)))
        except OSError:
            return  # a kernel without it tells less: not what was asked for before a translation

    def _configure(self, body: bytes) -> None:
        body = _NFGENMSG.pack(socket.AF_UNSPEC, 0, LOG_GROUP) + body
        head = HEADER.pack(HEADER.size + len(body), _CONFIG, _REQUEST_ACK, 1, 0)
        self._socket.send(head + body)
        while True:
            for kind, _, data, start, _ in messages(self._socket.recv(1 << 16)):
                if kind == _NLMSG_ERROR:
                    code = struct.unpack_from("=i", data, start)[0]
                    if code:
                        raise OSError(-code, "", None) from None
                    return

    def _read(self) -> None:
        """Take what has come; a datagram may hold several packets."""
        try:
            data = self._socket.recv(1 << 17)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno == errno.ENOBUFS:  # more came than the kernel keeps
                self.lost += 1
                return
            self.close()
            return
        for kind, _, data_, start, end in messages(data):
            if kind != _PACKET:
                continue
            packet = read_packet(attributes(data_, start + _NFGENMSG.size, end, _WANTED))
            if packet is not None:
                self.lost += len(self._waiting) == self._waiting.maxlen
                self._waiting.append(packet)
                self._woken.set()


def read_packet(found: dict[int, bytes]) -> LoggedPacket | None:
    """A packet from the attributes of its message; None for what isn't ours or makes no sense."""
    mark = LogMark.parse(found.get(_PREFIX, b"").rstrip(b"\0").decode(errors="replace"))
    header, payload = found.get(_HEADER, b""), found.get(_PAYLOAD, b"")
    if mark is None or len(header) < 2:
        return None
    try:
        ethernet = struct.unpack_from(">H", header)[0]
        read = {_ETH_IP: _ip4, _ETH_IP6: _ip6}.get(ethernet)
        if read is None:
            return None
        source, destination, protocol, at = read(payload)
    except struct.error:
        return None
    source_port = port = 0
    if protocol in _WITH_PORTS and at is not None and len(payload) >= at + 4:
        source_port, port = struct.unpack_from(">HH", payload, at)
    return LoggedPacket(
        mark=mark,
        protocol=_NAMES.get(protocol, str(protocol)),
        source=source,
        destination=destination,
        source_port=source_port,
        port=port,
        asked=_asked(found.get(_CONNTRACK, b"")),
    )


_Parts = tuple[Address, Address, int, int | None]
"""Source, destination, protocol, and where its header begins, if it is in this packet."""


def _ip4(data: bytes) -> _Parts:
    first, fragment, protocol, source, destination = struct.unpack_from(">B5xHxB2x4s4s", data)
    later = fragment & 0x1FFF  # only the first fragment has the ports
    start = None if later else (first & 15) * 4
    return IPv4Address(source), IPv4Address(destination), protocol, start


def _ip6(data: bytes) -> _Parts:
    protocol, source, destination = struct.unpack_from(">6xBx16s16s", data)
    start: int | None = 40
    while start is not None and protocol in _EXTENSIONS | {_FRAGMENT}:
        if len(data) < start + 8:
            start = None
        elif protocol == _FRAGMENT:
            following, offset = struct.unpack_from(">BxH", data, start)
            protocol, start = following, None if offset & 0xFFF8 else start + 8
        else:
            following, length = struct.unpack_from(">BB", data, start)
            protocol, start = following, start + (length + 1) * 8
    return IPv6Address(source), IPv6Address(destination), protocol, start


def _asked(conntrack: bytes) -> tuple[Address, int] | None:
    original = _one(conntrack, _TUPLE_ORIGINAL)
    port = _one(_one(original, _TUPLE_PROTO), _DESTINATION_PORT)
    addresses = _one(original, _TUPLE_IP)
    four, six = _one(addresses, _IP4_DESTINATION), _one(addresses, _IP6_DESTINATION)
    if len(port) != 2:
        return None
    number = int.from_bytes(port, "big")
    if len(four) == 4:
        return IPv4Address(four), number
    return (IPv6Address(six), number) if len(six) == 16 else None


def _one(data: bytes, kind: int) -> bytes:
    return attributes(data, 0, len(data), frozenset((kind,))).get(kind, b"")
