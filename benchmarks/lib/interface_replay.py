"""A replay whose seconds cost next to nothing, and a daemon of it.

Run as a program it serves one, with a run directory, the number of networks and, for figures that
have come to rest, ``--still``. Every few seconds something happens, after which an interface asks
for all networks again.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from itertools import count as count_up, cycle
from pathlib import Path
from uuid import UUID

from tests.ui import recorded
from tests.ui.replay import Replay
from vnet_tui.daemon.listening import listening, only_daemon
from vnet_tui.daemon.rights import Rights
from vnet_tui.daemon.server import Server
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import EventKind, NetworkInfo, Sample

VARIETY = 12
"""So many different samples are made beforehand, and told in turn."""

BETWEEN_EVENTS = 3
"""So many seconds pass from one event to the next."""

SOON, SETTLED, FAST = 8, 90, 0.1
"""Figures that come to rest stand for some seconds, in which the interface is opened; then many
more seconds with the same pass quickly, until the last minute has no others."""

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


async def _serve(paths: Paths, count: int, *, still: bool) -> None:
    replay = Prepared(count, 1 if still else VARIETY)
    infos = cycle(await replay.networks())
    server = Server(replay, Rights())
    with only_daemon(paths), listening(paths.socket) as socket:
        await server.serve(socket)
        for second in count_up(1):
            await asyncio.sleep(FAST if still and SOON < second < SOON + SETTLED else 1)
            replay.tick()
            if second % BETWEEN_EVENTS == 0 and not still:
                info = next(infos)
                replay.change(info.uuid, info, EventKind.LEASE_ADDED, "so")


def main(run: Path, count: int, *, still: bool) -> None:
    """Serve until it is ended."""
    asyncio.run(_serve(Paths(state=run / "state", run=run), count, still=still))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), still="--still" in sys.argv)
