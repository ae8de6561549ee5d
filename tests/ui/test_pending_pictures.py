"""What is pending, the questions about it, and the count-down, as pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.looks import Looks
from tests.ui.playing import line_of, playing, until
from tests.ui.replay import Replay
from tests.ui.test_pending import PLAN, apply, shown, stage_two, theirs
from vnet_tui.app import VnetApp
from vnet_tui.engine.errors import Problem, Severity
from vnet_tui.screens.apply_pending import ApplyPendingScreen
from vnet_tui.screens.overtaken import OvertakenScreen
from vnet_tui.screens.question import QuestionScreen

Then = Callable[[Pilot[Any], VnetApp, Replay], Awaitable[None]]


@pytest.fixture
def compare(looks: Looks) -> Callable[[Then], bool]:
    """Compares what is shown after two edits were staged and something was done."""

    def compared(then: Then) -> bool:
        replay = Replay()
        replay.preview = PLAN
        app = playing(replay)

        async def before(pilot: Pilot[Any]) -> None:
            await stage_two(pilot, app)
            await until(pilot, lambda: shown(app, "restart dnsmasq of lab"))
            await then(pilot, app, replay)
            await pilot.pause()

        return looks(app, before)

    return compared


def test_pending(compare: Callable[[Then], bool]) -> None:
    async def go(pilot: Pilot[Any], app: VnetApp, replay: Replay) -> None:
        await pilot.press("down")
        await until(pilot, lambda: shown(app, "+  <title>Our lab</title>"))

    assert compare(go)


def test_marked_in_the_list(compare: Callable[[Then], bool]) -> None:
    async def go(pilot: Pilot[Any], app: VnetApp, replay: Replay) -> None:
        await pilot.press("escape")
        await until(pilot, lambda: shown(app, "✎ 2 pending", "✎ edited"))
        await until(pilot, lambda: replay.remembered())

    assert compare(go)


def test_applied(compare: Callable[[Then], bool]) -> None:
    async def go(pilot: Pilot[Any], app: VnetApp, replay: Replay) -> None:
        warning = "host port 22 is sshd's: it won't get what is forwarded to lab"
        replay.problems = (Problem(message=warning, line=9, severity=Severity.WARNING),)
        await apply(pilot, app, "k")
        await until(pilot, lambda: shown(app, "Nothing is pending.", "lab, line 9"))
        await until(pilot, lambda: len(app._notifications))  # it ends by time: not for pictures
        app.clear_notifications()

    assert compare(go)


def test_apply(compare: Callable[[Then], bool]) -> None:
    async def go(pilot: Pilot[Any], app: VnetApp, replay: Replay) -> None:
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ApplyPendingScreen))
        await until(pilot, lambda: shown(app, "you press y within 60 s"))

    assert compare(go)


def test_overtaken(compare: Callable[[Then], bool]) -> None:
    async def go(pilot: Pilot[Any], app: VnetApp, replay: Replay) -> None:
        await theirs(replay, "10.20.0.1", "10.20.0.2")
        await until(pilot, lambda: "! others changed it" in line_of(app, "lab"))
        app.clear_notifications()
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, OvertakenScreen))
        await until(pilot, lambda: shown(app, "both can be joined", "10.20.0.2"))

    assert compare(go)


def test_on_trial(compare: Callable[[Then], bool]) -> None:
    async def go(pilot: Pilot[Any], app: VnetApp, replay: Replay) -> None:
        await apply(pilot, app, "enter")
        await until(pilot, lambda: shown(app, "on trial   60 s", "Nothing is pending."))
        await until(pilot, lambda: len(app._notifications))  # it ends by time: not for pictures
        app.clear_notifications()
        replay.now += 18
        replay.tick()
        await until(pilot, lambda: shown(app, "on trial   41 s"))
        app.action_leave()  # on the list, whose charts are pictures of their own, q does it
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await until(pilot, lambda: shown(app, "on trial   41 s", "Roll back"))

    assert compare(go)
