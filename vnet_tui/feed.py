"""What every screen lives on: the connection, and what it last told, in one place.

Values arrive as messages from workers and are kept as immutable reactives of the application.
A screen watches those that it shows::

    self.watch(feed_of(self), "sample", self._show_sample)
    feed_of(self).happened.subscribe(self, self._take_event)
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, cast
from uuid import UUID

from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.reactive import var
from textual.signal import Signal

from vnet_tui.engine.errors import ConnectionLostError
from vnet_tui.forgetting import Forgetting
from vnet_tui.roles import role_css

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.views import Event, HostInfo, NetworkInfo, Sample


class Lost(Message):
    """The connection failed."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class Feed(App[None]):
    """An application that follows a connection while it has one.

    All are None until they are first told; ``networks`` and ``sample`` stay as they were when the
    connection is lost.
    """

    DEFAULT_CSS = role_css()

    connection: var[Connection | None] = var(None, init=False)
    host: var[HostInfo | None] = var(None, init=False)
    networks: var[tuple[NetworkInfo, ...] | None] = var(None, init=False)
    sample: var[Sample | None] = var(None, init=False)
    read_only: var[bool] = var(False, init=False)
    """Whether nothing can be changed from here."""

    class Arrived(Message):
        """The networks, and where they are, once that is known."""

        def __init__(self, host: HostInfo | None, networks: tuple[NetworkInfo, ...]) -> None:
            super().__init__()
            self.host = host
            self.networks = networks

    class Sampled(Message):
        """A second passed."""

        def __init__(self, sample: Sample) -> None:
            super().__init__()
            self.sample = sample

    class Happened(Message):
        """Something happened."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    def __init__(self) -> None:
        super().__init__()
        self.happened: Signal[Event] = Signal(self, "happened")
        self._wanted = asyncio.Event()
        self._shown = asyncio.Event()
        self._lookers: dict[DOMNode, frozenset[UUID] | None] = {}
        self._detailed: frozenset[UUID] | None = frozenset()
        self._forgetting = Forgetting(self, self.happened)

    def ask_again(self) -> None:
        """Ask for the networks anew; many wishes at once are one."""
        self._wanted.set()

    def look_at(self, who: DOMNode, networks: Collection[UUID] | None) -> None:
        """What shows ports, rules or guests of some networks (None: of all) says so; it is given
        samples that tell of these until it says something else, or :meth:`look_away`."""
        if who.is_attached:  # else it has looked away already, for good
            self._lookers[who] = None if networks is None else frozenset(networks)
            self.call_later(self._follow_lookers)

    def look_away(self, who: DOMNode) -> None:
        """It shows nothing of the kind any more."""
        if self._lookers.pop(who, frozenset()) != frozenset():
            self.call_later(self._follow_lookers)

    def watch_connection(self, connection: Connection | None) -> None:
        """Follow a new connection, or none."""
        self.workers.cancel_group(self, "feed")
        self.workers.cancel_group(self, "samples")
        if connection is None:
            return
        self.ask_again()
        self._detailed = self._looked_at
        self.run_worker(self._keep_networks(connection), group="feed")
        self.run_worker(self._follow_samples(connection, self._detailed), group="samples")
        self.run_worker(self._follow_events(connection), group="feed")

    @property
    def _looked_at(self) -> frozenset[UUID] | None:
        """The networks of which somebody shows more than their own figures; None: of all."""
        found: frozenset[UUID] = frozenset()
        for networks in self._lookers.values():
            if networks is None:
                return None
            found |= networks
        return found

    def _follow_lookers(self) -> None:
        """Ask for other samples, where others are looked at."""
        wanted = self._looked_at
        if self.connection is None or wanted == self._detailed:
            return
        self._detailed = wanted
        following = self._follow_samples(self.connection, wanted)
        self.run_worker(following, group="samples", exclusive=True)

    async def _keep_networks(self, connection: Connection) -> None:
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                networks = await connection.networks()
                if networks and self.host is None:  # that takes longer: the picture comes first
                    self.post_message(self.Arrived(None, networks))
                    await self._shown.wait()
                self.post_message(self.Arrived(await connection.host(), networks))
        except Exception as error:
            self.post_message(Lost(error))

    async def _follow_samples(
        self, connection: Connection, detailed: frozenset[UUID] | None
    ) -> None:
        wanted = None if detailed is None else tuple(detailed)
        try:
            async for sample in connection.samples(wanted):
                self.post_message(self.Sampled(sample))
        except Exception as error:
            self.post_message(Lost(error))

    async def _follow_events(self, connection: Connection) -> None:
        try:
            async for event in connection.events():
                if event.denial is None:  # else no network is another than before
                    self.ask_again()
                self.post_message(self.Happened(event))
        except Exception as error:
            self.post_message(Lost(error))

    def on_feed_arrived(self, message: Arrived) -> None:
        """Keep what arrived."""
        self.host = message.host or self.host
        self.networks = message.networks
        self.call_after_refresh(self._shown.set)

    def on_feed_sampled(self, message: Sampled) -> None:
        """Keep what arrived."""
        self._forgetting.forget()
        self.sample = message.sample

    def on_feed_happened(self, message: Happened) -> None:
        """Hand it on."""
        self.happened.publish(message.event)


def feed_of(node: DOMNode) -> Feed:
    """The application that a widget is in."""
    return cast("Feed", node.app)


def connection_of(node: DOMNode) -> Connection:
    """The connection that there is now. ConnectionLostError: there is none."""
    connection = feed_of(node).connection
    if connection is None:
        raise ConnectionLostError(
            "there is no connection now", "it is sought again; F5 seeks it at once"
        )
    return connection
