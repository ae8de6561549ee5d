"""One sampler for everybody who wants statistics, and the history that the engine keeps."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from uuid import UUID

from vnet_tui.engine.brief import brief
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.meter import NOTHING_COUNTED, Meter, OwnLinks, Topology, Wiring
from vnet_tui.engine.readings import Readings
from vnet_tui.engine.resources import LinkSnapshot
from vnet_tui.engine.rule_sampler import RuleSampler
from vnet_tui.engine.views import HistoryPoint, Sample

INTERVAL = 1.0
"""Seconds between samples."""

PATIENCE = 0.1
"""So long a sample waits for the firewall's counters; what comes later is in the next one."""

_log = logging.getLogger(__name__)


def wire(snapshot: LinkSnapshot, bridges: Mapping[UUID, str]) -> Topology:
    """Which interfaces are which network, given the names of the networks' bridges; a network
    whose bridge isn't there is left out."""
    networks = {name: network for network, name in bridges.items()}
    ports: dict[UUID, dict[int, str]] = {network: {} for network in bridges}
    for link in snapshot.links.values():
        network = networks.get(link.master) if link.master else None
        if network:
            ports[network][link.index] = link.name
    return {
        network: Wiring(bridge=snapshot.links[name].index, ports=ports[network])
        for network, name in bridges.items()
        if name in snapshot.links
    }


class Sampler:
    """Samples once a second while somebody subscribes, or between :meth:`start` and :meth:`stop`
    (for the history).

    ``read`` gives the counters of all interfaces; it may block, and runs in a thread. ``rules``
    reads those of the firewall, for subscribers only, as history has none of them. The clocks
    are those of :mod:`time` and :mod:`asyncio`, unless a test brings its own: ``monotonic`` and
    ``wall`` tell seconds, ``sleep`` waits for some.
    """

    def __init__(
        self,
        read: Callable[[], Readings],
        topology: Topology | None = None,
        *,
        rules: RuleSampler | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._read = read
        self._rules = rules
        self._meter = Meter()
        self._meter.topology = topology or {}
        self._monotonic = monotonic
        self._wall = wall
        self._sleep = sleep
        self._subscribers = 0
        self._started = False
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._newest: Sample | None = None
        self._briefs: dict[frozenset[UUID], Sample] = {}
        self._taken = 0
        self._next = asyncio.Event()

    @property
    def topology(self) -> Topology:
        """Which interfaces are sampled; to be set anew whenever links change."""
        return self._meter.topology

    @topology.setter
    def topology(self, topology: Topology) -> None:
        self._meter.topology = topology

    @property
    def links(self) -> OwnLinks:
        """Which links of the host's own are sampled; to be set anew, too."""
        return self._meter.links

    @links.setter
    def links(self, links: OwnLinks) -> None:
        self._meter.links = links

    @property
    def watched(self) -> bool:
        """Whether somebody subscribes."""
        return self._subscribers > 0

    @property
    def running(self) -> bool:
        """Whether samples are being taken."""
        return self._task is not None

    def start(self) -> None:
        """Sample for the history too, from now on."""
        self._started = True
        self._adjust()

    def stop(self) -> None:
        """Sample for subscribers only."""
        self._started = False
        self._adjust()

    async def close(self) -> None:
        """End sampling; subscribers' iterations end too."""
        self._closed = True
        self._next.set()
        task = self._task
        self._adjust()
        if task:
            await asyncio.wait([task])
        if self._rules is not None:
            await self._rules.close()

    async def samples(
        self, detailed: frozenset[UUID] | None = None
    ) -> AsyncGenerator[Sample, None]:
        """The newest sample at once where there is one, then each new one; with the ports, rules
        and guests of some networks only, or of all.

        Who is slow misses samples and gets the newest next; nothing is kept for him.
        """
        self._subscribers += 1
        seen = 0
        try:
            self._adjust()
            while not self._closed:
                if self._newest is None or seen == self._taken:
                    await self._next.wait()
                    continue
                seen = self._taken
                yield self._newest if detailed is None else self._brief(self._newest, detailed)
        finally:
            self._subscribers -= 1
            self._adjust()

    def history(self, network: UUID | None, port: str | None = None) -> tuple[HistoryPoint, ...]:
        """The last ten minutes of a network's bridge or of one of its ports, oldest first; without
        a network, of the host's own link of that name."""
        return self._meter.history(network, port)

    def _brief(self, newest: Sample, detailed: frozenset[UUID]) -> Sample:
        """The same object for all who ask for the same: it is encoded once."""
        made = self._briefs.get(detailed)
        if made is None:
            made = self._briefs[detailed] = brief(newest, detailed)
        return made

    def _adjust(self) -> None:
        """Sample exactly while somebody wants it."""
        wanted = not self._closed and (self._started or self._subscribers > 0)
        if wanted and self._task is None:
            self._meter.pause()
            self._newest = None
            self._task = asyncio.create_task(self._run(), name="sampler")
        elif not wanted and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        """Take samples at an even pace. After a late one the pace begins anew, a whole interval
        later: over a few milliseconds, one burst of packets would look like the speed of the wire.
        """
        due = self._monotonic()
        failed = ""
        while True:
            try:
                if self._rules is not None and self._subscribers:
                    self._rules.look(self.topology)
                readings = await asyncio.to_thread(self._read)
                moment, wall = self._monotonic(), self._wall()
                if self._rules is not None:
                    await self._rules.settle(PATIENCE)
            except (DriverError, OSError) as error:
                if str(error) != failed:
                    _log.warning("statistics: %s", error)
                failed = str(error)
            else:
                failed = ""
                self._publish(readings, moment, wall)
            now = self._monotonic()
            due += INTERVAL
            if due < now + INTERVAL / 2:
                due = now + INTERVAL
            await self._sleep(due - now)

    def _publish(self, readings: Readings, moment: float, wall: float) -> None:
        counted = self._rules.counted if self._rules is not None else NOTHING_COUNTED
        self._newest = self._meter.record(readings, moment, wall, counted)
        self._briefs.clear()
        self._taken += 1
        waiting, self._next = self._next, asyncio.Event()
        waiting.set()
