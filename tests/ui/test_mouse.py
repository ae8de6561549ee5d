"""What keys do, a click does, too."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.ui.playing import picture, playing, until
from tests.ui.replay import Replay
from tests.ui.test_editor import ADDRESSES, SMALL, WIDE, Judging, edited, editor, open_editor
from vnet_tui.engine.errors import StateError
from vnet_tui.screens.editor import EditorScreen
from vnet_tui.screens.element import ElementScreen
from vnet_tui.screens.failure import FailureScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.new_network import NewNetworkScreen
from vnet_tui.widgets.editing.document import DocumentEditor


async def click(pilot: Pilot[None], text: str) -> None:
    """Click on the first letter of a text that is seen."""
    await until(pilot, lambda: text in picture(pilot.app))
    lines = picture(pilot.app).splitlines()
    y = next(y for y, line in enumerate(lines) if text in line)
    await pilot.click(offset=(lines[y].index(text), y))


async def test_the_first_network_is_begun_with_a_click() -> None:
    app = playing(Replay(()))
    async with app.run_test(size=SMALL) as pilot:
        await click(pilot, "make one, step by step")
        await until(pilot, lambda: isinstance(app.screen, NewNetworkScreen))
        await click(pilot, "isolated")
        await until(pilot, lambda: "[isolated]" in picture(app))
        await click(pilot, "4 Forwarding")
        await until(pilot, lambda: "everything else, it is isolated" in picture(app))
        await click(pilot, "f2 XML")
        await until(pilot, lambda: "<network>" in picture(app))


async def test_the_editor() -> None:
    app = playing(Judging())
    async with app.run_test(size=WIDE) as pilot:
        await open_editor(pilot, app, ADDRESSES)
        await click(pilot, "5 Outgoing")
        await click(pilot, " deny")
        await until(pilot, lambda: edited(app).outgoing.default == "deny")
        await click(pilot, "deny tcp+udp 25")
        await click(pilot, "deny tcp+udp 25")
        await until(pilot, lambda: isinstance(app.screen, ElementScreen))
        await click(pilot, "enter  keep it")
        await until(pilot, lambda: isinstance(app.screen, EditorScreen))
        await click(pilot, "<name>Foo")
        await until(pilot, lambda: isinstance(app.focused, DocumentEditor))
        await pilot.press("x")
        await until(pilot, lambda: "x<name>Foo" in editor(app).draft.text)
        await click(pilot, "esc back")
        await click(pilot, "Discard")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


async def test_questions_and_failures() -> None:
    replay = Replay()
    replay.fail = StateError("somebody was faster")
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        replay.tick()
        await until(pilot, lambda: "kb/s" in picture(app))
        await click(pilot, "x stop")
        await click(pilot, "Stop (y)")
        await until(pilot, lambda: isinstance(app.screen, FailureScreen))
        await click(pilot, "Close (esc)")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


async def test_a_name_is_told_in_full_though_tabs_stand_closer_then() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "scratch" in picture(app))
        await pilot.press("home", "down", "down", "down", "enter")
        await until(pilot, lambda: " scratch ── " in picture(app))
        assert "7 Events" in picture(app).splitlines()[0]
        await click(pilot, "6 XML")
        await until(pilot, lambda: "<name>scratch</name>" in picture(app))
