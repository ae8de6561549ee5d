"""Hours of the interface in minutes: what it keeps of the samples and events that pass.

Run as a module with the numbers of networks, of hours, and of events an hour. It writes a line of
JSON at the end of each hour: resident memory in MiB, and how many objects Python keeps (those that
hold others: gc.get_objects).
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from textual.pilot import Pilot

from benchmarks.lib.interface_replay import Prepared
from tests.ui.playing import playing, until
from vnet_tui.engine.views import EventKind
from vnet_tui.feed import Feed

HOUR = 3600
TO_AND_FRO = ("m", "escape", "E", "escape", "enter", "4", "escape", "down")
"""What is pressed in each hour, one key after another: every live screen is opened and left."""

REST = 20
"""Every so many seconds of it, it is waited for that all is painted."""

PATIENCE = 60.0

KINDS = (EventKind.PORT_ADDED, EventKind.LEASE_ADDED, EventKind.EDITED, EventKind.PORT_REMOVED)


async def _hour(app: Feed, pilot: Pilot[None], replay: Prepared, events: int) -> None:
    infos = cycle(await replay.networks())
    kinds = cycle(KINDS)
    for second in range(HOUR):
        replay.tick()
        if second * events // HOUR != (second + 1) * events // HOUR:
            info = next(infos)
            replay.change(info.uuid, replace(info, pending=second % 2 == 0), next(kinds), "so")
        if second % (HOUR // len(TO_AND_FRO)) == 0:
            await pilot.press(TO_AND_FRO[second * len(TO_AND_FRO) // HOUR])
        async with asyncio.timeout(PATIENCE):
            while app.sample is None or app.sample.time != replay.now:  # noqa: ASYNC110
                await asyncio.sleep(0)  # a few turns of the loop
        if second % REST == 0:
            await pilot.pause()


def _resident() -> float:
    """The memory that this process has, in MiB (proc(5), VmRSS)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no VmRSS in /proc/self/status")


async def _pass(networks: int, hours: int, events: int) -> None:
    replay = Prepared(networks)
    app = playing(replay)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.networks is not None, PATIENCE)
        for _ in range(hours):
            await _hour(app, pilot, replay, events)
            gc.collect()
            print(json.dumps([_resident(), len(gc.get_objects())]), flush=True)


if __name__ == "__main__":
    asyncio.run(_pass(*map(int, sys.argv[1:])))
