"""The interface on a replay whose seconds cost next to nothing, so that what is measured is ours.

Run as a program on a terminal, with the number of networks and, for
figures that never change, ``--still``.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from itertools import cycle
from uuid import UUID

from tests.ui import recorded
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection
from vnet_tui.engine.views import EventKind, NetworkInfo, Sample

VARIETY = 12
"""So many different samples are made beforehand, and told in turn."""

KEPT = 1000
"""So many events are remembered, as an engine remembers only its last."""


class Prepared(Replay):
    """A replay that makes its samples beforehand, and forgets old events."""

    def __init__(self, count: int, variety: int = VARIETY) -> None:
        super().__init__(recorded.many(count))
        made = []
        for _ in range(variety):
            self.now += 1
            made.append(super().sample())
        self._made = cycle(made)

    def sample(self) -> Sample:
        return replace(next(self._made), time=self.now)

    def change(self, uuid: UUID, info: NetworkInfo, kind: EventKind, message: str) -> None:
        super().change(uuid, info, kind, message)
        del self._past[:-KEPT]


def main(count: int, *, still: bool) -> None:
    """Open the interface; ``still``: no figure changes."""
    replay = Prepared(count, 1 if still else VARIETY)
    tickers: set[asyncio.Task[None]] = set()

    async def by_the_clock() -> None:
        while True:
            await asyncio.sleep(1)
            replay.tick()

    async def connect() -> Connection:
        tickers.add(asyncio.create_task(by_the_clock()))
        return replay

    VnetApp(connect, clock=lambda: replay.now).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), still="--still" in sys.argv)
