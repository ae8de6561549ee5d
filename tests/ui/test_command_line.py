"""Commands of ``vnet`` typed in the interface, by keyboard."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.looks import SMALL, Looks
from tests.ui.playing import picture, playing, until
from tests.ui.replay import Replay
from tests.ui.test_snapshots import after
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection
from vnet_tui.engine.errors import NotPermittedError
from vnet_tui.remembered import Remembered
from vnet_tui.screens.command_line import CommandLineScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.widgets.picture import Picture


async def opened(pilot: Pilot[None], app: VnetApp) -> Input:
    await until(pilot, lambda: "old" in picture(app))
    await pilot.press("colon")
    await until(pilot, lambda: isinstance(app.screen, CommandLineScreen))
    await pilot.pause()
    return app.screen.query_one(Input)


async def typed(pilot: Pilot[None], text: str) -> None:
    """As if pasted: a key at a time would take a test seconds."""
    field = pilot.app.screen.query_one(Input)
    field.value = text
    await pilot.press("enter")


def told_again(app: VnetApp, text: str, times: int) -> bool:
    return picture(app).count(text) > times


async def test_a_command_works_on_the_same_connection() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await opened(pilot, app)
        await typed(pilot, "network-start old; network-list --name")
        await until(
            pilot, lambda: "scratch" in app.screen.query_one("#command-output", Picture).plain
        )
        assert replay.calls == ["start old"]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


async def test_what_is_longer_than_a_line_goes_on_in_the_next() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await opened(pilot, app)
        await typed(pilot, f"network-info {'long' * 30}end")
        await until(pilot, lambda: "error: no network is called" in picture(app))
        assert picture(app).count("longend") == 2


async def test_errors_are_told_and_the_terminal_stays_ours() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot, app)
        for text, answer in (
            ("network-strt old", "network-strt"),
            ("network-info nowhere", "error:"),
            ("network-start 'old", "No closing quotation"),
            ("network-edit old", "needs a terminal for itself"),
            ("sandbox", "needs a terminal for itself"),
            ("network-define -", "needs a terminal for itself"),
            ("network-desc old --edit", "needs a terminal for itself"),
        ):
            before = picture(app).count(answer)
            await typed(pilot, text)
            await until(pilot, partial(told_again, app, answer, before))
        replay.fail = NotPermittedError("not for you")
        await typed(pilot, "network-start old")
        await until(pilot, lambda: "not for you" in picture(app))


async def test_completion_and_what_was_typed_before(tmp_path: Path) -> None:
    remembered = Remembered({"XDG_STATE_HOME": str(tmp_path)})
    remembered.keep_command_line("network-list")
    replay = Replay()

    async def connect() -> Connection:
        return replay

    app = VnetApp(connect, theme="vnet-dark", remembered=remembered, clock=lambda: replay.now)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        field = await opened(pilot, app)
        await pilot.press("up")
        assert field.value == "network-list"
        await pilot.press("down")
        assert field.value == ""
        await pilot.press(*"network", "minus", *"sta", "tab")
        assert field.value == "network-sta"
        await until(pilot, lambda: "network-start  network-stats" in picture(app))
        await pilot.press("r", "tab", *"ol", "tab")
        assert field.value == "network-start old "
        await pilot.press("enter")
        await until(pilot, lambda: replay.calls == ["start old"])
    assert remembered.command_lines() == ["network-list", "network-start old"]


async def test_what_goes_on_is_ended_by_escape() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await opened(pilot, app)
        await typed(pilot, "network-log --follow")
        await pilot.press("escape")
        await until(pilot, lambda: "ended" in picture(app))
        await typed(pilot, "network-name nowhere")
        await until(pilot, lambda: "error" in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


def test_as_a_picture(looks: Looks) -> None:
    replay = Replay()

    async def ask(pilot: Pilot[None]) -> None:
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(pilot.app.screen, CommandLineScreen))
        await pilot.pause()
        await typed(pilot, "network-list --all")
        await until(pilot, lambda: "192.168.50.0/24" in picture(pilot.app))

    assert looks(playing(replay), after(replay, ask))
