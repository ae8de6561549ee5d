"""A bounded trickle of traffic between the guests and the internet, so that there is something
to see.

All of it together stays below ``RATE`` on average; it comes in bursts, and each guest has busier
and calmer times. What fails (a network was stopped, a rule denies it) is tried again later.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import socket
import struct
from collections.abc import Awaitable
from pathlib import Path

from vnet_tui.sandbox import world
from vnet_tui.sandbox.guests import GUESTS, Guest, Lease, read_lease
from vnet_tui.sandbox.names import resolve
from vnet_tui.sandbox.namespaces import inside

RATE = 50_000
"""Bytes a second, over all guests and averaged over half a minute or more."""

_BURST = 200_000
_SMALLEST, _USUAL, _LARGEST = 1_000, 30_000, 150_000
_PATIENCE = 10.0
_PINGS = 3
_PIECE = 4 << 10
_ICMP_ECHO_REQUEST = 8

_chance = random.Random()  # noqa: S311 - it decides how the traffic looks, nothing else


class Budget:
    """A token bucket: ``rate`` bytes a second, at most ``burst`` of them saved up."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._saved = burst
        self._seen: float | None = None

    def wait(self, size: int, now: float) -> float:
        """Take ``size`` bytes at the time ``now``; the seconds to wait before using them."""
        if self._seen is not None:
            self._saved = min(self._burst, self._saved + (now - self._seen) * self._rate)
        self._seen = now
        self._saved -= size
        return max(0.0, -self._saved / self._rate)

    async def take(self, size: int) -> None:
        """Return when ``size`` bytes may be sent."""
        await asyncio.sleep(self.wait(size, asyncio.get_running_loop().time()))


async def run(directory: Path) -> None:
    """Have all guests, and a visitor from the internet, make traffic for ever."""
    budget = Budget(RATE, _BURST)
    async with asyncio.TaskGroup() as tasks:
        for guest in GUESTS:
            tasks.create_task(_live(guest, directory, budget))
        tasks.create_task(_visit(budget))


async def _live(guest: Guest, directory: Path, budget: Budget) -> None:
    """One guest's life: something now and then, more often when its mood is high."""
    mood = _chance.random()
    while True:
        mood = min(1.0, max(0.0, mood + _chance.gauss(0, 0.15)))
        await asyncio.sleep(_chance.expovariate(0.2 + mood))
        lease = read_lease(guest, directory)
        if lease is None:
            continue
        neighbours = [
            (other, found.address)
            for other in GUESTS
            if other.network == guest.network and other is not guest
            if (found := read_lease(other, directory))
        ]
        act = _chance.choices((_fetch, _upload, _ping, _call), (6, 3, 2, 2))[0]
        await _try(act(guest, lease, neighbours, budget))


async def _visit(budget: Budget) -> None:
    """Somebody on the internet who uses what is open to it."""
    while True:
        await asyncio.sleep(_chance.uniform(1, 6))
        await budget.take(2_000)
        await _try(_exchange(world.INTERNET, world.HOST_V4, world.OPEN_PORT, b"hello\n"))
        await _try(_get(world.INTERNET, world.ROUTED_GUEST, "/"))


async def _try(act: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await act
    except (OSError, ValueError):
        pass  # the way is closed for now: what the person at the terminal does decides that


_Neighbours = list[tuple[Guest, str]]


async def _fetch(guest: Guest, lease: Lease, _: _Neighbours, budget: Budget) -> None:
    """Look a name up and download something from there, by IPv6 now and then."""
    size = _some_size()
    await budget.take(size)
    with inside(guest.name):
        ask = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    with ask:
        address = await resolve(ask, lease.dns, world.WWW_NAME)
    if address is not None:
        there = world.WWW_V6 if _chance.random() < 0.2 else str(address)
        await _get(guest.name, there, f"/{size}")


async def _upload(guest: Guest, _lease: Lease, _: _Neighbours, budget: Budget) -> None:
    """Send something to the internet's web server, a piece at a time."""
    size = _some_size() // 2
    await budget.take(size)
    reader, writer = await _connect(guest.name, world.WWW_V4, 80)
    try:
        writer.write(f"PUT / HTTP/1.0\r\nContent-Length: {size}\r\n\r\n".encode())
        for start in range(0, size, _PIECE):
            writer.write(b"\x55" * min(_PIECE, size - start))
            await writer.drain()
            await asyncio.sleep(0.05)
        await reader.read()
    finally:
        writer.close()


async def _ping(guest: Guest, lease: Lease, neighbours: _Neighbours, _budget: Budget) -> None:
    """A few pings to a neighbour, or to the host when there is none."""
    address = _chance.choice(neighbours)[1] if neighbours else lease.router
    with inside(guest.name):
        raw = socket.socket(
            socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMP
        )
    loop = asyncio.get_running_loop()
    with raw:
        for sequence in range(_PINGS):
            await loop.sock_sendto(raw, echo_request(os.getpid() & 0xFFFF, sequence), (address, 0))
            await asyncio.sleep(0.2)


async def _call(guest: Guest, lease: Lease, neighbours: _Neighbours, budget: Budget) -> None:
    """Use the neighbours' services; without neighbours, what the host's own port leads to."""
    if not neighbours:
        await budget.take(_SMALLEST)
        await _exchange(guest.name, lease.router, world.OPEN_PORT, b"\x55" * _SMALLEST)
    for neighbour, address in neighbours:
        await budget.take(_SMALLEST)
        if neighbour.name == "web":
            await _get(guest.name, address, f"/{_SMALLEST}")
        elif neighbour.name == "foobar":
            await _exchange(guest.name, address, 321, b"\x55" * _SMALLEST)


async def _get(namespace: str, address: str, target: str) -> None:
    reader, writer = await _connect(namespace, address, 80)
    try:
        writer.write(f"GET {target} HTTP/1.0\r\n\r\n".encode())
        while await reader.read(_LARGEST):
            pass
    finally:
        writer.close()


async def _exchange(namespace: str, address: str, port: int, data: bytes) -> None:
    """Send something to an echo and wait for all of it to come back."""
    reader, writer = await _connect(namespace, address, port)
    try:
        writer.write(data)
        await reader.readexactly(len(data))
    finally:
        writer.close()


async def _connect(
    namespace: str, address: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with inside(namespace):
        made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        await asyncio.get_running_loop().sock_connect(made, (address, port))
        return await asyncio.open_connection(sock=made)
    except BaseException:
        made.close()
        raise


def _some_size() -> int:
    """A size in bytes: most are around ``_USUAL``, few are much larger."""
    size = _chance.lognormvariate(math.log(_USUAL), 0.7)
    return int(min(_LARGEST, max(_SMALLEST, size)))


def echo_request(identifier: int, sequence: int) -> bytes:
    """An ICMP echo request of the size that ping(8) sends (RFC 792)."""
    body = struct.pack("!HH", identifier, sequence) + bytes(56)
    words = struct.unpack(f"!{len(body) // 2}H", body)
    total = (_ICMP_ECHO_REQUEST << 8) + sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBH", _ICMP_ECHO_REQUEST, 0, total ^ 0xFFFF) + body
