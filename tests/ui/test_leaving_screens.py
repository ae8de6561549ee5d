"""Nothing is kept of what was closed."""

from __future__ import annotations

import gc
from collections import Counter
from contextlib import suppress

from textual._styles_cache import StylesCache
from textual.widget import Widget

from tests.ui.playing import playing, until
from tests.ui.recorded import DEMO
from tests.ui.replay import Replay

SCREENS = (
    ("enter", "4"),
    ("m",),
    ("t",),
    ("E",),
    ("D",),
    ("X",),
    ("n",),
    ("e",),
    ("P",),
    ("d",),
    ("u",),
    ("ctrl+o",),
    ("colon",),
    ("ctrl+p",),
    ("question_mark",),
)
"""What opens a screen, or a dialog, from the list, and what is looked at in it."""


async def test_screens_that_were_left_are_forgotten_with_the_next_second() -> None:
    replay = Replay([one for one in DEMO if one.info.name != "lab"])  # of few ports: quick to play
    app = playing(replay)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.networks is not None)

        async def pass_a_second() -> None:
            replay.tick()
            await until(pilot, lambda: app.sample is not None and app.sample.time == replay.now)

        async def open_and_leave_all() -> None:
            for keys in SCREENS:
                await pilot.press(*keys)
                await until(pilot, lambda: len(app.screen_stack) == 3)
                await pass_a_second()
                await pilot.press("escape")
                await until(pilot, lambda: len(app.screen_stack) == 2)

        await open_and_leave_all()  # the list makes what it needs but once
        before = _widgets()
        await open_and_leave_all()

        def forgotten() -> bool:
            replay.tick()
            return not _widgets() - before

        with suppress(TimeoutError):
            await until(pilot, forgotten)
        assert not _widgets() - before


def _widgets() -> Counter[str]:
    """How many of each kind are in memory, and of what remembers how they are painted."""
    gc.collect()
    kept = (one for one in gc.get_objects() if isinstance(one, Widget | StylesCache))
    return Counter(type(one).__name__ for one in kept)
