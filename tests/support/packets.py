"""Real packets, many at once: listeners and probes in namespaces, driven by one loop.

A socket stays in the network namespace that it was made in, so no process is needed: the test's
own thread visits a machine, makes a socket, and comes back.
"""

from __future__ import annotations

import errno
import itertools
import os
import selectors
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from vnet_tui.sandbox.namespaces import CLONE_NEWNET, NamedNamespace, setns

Machine = NamedNamespace | None
"""A machine of the laboratory; None: the host itself."""

_IP_PKTINFO = 8  # include/uapi/linux/in.h
_ICMP = {4: (8, 0, 3), 6: (128, 129, 1)}  # echo request, echo reply, destination unreachable
_GLANCE = 0.005
"""Seconds between two looks at what has come."""

_PINGS = itertools.count(os.getpid())

_DENIED = {errno.EHOSTUNREACH, errno.EACCES, errno.ENETUNREACH}


class Fate(StrEnum):
    """What became of a probe: ``refused`` reached a machine where nothing listens."""

    PASS = "pass"
    DENIED = "denied"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Probe:
    """``who`` opens a connection to ``to`` (``tcp``, ``udp``), or pings it (``icmp``).

    ``source``: the address to come from, where the machine has several.
    """

    who: str
    protocol: str
    to: str
    port: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A probe's fate, the machine that answered, and from where it saw the probe come."""

    fate: Fate
    server: str = ""
    seen_from: str = ""


@contextmanager
def visiting(machine: Machine) -> Iterator[None]:
    """The calling thread is on that machine, as far as the network goes."""
    if machine is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    away = os.open(machine.path, os.O_RDONLY)
    try:
        setns(away, CLONE_NEWNET)
        yield
    finally:
        setns(home, CLONE_NEWNET)
        os.close(home)
        os.close(away)


class Packets:
    """Listeners on machines (by name), and probes between them."""

    def __init__(self, machines: Mapping[str, Machine]) -> None:
        self._machines = machines
        self._selector = selectors.DefaultSelector()
        self._listeners: list[_Listener] = []

    def listen(self, who: str, *ports: int) -> None:
        """Answer on these ports, TCP and UDP, IPv4 and IPv6, with who answers and who asked."""
        for port in ports:
            for family in (socket.AF_INET, socket.AF_INET6):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with visiting(self._machines[who]):
                        listener = _Listener(who, family, kind, port)
                    self._listeners.append(listener)
                    self._selector.register(listener.socket, selectors.EVENT_READ, listener)

    def probe(self, probes: Sequence[Probe], *, patience: float = 0.5) -> list[Answer]:
        """All at once; what nobody has answered after ``patience`` seconds is lost."""
        attempts = [self._start(probe, number) for number, probe in enumerate(probes)]
        end = time.monotonic() + patience
        while (left := [attempt for attempt in attempts if attempt.answer is None]) and (
            time.monotonic() < end
        ):
            for key, _ in self._selector.select(_GLANCE):
                key.data.reply()
            for attempt in left:
                attempt.look()
        for attempt in attempts:
            attempt.socket.close()
        return [attempt.answer or Answer(Fate.LOST) for attempt in attempts]

    def connect(self, who: str, to: str, port: int, *, server: tuple[str, int]) -> Connection:
        """A TCP connection that stays; ``server`` is who listens at its end, and on which port."""
        version = ip_address(to).version
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        with visiting(self._machines[who]):
            client = socket.socket(family, socket.SOCK_STREAM)
        listener = next(
            listener
            for listener in self._listeners
            if (listener.who, listener.port) == server
            and listener.family == family
            and listener.kind == socket.SOCK_STREAM
        )
        self._selector.unregister(listener.socket)
        client.settimeout(2)
        listener.socket.settimeout(2)
        client.connect((to, port))
        accepted, _ = listener.socket.accept()
        accepted.settimeout(2)
        listener.socket.setblocking(False)
        self._selector.register(listener.socket, selectors.EVENT_READ, listener)
        return Connection(client, accepted)

    def forge(self, who: str, gateway: str, udp: tuple[str, str, int]) -> None:
        """Send a frame with a UDP packet (source, destination, port) that no kernel would send;
        ``gateway`` is the interface of the host to send it to."""
        source, destination, port = udp
        payload = struct.pack("!HHHH", 4444, port, 12, 0) + b"fake"
        header = struct.pack(
            "!BBHHHBBH4s4s",
            *(0x45, 0, 20 + len(payload), 0, 0, 64, socket.IPPROTO_UDP, 0),
            *map(socket.inet_aton, (source, destination)),
        )
        header = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
        with visiting(self._machines[who]):
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        with raw:
            raw.bind(("eth0", 0))
            raw.send(_mac(gateway) + raw.getsockname()[4] + b"\x08\0" + header + payload)

    def close(self) -> None:
        """Close all listeners."""
        self._selector.close()
        for listener in self._listeners:
            listener.socket.close()

    def _start(self, probe: Probe, number: int) -> _Attempt:
        version = ip_address(probe.to).version
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        with visiting(self._machines[probe.who]):
            if probe.protocol == "icmp":
                return _Ping(family, version, probe.to, number)
            kind = socket.SOCK_STREAM if probe.protocol == "tcp" else socket.SOCK_DGRAM
            return _Connect(family, kind, probe)


