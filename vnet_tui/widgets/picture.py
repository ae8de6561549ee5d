"""Lines of text that repaint only what is other than before."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from vnet_tui.engine.text import printable
from vnet_tui.roles import RoleStyles
from vnet_tui.widgets.live_table import Cell

Line = tuple[Cell, ...]
"""Stretches of text with their roles, one after the other."""


class Picture(Widget):
    """Lines from the top; a repaint covers, line by line, only what changed.

    Text is never markup, and control characters in it are replaced. What is too long is cut off.
    """

    DEFAULT_CSS = "Picture { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._roles = RoleStyles(self)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return tuple(self._lines)

    @property
    def plain(self) -> str:
        """What is shown, without roles."""
        return "\n".join("".join(cell.text for cell in line) for line in self._lines)

    def show(self, lines: Iterable[Line]) -> None:
        """Show these lines."""
        before = self._lines
        self._lines = [
            tuple(Cell(printable(cell.text), cell.role) for cell in line) for line in lines
        ]
        if len(before) != len(self._lines):
            self.refresh(layout=True)
            return
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            first, last = changed_cells(old, new)
            if last > first:
                self.refresh(Region(first, y, last - first, 1))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """One line each."""
        return len(self._lines)

    def notify_style_update(self) -> None:
        """Roles may look different."""
        super().notify_style_update()
        self._roles.forget()

    def render_line(self, y: int) -> Strip:
        """One line, as wide as the widget."""
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        strip = Strip(
            Segment(cell.text, self._roles.of(cell.role)) for cell in self._lines[y] if cell.text
        )
        return strip.adjust_cell_length(width, self.rich_style)


def changed_cells(old: Line, new: Line) -> tuple[int, int]:
    """From which terminal cell to which (exclusive) two lines differ; empty where they don't."""
    if old == new:
        return (0, 0)
    before, after = _characters(old), _characters(new)
    common = min(len(before), len(after))
    first = next((i for i in range(common) if before[i] != after[i]), common)
    start = cell_len("".join(character for character, _ in after[:first]))
    lengths = [cell_len("".join(cell.text for cell in line)) for line in (old, new)]
    if lengths[0] != lengths[1]:
        return (start, max(lengths))
    same = next(
        (i for i in range(common - first) if before[-1 - i] != after[-1 - i]), common - first
    )
    tail = cell_len("".join(character for character, _ in after[len(after) - same :]))
    return (start, lengths[1] - tail)


def _characters(line: Line) -> list[tuple[str, str]]:
    return [(character, cell.role) for cell in line for character in cell.text]
