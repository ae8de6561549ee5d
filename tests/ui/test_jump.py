"""Jump mode: letters over rows, tabs and fields."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.ui.looks import SMALL, Looks
from tests.ui.playing import picture, playing, until
from tests.ui.recorded import many
from tests.ui.replay import Replay
from vnet_tui.screens.jump import JumpScreen
from vnet_tui.screens.network import NetworkScreen
from vnet_tui.widgets.jumping import LETTERS, labels
from vnet_tui.widgets.networks_table import NetworksTable


async def test_a_letter_goes_to_its_row_and_another_key_stays() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        table = app.screen.query_one(NetworksTable)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, JumpScreen))
        assert [str(shown.render()) for shown in app.screen.query(Static)] == [*LETTERS[:5]]
        await pilot.press("d")
        await until(pilot, lambda: table.cursor == 2)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, JumpScreen))
        await pilot.press("z")
        await until(pilot, lambda: not isinstance(app.screen, JumpScreen))
        assert table.cursor == 2


async def test_tabs_have_letters() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
        await until(pilot, lambda: "active for" in picture(app))
        screen = app.screen
        assert isinstance(screen, NetworkScreen)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, JumpScreen))
        await pilot.press("d")  # the third place of the first line: the third tab
        await until(pilot, lambda: screen.detail.tab == 2)


async def test_fields_have_letters() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("X")
        await until(pilot, lambda: "Explain" in picture(app))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, JumpScreen))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.focused, Input) and app.focused.value != "")


async def test_more_places_than_letters_have_two_each() -> None:
    app = playing(Replay(many(60)))
    async with app.run_test(size=(100, 33)) as pilot:
        await until(pilot, lambda: "name" in picture(app))
        table = app.screen.query_one(NetworksTable)
        await until(pilot, lambda: len(table.keys) == 60)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, JumpScreen))
        await pilot.press("a", "d")
        await until(pilot, lambda: table.cursor == 2)


def test_as_a_picture(looks: Looks) -> None:
    replay = Replay()

    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: replay.remembered() and "old" in picture(pilot.app))
        replay.tick()
        if pilot.app.size != SMALL:
            await until(pilot, lambda: "up to 7.8 Mb/s" in picture(pilot.app))
            await until(pilot, lambda: "10 min ─" in picture(pilot.app))
        await pilot.pause()
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(pilot.app.screen, JumpScreen))

    assert looks(playing(replay), before)


def test_no_label_begins_another() -> None:
    for count in (1, 26, 27, 300):
        made = labels(count)
        assert len(set(made)) == count
        assert not any(a.startswith(b) or b.startswith(a) for a, b in combinations(made, 2))
