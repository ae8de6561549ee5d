"""Noticing that somebody changed legacy tables, in the network namespace of the caller.

The kernel tells nobody but the audit system, so we look: at how many rules there are and how long.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from vnet_tui.engine.drivers.firewall.iptables import kernel
from vnet_tui.engine.drivers.firewall.iptables.rules import FAMILIES, TABLES

INTERVAL = 0.4
"""Seconds between two looks of some tens of microseconds each: what was flushed can be back
within a second."""


class TablesWatch:
    """Tells that rules were put in or taken away, whoever did it; what changed has to be looked at.

    A rule that took another's place isn't noticed when it is as long.

    >>> with TablesWatch() as watch:  # doctest: +SKIP
    ...     while True:
    ...         await watch.changed()
    """

    def __init__(self) -> None:
        self._seen = _look()

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
        """Wait for the next change."""
        while (now := _look()) == self._seen:  # noqa: ASYNC110  (nothing tells us)
            await asyncio.sleep(INTERVAL)
        self._seen = now


def _look() -> list[tuple[object, ...] | None]:
    return [kernel.shape(family, table) for family in FAMILIES for table in TABLES]
