"""Varlink messages over a stream, in an event loop.

Both ends use :class:`Wire`. Neither holds more than it must: who is not read from is not written
to without bound, and no message may be longer than the one that waits for it allows.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, TypeVar, cast

from vnet_tui.protocol.messages import BadMessageError, Json

_AHEAD = 64 * 1024
"""Bytes that are taken while earlier messages still wait for their turn."""

_UNSENT = 64 * 1024
"""Bytes that may wait to be written before :attr:`Wire.behind` is true."""


T = TypeVar("T")


class Budget:
    """What several connections together may hold of messages that aren't complete yet, in bytes."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.used = 0


class Wire(asyncio.Protocol):
    """One end of a connection.

    ``longest`` bounds a message that comes, ``budget`` those of several connections together: one
    that needs more than :data:`_AHEAD` when it is used up is cut. ``on_made`` is called when the
    connection is there, ``on_room`` when what waited to be written has mostly gone, ``on_end``
    when the other end has ended its part, ``on_lost`` when the connection is gone.
    """

    def __init__(
        self,
        longest: int,
        *,
        budget: Budget | None = None,
        on_made: Callable[[Wire], None] | None = None,
    ) -> None:
        self.longest = longest
        self.on_made = on_made
        self.on_room: Callable[[], object] | None = None
        self.on_end: Callable[[], object] | None = None
        self.on_lost: Callable[[], object] | None = None
        self.behind_since: float | None = None
        self.ended = False
        self._budget = budget or Budget(2 * longest)
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._seen = 0
        self._paused = False
        self._lost = False
        self._reader: asyncio.Future[None] | None = None
        self._writers: list[asyncio.Future[None]] = []

    # Reading

    @property
    def unread(self) -> int:
        """Bytes that came and weren't taken."""
        return len(self._buffer)

    async def receive(self) -> bytes | None:
        """The next message, without its zero byte; None when there are no more.

        Raises :class:`BadMessageError` for one that is too long, of which nothing is kept.
        """
        while True:
            end = self._buffer.find(b"\0", self._seen)
            if end >= 0:
                message = bytes(self._buffer[:end])
                self._drop(end + 1)
                self._seen = 0
                return message
            self._seen = len(self._buffer)
            if self._seen > self.longest:
                self._drop(self._seen)
                raise BadMessageError(f"longer than {self.longest} bytes")
            if self.ended:
                return None
            self._read_on()
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None

    async def beside(self, work: Callable[[Json], T], message: Json) -> T:
        """What a long computation makes of a message, in a thread: other work goes on."""
        return await asyncio.to_thread(work, message)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._budget.used -= count

    def _read_on(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    # Writing

    @property
    def behind(self) -> bool:
        """Whether the other end hasn't taken what was written."""
        return self.behind_since is not None

    def write(self, data: bytes) -> None:
        """Send bytes; never waits. Who asks :attr:`behind` before keeps what waits bounded."""
        if self._transport is not None and not self._lost:
            self._transport.write(data)

    async def room(self) -> None:
        """Wait until the other end has taken most of what was written, or is gone."""
        while self.behind and not self._lost:
            waiter = asyncio.get_running_loop().create_future()
            self._writers.append(waiter)
            await waiter

    def close(self) -> None:
        """End the connection when all is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def socket(self) -> socket.socket:
        """What it goes over."""
        return cast("socket.socket", cast("Any", self._transport).get_extra_info("socket"))

    @property
    def open(self) -> bool:
        """Whether it can be used still."""
        return self._transport is not None and not self.ended and not self._transport.is_closing()

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_UNSENT)
        if self.on_made is not None:
            self.on_made(self)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        self._buffer += data
        self._budget.used += len(data)
        if self._budget.used > self._budget.total and len(self._buffer) > _AHEAD:
            self.abort()
        if self._reader is not None:
            if not self._reader.done() and (b"\0" in data or len(self._buffer) > self.longest):
                self._reader.set_result(None)
        elif len(self._buffer) > _AHEAD and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The other end writes no more; it may still read."""
        self._end()
        return True

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone."""
        self._lost = True
        self._end()
        self.resume_writing()
        self._budget.used -= len(self._buffer)
        self._budget = Budget(0)
        self._buffer.clear()
        if self.on_lost is not None:
            self.on_lost()

    def _end(self) -> None:
        if self.ended:
            return
        self.ended = True
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
        if self.on_end is not None:
            self.on_end()

    def pause_writing(self) -> None:
        """Too much waits to be written."""
        self.behind_since = asyncio.get_running_loop().time()

    def resume_writing(self) -> None:
        """There is room again."""
        self.behind_since = None
        for waiter in self._writers:
            if not waiter.done():
                waiter.set_result(None)
        self._writers.clear()
        if self.on_room is not None:
            self.on_room()
