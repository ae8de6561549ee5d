"""What an engine, or whoever else has events, tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from tests.support.eventually import soon
from vnet_tui.engine.views import Event, EventKind


class Telling(Protocol):
    def events(self) -> AsyncIterator[Event]: ...


class Heard:
    """What is told from now on."""

    def __init__(self, teller: Telling) -> None:
        self.events: list[Event] = []
        self._task = asyncio.create_task(self._listen(teller.events()))

    async def _listen(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            self.events.append(event)

    def of(self, *kinds: EventKind) -> list[str]:
        """The messages of these kinds."""
        return [event.message for event in self.events if event.kind in kinds]

    async def hears(self, kind: EventKind, words: str) -> str:
        """The first message of a kind with these words, once there was one."""

        async def heard() -> str:
            return next((message for message in self.of(kind) if words in message), "")

        return await soon(heard, what=f"{kind} wasn't told with {words!r}: {self.events}")

    async def told(self, kind: EventKind, *, times: int = 1) -> str:
        """The latest message of a kind, once there were so many."""

        async def heard() -> list[str]:
            found = self.of(kind)
            return found if len(found) >= times else []

        return (await soon(heard, what=f"{kind} wasn't told {times} times: {self.events}"))[-1]
