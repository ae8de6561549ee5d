"""What happens, told to everyone who listens, in this program and in others."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import weakref
from collections import deque
from datetime import UTC, datetime
from uuid import UUID

from vnet_tui.engine.event_log import EventLog
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import Event, EventKind

KEPT = 1000
"""How many past events are kept, and as many denials."""

BACKLOG = 256
"""How many events wait for one listener before it loses the oldest."""

LOG_NAME, DENIALS_NAME = "events.jsonl", "denials.jsonl"
"""Who was denied what is kept apart: a flood of that pushes out nothing else."""


class Subscription:
    """The events from now on, for one listener: iterate, and :meth:`close` when done.

    It never holds more than :data:`BACKLOG` events: a listener that is too slow loses the oldest
    and is told how many by a warning in their place.
    """

    def __init__(self, backlog: int) -> None:
        self._waiting: deque[Event] = deque(maxlen=backlog)
        self._lost = 0
        self._closed = False
        self._woken = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an event; never blocks."""
        self._lost += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(event)
        self._woken.set()

    def close(self) -> None:
        """End the iteration, once what waits has been read."""
        self._closed = True
        self._woken.set()

    async def aclose(self) -> None:
        """:meth:`close` as asynchronous generators have it."""
        self.close()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._woken.clear()
            await self._woken.wait()
        if self._lost:
            lost, self._lost = self._lost, 0
            return _event(EventKind.WARNING, None, "", f"{lost} events came too fast and are lost")
        return self._waiting.popleft()


class EventBus:
    """One program's view of all events of a run directory. For one thread: that of its loop.

    Events are also appended to ``events.jsonl`` in the run directory (those of denials, to
    ``denials.jsonl``), from where other programs read them; what these append is told here as
    well. Where the files can't be written, events are told in this program only.
    """

    def __init__(self, paths: Paths, *, kept: int = KEPT, backlog: int = BACKLOG) -> None:
        self._logs = {name: EventLog(paths.run / name) for name in (LOG_NAME, DENIALS_NAME)}
        self._directory = paths.run
        self._past: dict[str, deque[Event]] = {name: deque(maxlen=kept) for name in self._logs}
        self._backlog = backlog
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()
        self._follower: asyncio.Task[None] | None = None

    def tell(self, kind: EventKind, network: UUID | None, name: str, message: str) -> None:
        """Publish that something happens just now."""
        self.publish(_event(kind, network, name, message))

    def publish(self, event: Event) -> None:
        """Tell an event to all listeners and keep it. Never fails, and takes microseconds."""
        self._catch_up()
        with contextlib.suppress(OSError):
            self._logs[_place(event)].append(event)
        self._deliver(event)

    def past(self, network: UUID | None = None) -> tuple[Event, ...]:
        """The last events, oldest first; only those of one network where one is given."""
        self._catch_up()
        past = heapq.merge(*self._past.values(), key=lambda event: event.time)
        return tuple(event for event in past if network is None or event.network == network)

    def subscribe(self) -> Subscription:
        """Everything from now on, also what other programs tell."""
        self._catch_up()
        subscription = Subscription(self._backlog)
        self._subscriptions.add(subscription)
        if self._follower is None or self._follower.done():
            self._follower = asyncio.get_running_loop().create_task(self._follow())
        return subscription

    async def close(self) -> None:
        """End all subscriptions."""
        for subscription in list(self._subscriptions):
            subscription.close()
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.wait({self._follower})
            self._follower = None

    def _deliver(self, event: Event) -> None:
        self._past[_place(event)].append(event)
        for subscription in list(self._subscriptions):
            subscription.put(event)

    def _catch_up(self) -> None:
        for log in self._logs.values():
            for event in log.news():
                self._deliver(event)

    async def _follow(self) -> None:
        """Deliver what others append, for as long as somebody listens."""
        from asyncinotify import Inotify, Mask

        try:
            with Inotify() as inotify:
                self._directory.mkdir(parents=True, exist_ok=True)
                inotify.add_watch(self._directory, Mask.MODIFY | Mask.CREATE | Mask.MOVED_TO)
                self._catch_up()
                while self._subscriptions:
                    event = await inotify.get()
                    if event.name is None or event.name.name in self._logs:
                        self._catch_up()
        except OSError as error:
            message = f"events of other programs aren't seen here: {error.strerror}"
            self._deliver(_event(EventKind.WARNING, None, "", message))


def _place(event: Event) -> str:
    """The name of the log that it belongs to."""
    return LOG_NAME if event.denial is None else DENIALS_NAME


def _event(kind: EventKind, network: UUID | None, name: str, message: str) -> Event:
    return Event(time=datetime.now(UTC), kind=kind, network=network, name=name, message=message)
