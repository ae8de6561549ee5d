"""The detail that follows the cursor: how little a move of it writes, and what that takes."""

from __future__ import annotations

import pytest
from textual.geometry import Size
from textual.pilot import Pilot

from tests.ui.detail import is_shown
from tests.ui.playing import picture, playing, until
from tests.ui.recorded import DEMO, many
from tests.ui.replay import Replay
from tests.ui.test_wire import Watched
from tests.ui.varied import varied
from vnet_tui.app import VnetApp
from vnet_tui.engine.xml import parse
from vnet_tui.widgets.following_lines import (
    BAR_INK,
    LONGEST_BAR,
    past,
    subnets,
    told_always,
    told_of_some,
)
from vnet_tui.widgets.following_pane import SPANS, FollowingPane
from vnet_tui.widgets.network_detail import NetworkDetail
from vnet_tui.widgets.networks_table import NetworksTable
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.total_traffic import TotalTraffic
from vnet_tui.widgets.traffic_chart import TrafficChart

MOST = 1500
"""Bytes that a move of the cursor may write, with all that follows it."""

LARGE = (200, 60)


def text(line: Line) -> str:
    return "".join(cell.text for cell in line)


def detail_of(app: VnetApp) -> NetworkDetail:
    return app.screen.query_one(NetworkDetail)


def charted(app: VnetApp) -> bool:
    return app.screen.query_one(TotalTraffic).display


async def follow(pilot: Pilot[None], app: VnetApp) -> None:
    """Until the detail shows the network under the cursor."""
    table = app.screen.query_one(NetworksTable)
    await until(pilot, lambda: app.screen.query(NetworkDetail))
    await until(pilot, lambda: table.network and is_shown(detail_of(app), table.network))
    await pilot.pause()


@pytest.mark.parametrize("size", [(110, 40), (120, 40), (132, 43), (160, 50), LARGE, (240, 70)])
async def test_a_move_among_networks_that_have_nothing_in_common(size: tuple[int, int]) -> None:
    replay = Replay(varied(120))
    app = Watched(replay, Size(*size))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "net00000" in picture(app))
        for _ in range(12):
            replay.tick()
        await until(pilot, lambda: charted(app) is (size >= (132, 43)), 30)
        await until(pilot, lambda: not charted(app) or "10 min ─" in picture(app), 30)
        await follow(pilot, app)
        for _ in range(45):
            app.written.clear()
            await pilot.press("down")
            await follow(pilot, app)
            written = len("".join(app.written).encode())
            assert 0 < written < MOST, app.written
        assert app.seen.cells == app.expected().cells
        assert app.screen.query_one(NetworksTable).scroll_offset.y > 0


async def test_the_chart_is_of_all_networks_and_stands_while_the_cursor_moves() -> None:
    replay = Replay(DEMO)
    app = playing(replay)
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, replay.remembered)
        replay.tick()
        total = app.screen.query_one(TotalTraffic)
        await until(pilot, lambda: "─ 6 min ─" in picture(app))
        await follow(pilot, app)
        assert not list(detail_of(app).query(TrafficChart))
        chart = total.query_one(TrafficChart)
        before = chart.query_one("#chart-past", Picture).lines
        assert any("⣿" in text(line) for line in before)
        for _ in range(4):
            await pilot.press("down")
            await follow(pilot, app)
        assert chart.query_one("#chart-past", Picture).lines == before
        await pilot.press("2")
        await until(pilot, lambda: not total.display)
        await pilot.press("1")
        await until(pilot, lambda: total.display)
        await pilot.resize_terminal(100, 40)
        await until(pilot, lambda: not total.display)


async def test_a_past_that_is_not_whole_is_not_shown() -> None:
    """Of more networks than are asked for their past, the total begins where one looks."""
    replay = Replay(many(201))
    app = playing(replay)
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: app.screen.query_one(TotalTraffic).display)
        replay.tick()
        await until(pilot, lambda: "10 min ┄" in picture(app))
        await follow(pilot, app)
        assert "10 min ┄" in picture(app)


async def test_what_all_have_stands_in_the_same_lines() -> None:
    app = playing(Replay(varied(30)))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "net00000" in picture(app))
        for _ in range(30):
            await follow(pilot, app)
            pane = detail_of(app).pane
            assert isinstance(pane, FollowingPane)
            lines = pane.query_one("#overview-facts", Picture).lines
            labels = [line[0].text.strip() for line in lines[:4]]
            assert labels == ["state", "mode", "DNS", "total"]
            await pilot.press("down")


@pytest.mark.parametrize("number", range(60))
def test_what_is_told_of_any_network_is_short(number: int) -> None:
    one = varied(60)[number]
    document = parse(one.xml)
    always = told_always(one.info, document, 1e9)
    assert [line[0].text.strip() for line in always] == ["state", "mode", "DNS"]
    assert len(told_of_some(one.info, one.plan)) <= 3
    _, *lines = subnets(document, one.guests, 140)
    bars = [line for line in lines if line and line[0].role == BAR_INK]
    assert len(bars) <= 2
    assert all(len(text(bar)) <= LONGEST_BAR for bar in bars)
    assert len(lines) <= 6


def test_the_past_is_two_lines_of_blocks() -> None:
    lines = past([[1e6] * SPANS, [None] * SPANS], [2e6, 0.0])
    assert [len(line[1].text) - 6 for line in lines] == [SPANS, SPANS]
    assert "up to 2.0 Mb/s" in text(lines[0])


def test_a_network_that_differs_says_what_would_be_done() -> None:
    one = next(one for one in varied(60) if one.info.pending)
    assert "p applies it" in "\n".join(map(text, told_of_some(one.info, one.plan)))