class Connection:
    """Both ends of a TCP connection."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._client, self._server = client, server

    def works(self) -> bool:
        """Whether something still gets through, both ways."""
        try:
            self._client.sendall(b"ping")
            there = self._server.recv(16)
            self._server.sendall(b"pong")
            return (there, self._client.recv(16)) == (b"ping", b"pong")
        except OSError:
            return False

    def close(self) -> None:
        """Close both ends."""
        self._client.close()
        self._server.close()


class _Listener:
    def __init__(self, who: str, family: int, kind: int, port: int) -> None:
        self.who, self.family, self.kind, self.port = who, family, kind, port
        self.socket = socket.socket(family, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.socket.bind(("", port))
        self.socket.setblocking(False)
        if kind == socket.SOCK_STREAM:
            self.socket.listen(64)
        elif family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        else:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)

    def reply(self) -> None:
        """Tell who asks who we are and who it is."""
        if self.kind == socket.SOCK_STREAM:
            connection, peer = self.socket.accept()
            with connection, suppress(OSError):  # who asked may have given up
                connection.sendall(f"{self.who} {peer[0]}".encode())
            return
        _, ancillary, _, peer = self.socket.recvmsg(64, 256)
        # The answer has to come from the address that was asked.
        back = []
        for level, kind, data in ancillary:
            if self.family == socket.AF_INET:
                address = data[8:12]
                back.append((level, kind, struct.pack("=i4s4s", 0, address, address)))
            else:
                back.append((level, kind, data[:16] + b"\0" * 4))
        self.socket.sendmsg([f"{self.who} {peer[0]}".encode()], back, 0, peer)


class _Attempt:
    """A probe under way; ``answer`` is there when it is decided."""

    def __init__(self, made: socket.socket) -> None:
        self.socket = made
        self.socket.setblocking(False)
        self.answer: Answer | None = None

    def look(self) -> None:
        """Take what has come, if anything.

        The pending error is asked for, too: where everything is one machine a refusal of TCP can
        be there before connect(2) has returned, and then it wakes nobody.
        """
        try:
            if number := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.failed(number)
            else:
                self.take(*self.socket.recvfrom(2048))
        except BlockingIOError:
            return
        except OSError as error:
            self.failed(error.errno)

    def take(self, data: bytes, peer: tuple[str, int]) -> None:
        """Judge what came."""
        raise NotImplementedError

    def failed(self, number: int | None) -> None:
        """The kernel says that it won't work, and why."""
        if number == errno.ECONNREFUSED:
            self.answer = Answer(Fate.REFUSED)
        else:
            self.answer = Answer(Fate.DENIED if number in _DENIED else Fate.LOST)


class _Connect(_Attempt):
    def __init__(self, family: int, kind: int, probe: Probe) -> None:
        super().__init__(socket.socket(family, kind))
        try:
            if probe.source:
                self.socket.bind((probe.source, 0))
            self.socket.connect((probe.to, probe.port))
            if kind == socket.SOCK_DGRAM:
                self.socket.send(b"who?")
        except BlockingIOError:
            pass
        except OSError as error:
            self.failed(error.errno)

    def take(self, data: bytes, peer: tuple[str, int]) -> None:
        """Who answered, and whom it saw."""
        server, seen_from = data.decode().split()
        self.answer = Answer(Fate.PASS, server, seen_from)


class _Ping(_Attempt):
    """An echo request (RFC 792, RFC 4443) over a raw socket, which also hears of refusals."""

    def __init__(self, family: int, version: int, to: str, number: int) -> None:
        protocol = socket.IPPROTO_ICMP if version == 4 else socket.IPPROTO_ICMPV6
        super().__init__(socket.socket(family, socket.SOCK_RAW, protocol))
        self._version = version
        # A new identifier is a new connection to conntrack.
        self._body = struct.pack("!HH", next(_PINGS) & 0xFFFF, number) + b"vnet"
        request, self._reply, self._unreachable = _ICMP[version]
        header = struct.pack("!BBH", request, 0, 0)
        if version == 4:  # the kernel fills in the checksum of ICMPv6 only
            header = struct.pack("!BBH", request, 0, _checksum(header + self._body))
        try:
            self.socket.sendto(header + self._body, (to, 0))
        except OSError as error:
            self.failed(error.errno)

    def take(self, data: bytes, peer: tuple[str, int]) -> None:
        """A reply, a refusal that quotes us, or somebody else's message."""
        message = data[(data[0] & 15) * 4 :] if self._version == 4 else data
        if message[0] == self._reply and message[4 : 4 + len(self._body)] == self._body:
            self.answer = Answer(Fate.PASS, server=peer[0].split("%")[0])
        elif message[0] == self._unreachable and self._body[:4] in message[8:]:
            self.answer = Answer(Fate.DENIED)


def _mac(interface: str) -> bytes:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as bound:
        bound.bind((interface, 0))
        mac: bytes = bound.getsockname()[4]
        return mac


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
