"""A stream of a daemon's, over a connection of its own that is made anew when it was lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vnet_tui.client.remote import FIRST_PAUSE, LONGEST_PAUSE
from vnet_tui.client.way import Channel
from vnet_tui.engine.errors import ConnectionLostError
from vnet_tui.engine.views import Event, EventKind
from vnet_tui.protocol.messages import Json, pack
from vnet_tui.protocol.methods import Method

if TYPE_CHECKING:
    from vnet_tui.client.remote import RemoteConnection


PATIENCE = 15.0
"""Seconds for which a stream waits for a daemon that went away."""


class Stream:
    """Iterates over what a method of the daemon gives from the moment of the call.

    A daemon that ends, or is lost, is waited for, for :data:`PATIENCE`; then
    :class:`~vnet_tui.engine.errors.ConnectionLostError` is raised. Where it is a stream of events,
    a warning tells that some are missing, because they weren't read in time or because the daemon
    was away; others go on without a word.
    """

    def __init__(
        self, remote: RemoteConnection, method: Method, call: dict[str, Json], kept: set[Stream]
    ) -> None:
        self._remote = remote
        self._method = method
        self._call = pack(call)
        self._kept = kept
        self._wire: Channel | None = None
        self._waiting: deque[Any] = deque()
        self._closed = False
        self._reached = False
        self._beginning = asyncio.ensure_future(self._begin(0.0))

    async def begun(self) -> None:
        """Wait until nothing that happens is missed any more."""
        await asyncio.wait({self._beginning})

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Any:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            try:
                await self._read()
            except ConnectionLostError:
                if not self._reached:
                    await self.aclose()
                    raise
                if not self._closed:
                    await self._again()
            except BaseException:
                await self.aclose()
                raise
        return self._waiting.popleft()

    async def aclose(self) -> None:
        """End the stream, and its connection."""
        self._closed = True
        self._kept.discard(self)
        self._beginning.cancel()
        with contextlib.suppress(BaseException):
            await self._beginning
        if self._wire is not None:
            self._wire.abort()

    async def _begin(self, patience: float) -> None:
        wire = await self._remote.reach(patience)
        self._wire = wire
        wire.write(self._call)
        # The first reply is empty: it says that the stream has begun.
        await self._remote.next_item(wire, self._method)
        self._reached = True

    async def _read(self) -> None:
        await asyncio.shield(self._beginning)
        if self._wire is None:
            return
        item, skipped = await self._remote.next_item(self._wire, self._method)
        if skipped and self._method.result is Event:
            self._waiting.append(_lost_events(f"{skipped} events came too fast and are lost"))
        if item is not None:
            self._waiting.append(item)

    async def _again(self) -> None:
        """Reach the daemon again."""
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + PATIENCE, FIRST_PAUSE
        while True:
            self._beginning = asyncio.ensure_future(self._begin(0.0))
            try:
                await asyncio.shield(self._beginning)
                break
            except ConnectionLostError:
                if loop.time() + pause > end:
                    await self.aclose()
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        if self._method.result is Event:
            told = "the daemon was away: what happened meanwhile is among the past events"
            self._waiting.append(_lost_events(told))


def _lost_events(message: str) -> Event:
    """An event that tells that some are missing."""
    now = datetime.now(UTC)
    return Event(time=now, kind=EventKind.WARNING, network=None, name="", message=message)
