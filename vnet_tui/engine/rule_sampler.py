"""The firewall's counters for statistics: as many networks a second as cost little.

Reading takes a time that grows with rules and with networks (nftables: 0.4 ms of a processor for
each of a hundred networks, 2 ms for each of five hundred, as the kernel looks for a set by going
through all of them). So a second's work is bounded: networks take turns, and those that somebody
looks at have theirs every time.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from uuid import UUID

from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.rule_counters import DEFAULT_IN, DEFAULT_OUT, Counters, NetworkCounters

PART_SECONDS = 0.01
"""So much time one reading may take; the networks that come to more wait for the next."""

SHARE = 0.02
"""Of all time, the share that reading may take where even one network takes longer than that."""

LONGEST_SECONDS = 10.0
"""But never is there a longer pause than this."""

FAVOURED = 4
"""So many networks, those that were looked at last, are read every time."""

_FIRST_COUNT = 8
_DEFAULTS = frozenset((DEFAULT_IN, DEFAULT_OUT))

_log = logging.getLogger(__name__)


class RuleSampler:
    """Reads counters in a task of its own; :attr:`counted` is what is known.

    ``read`` gives the counters of some networks at least. ``clock`` is in seconds.
    """

    def __init__(
        self,
        read: Callable[[Collection[UUID]], Awaitable[Counters]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._clock = clock
        self._counted: Mapping[UUID, NetworkCounters] = {}
        self._read_at: dict[UUID, float] = {}
        self._favoured: deque[UUID] = deque(maxlen=FAVOURED)
        self._count = _FIRST_COUNT
        self._due = clock()
        self._failed = ""
        self._task: asyncio.Task[None] | None = None

    @property
    def counted(self) -> Mapping[UUID, NetworkCounters]:
        """What was read last of each network. Rules that counted nothing are left out, but for
        the defaults."""
        return self._counted

    def favour(self, network: UUID) -> None:
        """Somebody looks at this network."""
        if network in self._favoured:
            self._favoured.remove(network)
        self._favoured.append(network)

    def look(self, networks: Collection[UUID]) -> None:
        """Begin to read those of the running ``networks`` whose turn it is, if it is time."""
        if (self._task and not self._task.done()) or self._clock() < self._due or not networks:
            return
        count = max(self._count, len(self._favoured))
        part = heapq.nsmallest(count, networks, key=self._turn)
        self._task = asyncio.create_task(self._take(frozenset(networks), part))

    async def settle(self, seconds: float) -> None:
        """Wait for what is being read, at most so long."""
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=seconds)

    async def close(self) -> None:
        """Wait for what is being read."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _turn(self, network: UUID) -> tuple[bool, float]:
        return network not in self._favoured, self._read_at.get(network, float("-inf"))

    async def _take(self, running: frozenset[UUID], part: Collection[UUID]) -> None:
        start = self._clock()
        try:
            found = await self._read(part)
        except (VnetError, OSError) as error:
            if str(error) != self._failed:
                _log.warning("counters of rules: %s", error)
            self._failed = str(error)
            self._due = start + LONGEST_SECONDS
            return
        self._failed = ""
        took = self._clock() - start
        if took > PART_SECONDS:
            self._count = max(1, int(len(part) * PART_SECONDS / took))
        elif took < PART_SECONDS / 2 and len(part) >= self._count:
            self._count *= 2
        self._due = start + min(took / SHARE, LONGEST_SECONDS)
        new = {network: _thin(counters) for network, counters in found.networks.items()}
        kept = self._counted.keys() - {*part}
        both = {network: self._counted[network] for network in kept} | new
        self._counted = {network: both[network] for network in both.keys() & running}
        read_at = self._read_at | dict.fromkeys({*part, *new}, start)
        self._read_at = {network: read_at[network] for network in read_at.keys() & running}


def _thin(counters: NetworkCounters) -> NetworkCounters:
    """Without the rules that counted nothing: of thousands, those are most."""
    rules = {
        key: count for key, count in counters.rules.items() if count.packets or key in _DEFAULTS
    }
    return replace(counters, rules=rules)
