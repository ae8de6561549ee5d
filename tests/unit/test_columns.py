"""How the width of a terminal is shared among columns."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, strategies as st

from vnet_tui.widgets.columns import ROOMY, Column, place
from vnet_tui.widgets.networks_table import COLUMNS

PLAIN = (
    Column(key="a", label="", width=4),
    Column(key="b", label="", width=6, grow=2, most=20),
    Column(key="c", label="", width=5, drop=1),
    Column(key="d", label="", width=5, grow=1, drop=2),
)


def test_the_most_expendable_goes_first() -> None:
    keys = {width: [placed.column.key for placed in place(PLAIN, width)] for width in (25, 24, 18)}
    assert keys == {25: ["a", "b", "c", "d"], 24: ["a", "b", "c"], 18: ["a", "b"]}


def test_all_room_is_given_to_those_that_grow() -> None:
    placed = place(PLAIN, 40)
    assert [each.width for each in placed] == [4, 16, 5, 10]
    assert placed[-1].x + placed[-1].width == 39


def test_no_wider_than_the_most() -> None:
    assert [each.width for each in place(PLAIN[:2], 90)] == [4, 20]


@given(st.integers(min_value=80, max_value=400))
def test_the_list_fits_any_terminal(width: int) -> None:
    placed = place(COLUMNS, width)
    gap = 2 if width >= ROOMY else 1
    for left, right in pairwise(placed):
        assert right.x == left.x + left.width + gap
    assert placed[-1].x + placed[-1].width <= width - 1
    assert {"name", "state", "subnet", "in", "out"} <= {each.column.key for each in placed}
