"""Hours of the interface in minutes, on a terminal: what it keeps of what passes.

Run as a module on a terminal, with the numbers of networks, of hours, of seconds and of events an
hour, and of the file that is told. That is written a line of JSON at the end of each hour: resident
memory in MiB, how many objects Python keeps (those that hold others: gc.get_objects), and how many
of them are widgets.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from textual.pilot import Pilot
from textual.widget import Widget

from benchmarks.lib.interface_replay import KEPT, Prepared
from tests.ui import recorded
from tests.ui.playing import picture, playing, until
from vnet_tui.app import VnetApp
from vnet_tui.engine.views import EventKind, NetworkInfo
from vnet_tui.promptness import be_prompt

PRESSED = (
    ("m", "down", "U", "escape"),
    ("t", "right", "down", "escape"),
    ("E", "v", "slash", "n", "escape", "escape"),
    ("enter", "2", "3", "4", "5", "6", "7", "escape"),
    ("D", "escape"),
    ("X", "escape"),
    ("e", "1", "down", "end", "x", "ctrl+s", "P", "down", "p", "k", "escape"),
    ("n", "pagedown", "escape", "y"),
    ("slash", "n", "e", "t", "escape", "escape"),
    ("ctrl+o", "escape"),
    ("colon", "escape"),
    ("ctrl+p", "escape"),
    ("question_mark", "question_mark"),
    ("a", "x", "y", "s"),
    ("down",),
)
"""What is pressed, evenly spread through the hour: all screens are opened and left, a network is
given another title, which is applied, and is stopped and started; then comes the next one."""

ROUNDS = 2
"""So often in each hour: the second time of the first one, the pasts are as long as they get."""

REST = 20
"""Every so many seconds of it, it is waited for that all is painted."""

PATIENCE = 60.0

KINDS = (EventKind.PORT_ADDED, EventKind.LEASE_ADDED, EventKind.EDITED, EventKind.PORT_REMOVED)


class Hours(Prepared):
    """Of a replay, with denials."""

    def deny(self, info: NetworkInfo) -> None:
        """One of its guests is denied a connection."""
        self._past.append(recorded.denied(recorded.NOW - self.now, info))
        self._events.put(self._past[-1])
        del self._past[:-KEPT]


async def _hour(app: VnetApp, pilot: Pilot[None], replay: Hours, seconds: int, events: int) -> None:
    infos = cycle(await replay.networks())
    kinds = cycle(KINDS)
    keys = [key for visit in PRESSED for key in visit] * ROUNDS
    for second in range(seconds):
        replay.tick()
        for number in range(second * events // seconds, (second + 1) * events // seconds):
            info = next(infos)
            if number % 2:
                replay.deny(info)
            else:
                change = replace(await replay.network(info.uuid), pending=number % 4 == 0)
                replay.change(info.uuid, change, next(kinds), "so")
        for number in range(second * len(keys) // seconds, (second + 1) * len(keys) // seconds):
            await pilot.press(keys[number])
            await pilot.pause(0.1)  # what is asked is answered
        async with asyncio.timeout(PATIENCE):
            while app.sample is None or app.sample.time != replay.now:  # noqa: ASYNC110
                await asyncio.sleep(0)  # a few turns of the loop
        if second % REST == 0:
            await pilot.pause()
    await pilot.pause()
    if len(app.screen_stack) != 2 or app.staged.drafts:
        raise SystemExit(f"it did not come back to the list:\n{picture(app)}")


def _resident() -> float:
    """The memory that this process has, in MiB (proc(5), VmRSS)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no VmRSS in /proc/self/status")


async def _pass(networks: int, hours: int, seconds: int, events: int, told: int) -> None:
    be_prompt()
    replay = Hours(recorded.many(networks))
    app = playing(replay)
    async with app.run_test(headless=False, size=None) as pilot:
        await until(pilot, lambda: app.networks is not None, PATIENCE)
        for _ in range(hours):
            await _hour(app, pilot, replay, seconds, events)
            gc.collect()
            objects = gc.get_objects()
            widgets = sum(isinstance(one, Widget) for one in objects)
            line = json.dumps([_resident(), len(objects), widgets]) + "\n"
            del objects
            os.write(told, line.encode())


if __name__ == "__main__":
    asyncio.run(_pass(*map(int, sys.argv[1:])))
