"""The list: filtered, sorted, grouped, several networks at once; by keyboard only."""

from __future__ import annotations

from textual.widgets import Input

from tests.ui.playing import line_of, picture, playing, until
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.screens.confirm import ConfirmScreen
from vnet_tui.widgets.networks_table import NetworksTable

SMALL, LARGE = (80, 24), (120, 40)


def shown(app: VnetApp) -> list[str]:
    table = app.screen.query_one(NetworksTable)
    return [table.row(key)[1].text for key in table.keys]


async def test_what_is_typed_filters_and_escape_shows_all_again() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        replay.tick()
        await until(pilot, lambda: "Mb/s" in line_of(app, "Foo"))
        await pilot.press("slash", *"10.")
        await until(pilot, lambda: shown(app) == ["Foo", "lab", "web"])
        assert "3 of 5" in picture(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, NetworksTable))
        await pilot.press("down", "x")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "Stop lab?" in picture(app)
        await pilot.press("escape")
        await pilot.press("escape")
        await until(pilot, lambda: len(shown(app)) == 5)
        assert not app.screen.query_one(Input).value


async def test_a_filter_that_nothing_has_leaves_no_network_to_act_on() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("slash", *"zzz", "enter")
        await until(pilot, lambda: "0 of 5" in picture(app))
        await pilot.press("s", "enter", "x")
        await pilot.press("slash", "escape")
        await until(pilot, lambda: len(shown(app)) == 5)
        assert not app.operations


async def test_sorting_by_key_and_by_a_click_on_the_head() -> None:
    app = playing(Replay())
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        assert "name▴" in picture(app)
        await pilot.press("O")
        await until(pilot, lambda: shown(app) == ["web", "scratch", "old", "lab", "Foo"])
        await pilot.press("o")
        await until(pilot, lambda: "state▴" in picture(app))
        assert shown(app)[0] == "web"
        head = picture(app).splitlines()[1]
        await pilot.click(offset=(head.index("subnet"), 1))
        await until(pilot, lambda: "subnet▴" in picture(app))
        assert shown(app) == ["Foo", "web", "lab", "scratch", "old"]


async def test_groups_fold() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("b")
        await until(pilot, lambda: shown(app)[0] == "1 drifted")
        assert shown(app) == [
            "1 drifted",
            "web",
            "3 active",
            "Foo",
            "lab",
            "scratch",
            "1 defined",
            "old",
        ]
        await pilot.press("home", "down", "down", "enter")
        await until(pilot, lambda: "Foo" not in shown(app))
        assert "+ 3 active" in " ".join(line_of(app, "3 active").split())
        await pilot.press("enter")
        await until(pilot, lambda: "Foo" in shown(app))


async def test_several_are_stopped_and_started_as_one_batch() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        replay.tick()
        await until(pilot, lambda: "Mb/s" in line_of(app, "Foo"))
        await pilot.press("home", "space", "space")
        await until(pilot, lambda: "▸" in line_of(app, "lab"))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "Stop 2 networks?" in picture(app)
        await pilot.press("y")
        await until(pilot, lambda: "2 networks stopped" in picture(app))
        assert replay.calls == ["stop Foo lab"]
        await pilot.press("s")
        await until(pilot, lambda: "2 networks run." in picture(app))
        assert replay.calls[-1] == "start Foo lab"
        await pilot.press("s")
        await until(pilot, lambda: "2 networks run already." in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: "▸" not in picture(app))


async def test_space_on_a_heading_selects_its_group() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("b", "home", "down", "down", "space")
        table = app.screen.query_one(NetworksTable)
        await until(pilot, lambda: len(table.marked) == 3)
        await pilot.press("ctrl+a")
        await until(pilot, lambda: len(table.marked) == 5)
