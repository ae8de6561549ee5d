"""A replay whose seconds cost next to nothing, and a daemon of one.

Run as a program it serves one, with a run directory, the number of networks, ``--varied`` for some
that differ in all they can and have seven ports each, and ``--still`` for figures that come
to rest. While they move something happens every few seconds, after which an interface asks for all
networks again.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import count as count_up, cycle
from pathlib import Path
from uuid import UUID

from tests.ui import recorded
from tests.ui.recorded import Recorded
from tests.ui.replay import Replay
from tests.ui.varied import varied
from vnet_tui.daemon.listening import listening, only_daemon
from vnet_tui.daemon.rights import Rights
from vnet_tui.daemon.server import Server
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import EventKind, NetworkInfo, Sample

VARIETY = 12
"""So many different samples are made beforehand, and told in turn."""

BETWEEN_EVENTS = 3
"""So many seconds pass from one event to the next."""

SOON, STEPS, STEP, FAST = 6, 14, 6.0, 0.5
"""Figures that come to rest go on for some seconds, in which the interface is opened. Then some are
told that lie so many seconds apart and come one soon after the other, until the interface has seen
more than a minute; then always the last."""

KEPT = 1000
"""So many events are remembered, as an engine remembers only its last."""


class Prepared(Replay):
    """A replay that makes its samples beforehand, and forgets old events."""

    def __init__(self, networks: Sequence[Recorded]) -> None:
        super().__init__(networks)
        made = []
        for _ in range(VARIETY):
            self.now += 1
            made.append(super().sample())
        self._made = cycle(made)

    def sample(self) -> Sample:
        return replace(next(self._made), time=self.now)

    def change(self, uuid: UUID, info: NetworkInfo, kind: EventKind, message: str) -> None:
        super().change(uuid, info, kind, message)
        del self._past[:-KEPT]


async def _serve(replay: Replay, paths: Paths, *, still: bool) -> None:
    infos = cycle(await replay.networks())
    server = Server(replay, Rights())
    with only_daemon(paths), listening(paths.socket) as socket:
        await server.serve(socket)
        for second in count_up(1):
            resting = still and second > SOON + STEPS
            hasty = still and SOON < second <= SOON + STEPS
            if resting or hasty:
                replay.now += STEP * hasty - 1
            await asyncio.sleep(FAST if hasty else 1)
            replay.tick()
            if second % BETWEEN_EVENTS == 0 and not still:
                info = next(infos)
                replay.change(info.uuid, info, EventKind.LEASE_ADDED, "so")


def main(run: Path, count: int, options: Sequence[str]) -> None:
    """Serve until it is ended."""
    networks = varied(count) if "--varied" in options else recorded.many(count)
    still = "--still" in options
    replay = Replay(networks) if still else Prepared(networks)
    asyncio.run(_serve(replay, Paths(state=run / "state", run=run), still=still))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
