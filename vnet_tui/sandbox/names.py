"""The little of DNS that the simulated guests need: ask a server for a name's IPv4 address.

The system's resolver would ask the host's server; a guest asks the one that DHCP told it.
Message format: RFC 1035, section 4.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from ipaddress import IPv4Address

_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_RECURSION_DESIRED = 0x0100
_A, _IN = 1, 1
_POINTER = 0xC0


def question(name: str, number: int) -> bytes:
    """A query for the A records of ``name``, with the message id ``number``."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    header = _HEADER.pack(number, _RECURSION_DESIRED, 1, 0, 0, 0)
    return header + labels + b"\0" + struct.pack("!HH", _A, _IN)


def first_address(answer: bytes, number: int) -> IPv4Address | None:
    """The first A record of an answer to the question ``number``; None if there is none.

    ValueError when it isn't an answer to it.
    """
    try:
        found, _flags, questions, answers, _, _ = _HEADER.unpack_from(answer)
        if found != number:
            raise ValueError("an answer to another question")
        place = _HEADER.size
        for _ in range(questions):
            place = _after_name(answer, place) + 4
        for _ in range(answers):
            place = _after_name(answer, place)
            kind, _class, _ttl, length = _RECORD.unpack_from(answer, place)
            place += _RECORD.size
            if kind == _A:
                return IPv4Address(struct.unpack_from("!4s", answer, place)[0])
            place += length
    except (struct.error, IndexError) as error:
        raise ValueError("a truncated answer") from error
    return None


def _after_name(message: bytes, place: int) -> int:
    while message[place]:
        if message[place] & _POINTER == _POINTER:
            return place + 2
        place += 1 + message[place]
    return place + 1


async def resolve(ask: socket.socket, server: str, name: str) -> IPv4Address | None:
    """Ask ``server`` through a non-blocking UDP socket. OSError or ValueError on failure."""
    loop = asyncio.get_running_loop()
    number = random.getrandbits(16)
    await loop.sock_connect(ask, (server, 53))
    await loop.sock_sendall(ask, question(name, number))
    return first_address(await loop.sock_recv(ask, 1232), number)
