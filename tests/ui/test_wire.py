"""What is written to the terminal: little, and in the end the same picture as Textual's own."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
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
from vnet_tui.widgets.networks_table import NetworksTable
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
    """1,500 bytes a move are the most, also of one that scrolls."""
    replay = Replay(many(1000))
    replay.moving = 0
    app = Watched(replay, Size(80, 24))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for _ in range(26):
            app.written.clear()
            await pilot.press("down")
            await pilot.pause()
            assert 0 < len("".join(app.written).encode()) < 1500
            assert app.seen.cells == app.expected().cells
        assert app.screen.query_one(NetworksTable).scroll_offset.y > 0


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
    return [strip(draw(st.lists(cells, max_size=WIDTH))) for _ in range(2)]


def strip(line: list[tuple[str, Style]], width: int = WIDTH) -> Strip:
    segments = [Segment(text, style) for text, style in line]
    return Strip(segments).adjust_cell_length(width, Style(bgcolor="#405060"))


WIDE, TALL = 36, 9
FEW = 3


@st.composite
def rolls(draw: st.DrawFn) -> list[list[Strip]]:
    """Pictures of which each shows a part of the last in another place, with other cells here and
    there, beside and around what stays."""
    row = st.lists(cells, min_size=WIDTH, max_size=WIDTH).map(lambda line: line * (WIDE // WIDTH))
    lines = draw(st.lists(row, min_size=TALL, max_size=TALL))
    made = [lines]
    for _ in range(draw(st.integers(1, 4))):
        top = draw(st.integers(0, TALL - 1))
        bottom = draw(st.integers(top, TALL))
        by = draw(st.integers(-FEW, FEW))
        lines = [
            lines[y + by] if top <= y < bottom and top <= y + by < bottom else line
            for y, line in enumerate(lines)
        ]
        for _ in range(draw(st.integers(0, FEW))):
            y = draw(st.integers(0, TALL - 1))
            lines[y] = draw(row)
        made.append(lines)
    return [[strip(line, WIDE) for line in picture] for picture in made]


@given(rolls())
@settings(max_examples=60, deadline=None)
def test_rows_that_moved(pictures: list[list[Strip]]) -> None:
    """However they are written, the terminal shows the last picture."""
    wire = Wire()
    screen = terminal.Screen(WIDE, TALL)
    for picture in pictures:
        screen.feed(wire.difference(layout(picture, WIDE), Size(WIDE, TALL), COLORS))
        assert screen.cells == plainly(picture, WIDE).cells


def hash_of(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()


@pytest.mark.parametrize("by", [-2, -1, 1, 2])
def test_terminal_moves_rows_itself(by: int) -> None:
    """Within the lines that move, under a head and over a foot that stay."""
    size = Size(80, 24)
    style = Style(color="#102030", bgcolor="#405060")

    def page(first: int) -> LayoutUpdate:
        rows = [f"row {first + y:>5} {hash_of(first + y)}" for y in range(20)]
        texts = ["head", "", *rows, "", "foot"]
        return layout([Strip([Segment(text.ljust(80)[:80], style)]) for text in texts], 80)

    wire = Wire()
    screen = terminal.Screen(80, 24)
    screen.feed(wire.difference(page(1000), size, COLORS))
    text = wire.difference(page(1000 + by), size, COLORS)
    assert len(text) < 100 * abs(by) + 50
    screen.feed(text)
    assert [line[:9] for line in screen.lines[2:22]] == [
        f"row {1000 + by + y:>5}" for y in range(20)
    ]
    assert screen.lines[0].startswith("head")
    assert screen.lines[23].startswith("foot")


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


def test_a_colour_is_named_once_wherever_it_stands() -> None:
    wire = Wire()
    size = Size(40, 2)
    wire.difference(layout([Strip([])] * 2, 40), size, COLORS)
    pens = [Style(color="#102030"), Style(color="#a0b0c0"), Style(color="#a0b0c0", bold=True)]
    lines = [Strip([Segment("█", pens[x % 3]) for x in range(40)])] * 2
    text = wire.difference(layout(lines, 40), size, COLORS)
    assert text.count("38;2;16;32;48") == 1
    assert text.count("38;2;160;176;192") == 1
    screen = terminal.Screen(40, 2)
    screen.feed(text)
    assert screen.cells == plainly(lines, 40).cells


def test_what_ends_bold_leaves_the_colours() -> None:
    wire = Wire()
    strong = Style(color="#102030", bgcolor="#405060", bold=True)
    line = Strip([Segment("a", strong), Segment("b", strong + Style(bold=False))])
    assert wire.difference(layout([line], 2), Size(2, 1), COLORS) == (
        "\x1b[1;1H\x1b[1;38;2;16;32;48;48;2;64;80;96ma\x1b[22mb\x1b[0m"
    )
