"""What is written to the terminal: little, and in the end the same picture as Textual's own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from tests.ui import terminal
from tests.ui.recorded import DEMO, many
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection
from vnet_tui.wire import Wire

COLORS = Console(force_terminal=True, color_system="truecolor", legacy_windows=False)


def layout(lines: list[Strip], width: int) -> LayoutUpdate:
    return LayoutUpdate([[line] for line in lines], Region(0, 0, width, len(lines)))


def plainly(lines: list[Strip], width: int) -> terminal.Screen:
    """The picture as Textual writes it: line by line, every colour spelled out."""
    screen = terminal.Screen(width, len(lines))
    for y, line in enumerate(lines):
        screen.feed(f"\x1b[{y + 1};1H{line.render(COLORS)}")
    return screen


class Watched(VnetApp):
    """Writes to a terminal of its own what would go to the real one."""

    def __init__(self, replay: Replay, size: Size) -> None:
        async def connect() -> Connection:
            return replay

        super().__init__(connect, theme="vnet-dark", clock=lambda: replay.now)
        self.seen = terminal.Screen(size.width, size.height)
        self.written: list[str] = []

    def _display(self, screen: Any, renderable: RenderableType | None) -> None:
        if isinstance(renderable, ChopsUpdate | LayoutUpdate) and not self._batch_count:
            text = self._wire.difference(renderable, self.size, COLORS)
            self.written.append(text)
            self.seen.feed(text)
        super()._display(screen, renderable)

    def expected(self) -> terminal.Screen:
        strips = self.screen._compositor.render_strips()
        return plainly(strips, self.size.width)


@pytest.fixture(params=[Size(80, 24), Size(120, 40)], ids=["80x24", "120x40"])
def size(request: pytest.FixtureRequest) -> Size:
    made: Size = request.param
    return made


async def test_terminal_shows_what_textual_meant(size: Size) -> None:
    """Over live figures, moves, dialogs, another screen and another theme."""
    replay = Replay(DEMO)
    app = Watched(replay, size)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for keys in ("down", "down x", "escape", "ctrl+p", "escape", "enter", "2", "escape", "d"):
            replay.tick()
            await pilot.press(*keys.split())
            await pilot.pause()
            assert app.seen.cells == app.expected().cells
        await pilot.press("escape")
        app.theme = "vnet-light"
        await pilot.pause()
        assert app.seen.cells == app.expected().cells


async def test_nothing_is_written_when_nothing_changes(size: Size) -> None:
    replay = Replay(many(20))
    replay.moving = 0
    app = Watched(replay, size)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for _ in range(80):  # until the last minute has no figure of before
            replay.tick()
        await pilot.pause()
        app.written.clear()
        for _ in range(20):
            replay.tick()
            await pilot.pause()
        assert "".join(app.written) == ""


async def test_live_figures_cost_little(size: Size) -> None:
    """4,000 bytes a second is the most that is allowed for 20 networks at 120×40."""
    replay = Replay(many(20))
    app = Watched(replay, size)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        replay.tick()
        await pilot.pause()
        app.written.clear()
        for _ in range(30):
            replay.tick()
            await pilot.pause()
        a_second = len("".join(app.written).encode()) / 30
        assert 100 < a_second < 4000


async def test_cursor_costs_little() -> None:
    replay = Replay(many(1000))
    replay.moving = 0
    app = Watched(replay, Size(80, 24))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("down")
        await pilot.pause()
        app.written.clear()
        await pilot.press("down")
        await pilot.pause()
        assert 0 < len("".join(app.written).encode()) < 1500


async def test_redraw_writes_all_again() -> None:
    app = Watched(Replay(DEMO), Size(80, 24))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.seen.feed("\x1b[3;5Hsomething else wrote here")
        assert app.seen.cells != app.expected().cells
        await pilot.press("ctrl+l")
        await pilot.pause()
        assert app.seen.cells == app.expected().cells


STYLES = [
    Style(),
    Style(color="red"),
    Style(color="#102030", bgcolor="#405060"),
    Style(bold=True, bgcolor="#405060"),
    Style(reverse=True),
    Style(underline=True, color="#102030"),
]
WIDTH = 12

cells = st.tuples(st.sampled_from(["a", "b", " ", " ", "日", "e\u0301"]), st.sampled_from(STYLES))


@st.composite
def pictures(draw: st.DrawFn) -> list[Strip]:
    lines = []
    for _ in range(2):
        segments = [Segment(text, style) for text, style in draw(st.lists(cells, max_size=WIDTH))]
        lines.append(Strip(segments).adjust_cell_length(WIDTH, Style(bgcolor="#405060")))
    return lines


@given(st.lists(pictures(), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_picture_after_any_other(pictures: list[list[Strip]]) -> None:
    """Wide and combining characters, and every change of pen."""
    wire = Wire()
    screen = terminal.Screen(WIDTH, 2)
    for picture in pictures:
        update = layout(picture, WIDTH)
        screen.feed(wire.difference(update, Size(WIDTH, 2), COLORS))
        assert screen.cells == plainly(picture, WIDTH).cells
        assert wire.difference(update, Size(WIDTH, 2), COLORS) == ""


def test_one_changed_character_is_one_character() -> None:
    wire = Wire()
    size = Size(20, 1)
    wire.difference(layout([Strip([Segment(" 4.1 Mb/s".ljust(20))])], 20), size, COLORS)
    changed = layout([Strip([Segment(" 4.2 Mb/s".ljust(20))])], 20)
    assert wire.difference(changed, size, COLORS) == "\x1b[1;4H2"
