"""The traffic plot: whatever the values, it fits, and it says what the values say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from vnet_tui.widgets.traffic_plot import (
    SPAN,
    Columns,
    Layout,
    bars,
    dots,
    layout,
    nice_scale,
    time_axis,
)

rates = st.floats(min_value=0, max_value=1e12, allow_nan=False)


def dots_drawn(lines: tuple[str, ...]) -> int:
    return sum((ord(char) - 0x2800).bit_count() for line in lines for char in line if char != " ")


@given(st.lists(rates, max_size=40), st.integers(1, 30), st.booleans())
def test_bars_fill_exactly_their_box(values: list[float], rows: int, falling: bool) -> None:
    scale = nice_scale(max(values, default=0.0))
    lines = bars(values, scale, rows, falling=falling)
    assert len(lines) == rows
    assert {len(line) for line in lines} == {(len(values) + 1) // 2}
    assert all(char == " " or 0x2800 < ord(char) <= 0x28FF for line in lines for char in line)
    assert dots_drawn(lines) == sum(dots(value, scale, rows) for value in values)


@given(st.lists(rates, min_size=1, max_size=40), st.integers(1, 30))
def test_falling_is_rising_upside_down(values: list[float], rows: int) -> None:
    scale = nice_scale(max(values))
    rising = bars(values, scale, rows)
    falling = bars(values, scale, rows, falling=True)
    for up, down in zip(rising, reversed(falling), strict=True):
        assert dots_drawn((up,)) == dots_drawn((down,))


@given(rates)
def test_the_scale_holds_the_peak_and_wastes_little(peak: float) -> None:
    scale = nice_scale(peak)
    assert scale >= peak * (1 - 1e-9)
    assert scale <= max(1000.0, 2.5 * peak * (1 + 1e-9))
    mantissa = scale / 10 ** math.floor(math.log10(scale) + 1e-9)
    assert any(math.isclose(mantissa, nice) for nice in (1, 2, 5))


@given(rates, rates, st.integers(2, 60))
def test_both_directions_share_one_scale(in_peak: float, out_peak: float, rows: int) -> None:
    plan = layout(in_peak, out_peak, rows)
    assert rows - 1 <= plan.in_rows + plan.out_rows <= rows
    assert min(plan.in_rows, plan.out_rows) >= 1
    assert plan.in_scale >= in_peak * (1 - 1e-9)
    assert plan.out_scale >= out_peak * (1 - 1e-9)
    assert math.isclose(plan.in_scale / plan.in_rows, plan.out_scale / plan.out_rows)


def test_who_needs_little_room_gets_a_quarter() -> None:
    assert layout(8e6, 1e6, 16) == Layout(12, 4, 10e6, 10e6 / 3)
    assert layout(1e6, 8e6, 16) == Layout(4, 12, 10e6 / 3, 10e6)
    assert layout(8e6, 6e6, 16) == Layout(8, 8, 10e6, 10e6)


def test_a_trickle_can_be_told_from_nothing() -> None:
    assert dots(1.0, 1e9, 5) == 1
    assert dots(0.0, 1e9, 5) == 0
    assert dots(1e9, 1e9, 5) == 20


def test_a_ramp_is_drawn_as_one() -> None:
    assert bars([0, 1, 2, 3, 4, 5, 6, 7], 8.0, 2) == ("  ⢀⣴", "⢀⣴⣿⣿")
    assert bars([0, 1, 2, 3, 4, 5, 6, 7], 8.0, 2, falling=True) == ("⠈⠻⣿⣿", "  ⠈⠻")


def test_the_picture_moves_by_whole_characters() -> None:
    columns = Columns(100)
    assert columns.seconds == 3.0
    moves = [columns.add(float(second), 1.0, 2.0) for second in range(6000, 6061)]
    assert sum(moves[1:]) == 10
    assert moves[6]
    assert len(columns.visible()) == 200


def test_between_two_moves_only_the_newest_character_changes() -> None:
    columns = Columns(50)
    before = columns.visible()
    for second in range(12_000, 12_400):
        moved = columns.add(float(second), float(second % 37), float(second % 11))
        after = columns.visible()
        expected = before[2:-2] + before[-2:] if moved else before[:-2]
        assert after[:-2] == expected
        before = after


def test_the_highest_of_a_column_is_shown() -> None:
    columns = Columns(100)
    for second, rate in ((6000, 5.0), (6001, 9.0), (6002, 1.0)):
        columns.add(float(second), rate, 0.0)
    shown = [column for column in columns.visible() if column]
    assert [column.in_bits for column in shown] == [9.0]
    assert columns.peaks == (9.0, 0.0)


def test_a_point_that_is_not_later_is_passed_over() -> None:
    columns = Columns(100)
    columns.add(6000.0, 5.0, 5.0)
    columns.add(6000.0, 50.0, 50.0)
    columns.add(5990.0, 50.0, 50.0)
    assert columns.peaks == (5.0, 5.0)


def test_jitter_leaves_no_holes_but_a_pause_does() -> None:
    columns = Columns(300)
    for time in (6000.0, 6002.1, 6003.0):
        columns.add(time, 1.0, 1.0)
    assert all(columns.visible()[-4:-1])
    columns.add(6020.0, 1.0, 1.0)
    assert columns.visible()[-3] is None
    columns.add(6020.0 + 2 * SPAN, 1.0, 1.0)
    assert sum(column is not None for column in columns.visible()) == 1


@given(
    st.integers(1, 200),
    st.lists(st.floats(0, 5000, allow_nan=False), max_size=60),
)
def test_any_times_fit_any_width(cells: int, times: list[float]) -> None:
    columns = Columns(cells)
    for time in times:
        columns.add(time, 1.0, 1.0)
    assert len(columns.visible()) == 2 * cells
    assert 0 <= columns.known <= cells


@given(st.integers(0, 300), st.integers(-5, 400))
def test_the_axis_is_as_wide_as_asked(cells: int, known: int) -> None:
    assert len(time_axis(cells, 3.0, known)) == cells


@pytest.mark.parametrize("cells", [40, 66, 106, 186])
def test_the_axis_names_its_ends(cells: int) -> None:
    axis = time_axis(cells, SPAN / (2 * cells), cells)
    assert axis.startswith("10 min ")
    assert axis.endswith(" now")


def test_the_axis_is_broken_where_nothing_is_known() -> None:
    axis = time_axis(60, 5.0, 6)
    assert axis.endswith("── now")
    assert "┄" in axis
    assert "─" not in axis[:54]
