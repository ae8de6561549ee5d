"""The table of rows that change every second."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult

from tests.ui.detail import until
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.live_table import Cell, LiveTable


class Numbers(LiveTable[int]):
    """A row for each number."""

    def make_row(self, key: int) -> Sequence[Cell]:
        return (Cell(str(key)),)


class Tabled(App[None]):
    """Such a table and nothing else."""

    def compose(self) -> ComposeResult:
        yield Numbers((Column(key="number", label="number", width=10),))


@pytest.mark.parametrize("before", [0, 100])
async def test_a_key_that_comes_with_the_rows_finds_them_scrolled(before: int) -> None:
    app = Tabled()
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(Numbers)
        table.set_keys(range(before))
        await pilot.pause()
        table.set_keys(range(5000))
        table.action_edge(1)
        await until(pilot, lambda: 4999 in table.keys_in_view)
        assert table.cursor_key == 4999
