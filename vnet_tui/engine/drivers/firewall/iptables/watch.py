"""Noticing that somebody changed legacy tables, in the network namespace of the caller.

The kernel tells nobody but the audit system, so we look: at how many rules there are and how long,
and less often at what they say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from vnet_tui.engine.drivers.firewall.iptables import kernel
from vnet_tui.engine.drivers.firewall.iptables.rules import FAMILIES, TABLES
from vnet_tui.engine.drivers.firewall.iptables.tables import FoundChain, Reader

INTERVAL = 0.4
"""Seconds between two looks of some tens of microseconds each: what was flushed can be back
within a second."""

READING = 2.0
"""Seconds, at least, between two looks at what rules say: one may have taken the place of another
that is as long."""

SHARE = 0.005
"""So much of the time is spent on that at most, however many rules there are."""

_Rules = list[tuple[Mapping[str, FoundChain], Mapping[str, FoundChain]] | None]


class TablesWatch:
    """Tells that rules of ours were put in, taken away or replaced, whoever did it; what changed
    has to be looked at.

    >>> with TablesWatch() as watch:  # doctest: +SKIP
    ...     while True:
    ...         await watch.changed()
    """

    def __init__(self) -> None:
        self._reader = Reader()
        self._shapes = _shapes()
        self._rules: _Rules = []
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held."""

    async def changed(self) -> None:
        """Wait for the next change. Raises :class:`~vnet_tui.engine.errors.DriverError`."""
        while not self._reshaped() and not await self._rewritten():  # noqa: ASYNC110  (nothing tells)
            await asyncio.sleep(INTERVAL)

    def _reshaped(self) -> bool:
        before, self._shapes = self._shapes, _shapes()
        if before == self._shapes:
            return False
        self._next = 0.0  # what the rules say from now on is to be known
        self._rules = []
        return True

    async def _rewritten(self) -> bool:
        if time.monotonic() < self._next:
            return False
        before, self._rules = self._rules, await asyncio.to_thread(self._read)
        return bool(before) and before != self._rules

    def _read(self) -> _Rules:
        """What the rules say; tells when that is to be read again."""
        began = time.monotonic()
        found = [self._reader.read(family, table) for family in FAMILIES for table in TABLES]
        ended = time.monotonic()
        self._next = ended + max(READING, (ended - began) / SHARE)
        return [None if one is None else (one.chains, one.hooks) for one in found]


def _shapes() -> list[tuple[object, ...] | None]:
    return [kernel.shape(family, table) for family in FAMILIES for table in TABLES]
