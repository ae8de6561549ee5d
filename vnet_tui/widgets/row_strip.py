"""How a row of a table is drawn: its cells where the columns are, in the styles of their roles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from vnet_tui.engine.text import printable
from vnet_tui.roles import RoleStyles
from vnet_tui.widgets.columns import Placed
from vnet_tui.widgets.fitted import fitted

if TYPE_CHECKING:
    from vnet_tui.widgets.live_table import Cell


class RowStyles:
    """The styles of a table's roles, under the cursor or not; remembered until the theme changes.

    Those of the cursor are of the table's component classes ``PREFIX--cursor`` and
    ``PREFIX--cursor-blurred``.
    """

    def __init__(self, table: Widget, prefix: str) -> None:
        self._table = table
        self._prefix = prefix
        self._roles = RoleStyles(table)
        self._known: dict[tuple[str, str], Style] = {}

    def forget(self) -> None:
        """A theme gave others."""
        self._known.clear()
        self._roles.forget()

    def of(self, role: str, cursor: str = "") -> Style:
        """A role's style; ``cursor`` is empty, or the name of the class for the row under it."""
        if not cursor:
            return self._roles.of(role)
        known = self._known.get((role, cursor))
        if known is None:
            known = self._known[(role, cursor)] = self._under(role, f"{self._prefix}--{cursor}")
        return known

    def _under(self, role: str, cursor: str) -> Style:
        under = self._table.get_component_rich_style(cursor)
        if self._table.get_component_styles(cursor).has_rule("color"):
            return under  # its ink is for all roles: theirs can't be read on its paper
        return self._roles.of(role) + Style(bgcolor=under.bgcolor, bold=under.bold or None)


def row_strip(
    row: Sequence[Cell],
    columns: Sequence[Placed],
    style_of: Callable[[str], Style],
    width: int,
    *,
    margin: int | None = None,
    beyond: Style,
) -> Strip:
    """A row as segments. Blanks take the style of what stands before them: they look the same and
    cost no change of style on the wire. After ``margin`` cells behind the last column, if that is
    given, the rest of the line has the style ``beyond``."""
    segments: list[Segment] = []
    text, style, x = "", style_of("plain"), 0
    for placed in columns:
        cell = row[placed.index]
        text += " " * (placed.x - x)
        x = placed.x + placed.width
        content = fitted(printable(cell.text), placed.width, placed.column.justify)
        if content.isspace() or not content:
            text += content
            continue
        own = style_of(cell.role)
        if own != style:
            if text:
                segments.append(Segment(text, style))
            text, style = "", own
        text += content
    left = max(0, width - x)
    own_margin = left if margin is None else min(left, margin)
    segments.append(Segment(text + " " * own_margin, style))
    if left > own_margin:
        segments.append(Segment(" " * (left - own_margin), beyond))
    return Strip(segments, max(width, x))
