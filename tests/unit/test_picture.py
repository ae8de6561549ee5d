"""Which cells of a line are painted again when it changes."""

from __future__ import annotations

from hypothesis import given, strategies as st
from rich.cells import cell_len

from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, changed_cells

lines = st.lists(
    st.builds(
        Cell,
        st.text(alphabet="ab 漢", max_size=5),
        st.sampled_from(["plain", "dim"]),
    ),
    max_size=4,
).map(tuple)


def cells(line: Line, width: int) -> list[tuple[str, str]]:
    """What stands in each terminal cell; a wide character is in two."""
    seen = [
        (character, cell.role)
        for cell in line
        for character in cell.text
        for _ in range(cell_len(character))
    ]
    return seen + [(" ", "plain")] * (width - len(seen))


@given(lines, lines)
def test_everything_outside_is_as_it_was(old: Line, new: Line) -> None:
    first, last = changed_cells(old, new)
    width = 50
    before, after = cells(old, width), cells(new, width)
    assert before[:first] == after[:first]
    assert before[last:] == after[last:]


def test_equal_lines_need_nothing() -> None:
    line = (Cell("a"), Cell("b", "dim"))
    assert changed_cells(line, line) == (0, 0)


def test_a_figure_in_the_middle_is_painted_alone() -> None:
    old = (Cell("in "), Cell("12", "in"), Cell(" kb/s"))
    new = (Cell("in "), Cell("17", "in"), Cell(" kb/s"))
    assert changed_cells(old, new) == (4, 5)


def test_another_colour_is_a_change() -> None:
    assert changed_cells((Cell("ab"),), (Cell("ab", "bad"),)) == (0, 2)
