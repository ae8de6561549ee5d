"""Every key of a place can be read there, at 80×24 and by keyboard."""

from __future__ import annotations

from tests.ui.playing import picture, playing, until
from tests.ui.replay import Replay
from vnet_tui import actions
from vnet_tui.screens.keys import KeysScreen
from vnet_tui.screens.network import NetworkScreen


async def test_all_keys_of_the_list_can_be_read_by_scrolling() -> None:
    app = playing(Replay())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "x stop" in picture(app))
        bound = {each.binding.id for each in app.screen.active_bindings.values()}
        unread = {action.help[:12] for action in actions.every() if action.id in bound}
        assert len(unread) > 25
        await pilot.press("question_mark")
        await until(pilot, lambda: "esc  close" in picture(app))
        before = ""
        while picture(app) != before:
            before = picture(app)
            unread = {text for text in unread if text not in before}
            await pilot.press("down")
        assert not unread
        assert "last" in before  # how to move in the list is the last that is told
        await pilot.press("home")
        await until(pilot, lambda: "enter  open" in picture(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: not isinstance(app.screen, KeysScreen))


async def test_keys_are_told_as_they_are_configured_and_with_what_a_screen_says_of_itself() -> None:
    app = playing(Replay())
    async with app.run_test(size=(120, 60)) as pilot:
        await until(pilot, lambda: "x stop" in picture(app))
        app.set_keymap({"stop-network": "f7"})
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
        await until(pilot, lambda: "f7 stop" in picture(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: "One network" in picture(app))
        await until(pilot, lambda: "esc  close" in picture(app))
        assert "f7  stop" in picture(app)
        assert "1 to 7, or ← and →, open the tabs" in picture(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworkScreen))
