"""Nothing is kept of a screen that was left."""

from __future__ import annotations

import gc
import weakref

import pytest

from tests.ui.playing import playing, until
from tests.ui.replay import Replay


@pytest.mark.parametrize("key", ["enter", "m", "E"])
async def test_a_screen_that_was_left_is_forgotten_with_the_next_second(key: str) -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.networks is not None)
        await pilot.press(key)
        await until(pilot, lambda: len(app.screen_stack) == 3)
        left = weakref.ref(app.screen)
        replay.tick()
        await until(pilot, lambda: app.sample is not None and app.sample.time == replay.now)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 2)

        def forgotten() -> bool:
            replay.tick()
            gc.collect()
            return left() is None

        await until(pilot, forgotten)
