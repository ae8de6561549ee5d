"""A lost connection, on every screen: it is told, the last picture stays, and it comes back."""

from __future__ import annotations

import pytest

from tests.ui.playing import picture, playing, until
from tests.ui.replay import Replay
from tests.ui.test_feel import Flaky
from vnet_tui.app import VnetApp
from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.errors import NotPermittedError, Severity, VnetError
from vnet_tui.screens.failure import FailureScreen

GONE = VnetError("the daemon is gone")
FOUND = Finding(
    severity=Severity.ERROR,
    blocks=("DNS",),
    message="port 53 is taken",
    commands=(("systemctl", "stop", "unbound"),),
)


def losing(first: Replay, second: Replay) -> VnetApp:
    """An application that finds the second connection when it is told to seek one."""
    connect = Flaky(first, second)
    return VnetApp(connect, theme="vnet-dark", again_after=(3600.0,), clock=lambda: first.now)


SCREENS = [
    pytest.param("enter", "10.0.0.1/24", True, id="network"),
    pytest.param("m", "scale fit", True, id="monitor"),
    pytest.param("t", "Topology", True, id="topology"),
    pytest.param("E", "Events of all networks", True, id="events"),
    pytest.param("D", "1 finding", True, id="doctor"),
    pytest.param("X", "Enter asks", True, id="explain"),
    pytest.param("P", "pending", True, id="pending"),
    pytest.param("e", "nothing is wrong with it", False, id="editor"),
    pytest.param("n", "[1 Name]", False, id="new"),
]


@pytest.mark.parametrize(("key", "sign", "past"), SCREENS)
async def test_each_screen_tells_and_comes_back(key: str, sign: str, past: bool) -> None:
    first, second = Replay(), Replay()
    first.findings = (FOUND,)
    app = losing(first, second)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press(key)
        await until(pilot, lambda: sign in picture(app))
        screen = app.screen
        first.lose(GONE)
        await until(pilot, lambda: "the daemon is gone; trying again" in picture(app))
        assert sign in picture(app)
        assert screen.has_class("-lost") is past
        await pilot.press("f5")
        await until(pilot, lambda: "connection lost" not in picture(app))
        assert app.screen is screen
        assert app.connection is second


async def test_the_doctor_and_explanations_ask_the_new_connection() -> None:
    first, second = Replay(), Replay()
    second.findings = (FOUND,)
    app = losing(first, second)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("D")
        await until(pilot, lambda: "Nothing stands in its way" in picture(app))
        first.lose(GONE)
        await until(pilot, lambda: "trying again" in picture(app))
        await pilot.press("f5")
        await until(pilot, lambda: "port 53 is taken" in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: "systemctl stop unbound" in picture(app))
        await pilot.press("y")
        await until(pilot, lambda: second.calls == ["mend systemctl stop unbound"])
        assert first.calls == []


async def test_who_may_not_change_anything_goes_on_looking() -> None:
    replay = Replay()
    replay.fail = NotPermittedError(
        "you may read, and Stop changes", "that needs root or the group vnet"
    )
    app = playing(replay)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("r", "y")
        await until(pilot, lambda: isinstance(app.screen, FailureScreen))
        assert "that needs root or the group vnet" in picture(app)
        await pilot.press("r")
        await until(pilot, lambda: app.read_only)
        await until(pilot, lambda: "s start" not in picture(app))
        await until(pilot, lambda: "read only" in picture(app))
