"""Check: somebody else who hands out addresses on the network's bridge.

A DHCPDISCOVER (RFC 2131, section 4.3.1) is sent from the bridge to its ports, from a MAC that
nobody has. This host's own server doesn't hear it, since it isn't a port; whoever answers is
another one. The question takes no lease: an offer that nobody accepts is forgotten. It is asked
only on a bridge of ours, and only where the network itself hands out addresses.
"""

from __future__ import annotations

import secrets
import select
import socket
import struct
import time
from collections.abc import Iterator
from ipaddress import IPv4Address

from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.errors import Severity

PATIENCE = 3.5
"""Seconds to wait for an offer: servers that look first whether an address is free take three."""

_ETH_P_IP = 0x0800
_MAGIC = b"\x63\x82\x53\x63"  # RFC 2131, section 3
_BROADCAST_FLAG = 0x8000
_MESSAGE_TYPE, _SERVER, _END = 53, 54, 255  # RFC 2132, sections 9.6, 9.7 and 3.2
_DISCOVER, _OFFER = 1, 2
_SO_ATTACH_FILTER = 26

_TO_CLIENTS = (  # struct sock_filter, linux/filter.h: UDP over IPv4, not a fragment, to port 68
    (0x28, 0, 0, 12),
    (0x15, 0, 8, _ETH_P_IP),
    (0x30, 0, 0, 23),
    (0x15, 0, 6, socket.IPPROTO_UDP),
    (0x28, 0, 0, 20),
    (0x45, 4, 0, 0x1FFF),
    (0xB1, 0, 0, 14),
    (0x48, 0, 0, 16),
    (0x15, 0, 1, 68),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)


def other_servers(subject: Subject, found: frozenset[IPv4Address]) -> Iterator[Finding]:
    """What the servers that :func:`ask` found mean for a network."""
    own = {address.ip for address in subject.network.addresses}
    for server in sorted(found - own):
        yield Finding(
            severity=Severity.ERROR,
            blocks=("DHCP",),
            message=f"{server} hands out addresses on {subject.bridge} too: guests get theirs from "
            "whoever answers first; switch that server off, or take its port from the bridge",
            where=f"DHCP server {server} on {subject.bridge}",
        )


def ask(bridge: str, patience: float = PATIENCE) -> frozenset[IPv4Address]:
    """The servers that answer at the ports of a bridge within ``patience`` seconds. Blocks; ends
    with the first answer. Raises OSError."""
    mac = bytes([0x02, *secrets.token_bytes(5)])  # locally administered (RFC 9542, section 2.1)
    number = secrets.token_bytes(4)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
        program = b"".join(struct.pack("=HBBI", *step) for step in _TO_CLIENTS)
        buffer = bytearray(program)
        address = _address_of(buffer)
        filter_ = struct.pack("@HP", len(_TO_CLIENTS), address)
        wire.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_)
        wire.bind((bridge, _ETH_P_IP))
        wire.send(_discover(mac, number))
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            if select.select([wire], [], [], left)[0]:
                server = _server(wire.recv(2048), number)
                if server is not None:
                    return frozenset({server})
    return frozenset()


def _address_of(buffer: bytearray) -> int:
    import ctypes

    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


def _discover(mac: bytes, number: bytes) -> bytes:
    """A DHCPDISCOVER whose answer is to be broadcast, as an Ethernet frame."""
    message = struct.pack("!4B4sHH", 1, 1, 6, 0, number, 0, _BROADCAST_FLAG)
    message += bytes(16) + mac.ljust(16, b"\0") + bytes(192)
    message += _MAGIC + bytes([_MESSAGE_TYPE, 1, _DISCOVER, _END])
    message = message.ljust(300, b"\0")  # RFC 1542, section 2.1: what old relays expect
    udp = struct.pack("!4H", 68, 67, 8 + len(message), 0) + message
    header = struct.pack("!2B3H2BH", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0)
    header += bytes(4) + b"\xff" * 4
    checked = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
    return b"\xff" * 6 + mac + struct.pack("!H", _ETH_P_IP) + checked + udp


def _server(frame: bytes, number: bytes) -> IPv4Address | None:
    """Who made an offer to us; None for anything else."""
    message = frame[14 + (frame[14] & 15) * 4 + 8 :]
    if len(message) < 241 or message[4:8] != number or message[236:240] != _MAGIC:
        return None
    options: dict[int, bytes] = {}
    position = 240
    while position + 1 < len(message) and message[position] != _END:
        if message[position] == 0:
            position += 1
            continue
        length = message[position + 1]
        options[message[position]] = message[position + 2 : position + 2 + length]
        position += 2 + length
    server = options.get(_SERVER, b"")
    if options.get(_MESSAGE_TYPE) != bytes([_OFFER]) or len(server) != 4:
        return None
    return IPv4Address(server)


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
