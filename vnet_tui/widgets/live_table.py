"""A table for figures that change every second: what didn't change isn't painted.

Textual's DataTable paints all it shows when one cell changes. This one compares, and marks only
the cells that differ; it draws a line when that line is asked for, so that thousands of rows cost
nothing until they are looked at.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from vnet_tui.roles import cursor_css
from vnet_tui.widgets.columns import Column, Placed, place
from vnet_tui.widgets.jumping import Place
from vnet_tui.widgets.row_strip import RowStyles, row_strip

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Cell:
    """Text, never markup, and its role (one of :data:`~vnet_tui.roles.ROLES`)."""

    text: str
    role: str = "plain"


EMPTY = Cell("")


class LiveTable(ScrollView, Generic[Key], can_focus=True, inherit_bindings=False):
    """A table of rows known by key, with a cursor that stays on its row.

    Rows come with :meth:`set_rows`, all at once, as often as one likes: equal cells cost nothing.
    A table of thousands gets only their keys, with :meth:`set_keys`, and says in :meth:`make_row`
    what a row shows: it is asked for those that are looked at.
    """

    MARGIN: ClassVar[int | None] = None
    """So many cells beyond the last column are under the cursor, too; None: all."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "live-table--cursor",
        "live-table--cursor-blurred",
    }
    DEFAULT_CSS = """
    LiveTable {
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    LiveTable > .live-table--cursor-blurred { background: $primary 20%; }
    LiveTable:ansi > .live-table--cursor-blurred { text-style: bold; background: ansi_default; }
    """ + cursor_css("LiveTable", "live-table--cursor")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "edge(-1)", "First", show=False),
        Binding("end,G", "edge(1)", "Last", show=False),
        Binding("enter", "select", "Open", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    """The row under the cursor, counted from 0; meaningless while there are no rows."""

    class Highlighted(Message):
        """The cursor is on another row; ``key`` is None when there are no rows."""

        def __init__(self, table: LiveTable[Any], key: Any) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LiveTable[Any]:
            """The table it came from."""
            return self.table

    class Selected(Message):
        """A row was opened, by Enter or by a click on the row under the cursor."""

        def __init__(self, table: LiveTable[Any], key: Any) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LiveTable[Any]:
            """The table it came from."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        show_cursor: bool = True,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._columns = tuple(columns)
        self._labels = tuple(column.label for column in columns)
        self._keys: list[Key] = []
        self._rows: list[tuple[Cell, ...] | None] = []
        self._index: dict[Key, int] = {}
        self._placed: tuple[Placed, ...] = ()
        self._row_styles = RowStyles(self, "live-table")
        self._highlighted: Key | None = None
        self._show_cursor = show_cursor

    # -- what is in the table -------------------------------------------------------------------

    @property
    def keys(self) -> tuple[Key, ...]:
        """The rows' keys, in order."""
        return tuple(self._keys)

    @property
    def keys_in_view(self) -> tuple[Key, ...]:
        """The keys of the rows that are in view, in order."""
        top = self.scroll_offset.y
        return tuple(self._keys[top : top + max(0, self._page)])

    @property
    def cursor_key(self) -> Key | None:
        """The key of the row under the cursor."""
        return self._keys[self.cursor] if self.cursor < len(self._keys) else None

    def __contains__(self, key: object) -> bool:
        return key in self._index

    def row(self, key: Key) -> tuple[Cell, ...]:
        """What a row shows. KeyError: there is no such row."""
        return self._row(self._index[key])

    def set_rows(self, rows: Iterable[tuple[Key, Sequence[Cell]]]) -> None:
        """Show these rows, one cell a column (also for columns that have no room now).

        The cursor stays on its row; where that is gone, on its place.
        """
        keys: list[Key] = []
        cells: list[tuple[Cell, ...] | None] = []
        for key, row in rows:
            keys.append(key)
            cells.append(tuple(row))
        if keys != self._keys:
            self._lay_out(keys, cells)
            return
        for y, new in enumerate(cells):
            if new is not None and new != self._rows[y]:
                self._replace(y, new)

    def set_keys(self, keys: Iterable[Key]) -> None:
        """Show rows of these keys, as :meth:`make_row` makes them; the cursor as before."""
        if (wanted := list(keys)) != self._keys:
            self._lay_out(wanted, [None] * len(wanted))
        else:
            self.remake()

    def make_row(self, key: Key) -> Sequence[Cell]:
        """What a row shows, where :meth:`set_keys` said only that there is one."""
        raise NotImplementedError(key)

    def remake(self) -> None:
        """Rows may show something else: those in view are made at once, others when they are."""
        before, self._rows = self._rows, [None] * len(self._rows)
        top = self.scroll_offset.y
        for y in range(top, min(top + max(0, self._page), len(before))):
            self._rows[y] = before[y]
            self._replace(y, tuple(self.make_row(self._keys[y])))

    def _row(self, y: int) -> tuple[Cell, ...]:
        row = self._rows[y]
        if row is None:
            row = self._rows[y] = tuple(self.make_row(self._keys[y]))
        return row

    def _lay_out(self, keys: list[Key], rows: list[tuple[Cell, ...] | None]) -> None:
        under_cursor = self.cursor_key
        self._keys, self._rows = keys, rows
        self._index = {key: y for y, key in enumerate(keys)}
        self._measure()
        self.refresh()
        place_of_cursor = self._index.get(under_cursor) if under_cursor is not None else None
        self.cursor = place_of_cursor if place_of_cursor is not None else self.cursor
        self.cursor = self.validate_cursor(self.cursor)
        self._tell()

    def update_row(self, key: Key, row: Sequence[Cell]) -> None:
        """Change one row. KeyError: there is no such row."""
        self._replace(self._index[key], tuple(row))

    def move_to(self, key: Key) -> None:
        """Put the cursor on a row, if there is such a one."""
        if key in self._index:
            self.cursor = self._index[key]

    def relabel(self, labels: Sequence[str]) -> None:
        """Give the columns other labels, one each."""
        if self._labels != (changed := tuple(labels)):
            self._labels = changed
            self.refresh(Region(0, 0, self.size.width, 1))

    def column_at(self, x: int) -> Column | None:
        """The column that has cell ``x`` of a line."""
        return next((one.column for one in self._placed if one.x <= x < one.x + one.width), None)

    def _replace(self, y: int, row: tuple[Cell, ...]) -> None:
        old, self._rows[y] = self._rows[y], row
        line = y + 1 - self.scroll_offset.y
        if not 1 <= line < self.size.height:
            return
        for placed in self._placed:
            if old is None or old[placed.index] != row[placed.index]:
                self.refresh(Region(placed.x, line, placed.width, 1))

    # -- cursor ---------------------------------------------------------------------------------

    def validate_cursor(self, cursor: int) -> int:
        """Within the rows."""
        return max(0, min(cursor, len(self._keys) - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Repaint the two rows, bring the new one into view, tell who listens."""
        if old != new:
            self._refresh_row(old)
            self._refresh_row(new)
        self._reveal(new)
        self._tell()

    def _tell(self) -> None:
        key = self.cursor_key
        if key != self._highlighted:
            self._highlighted = key
            self.post_message(self.Highlighted(self, key))

    def _refresh_row(self, y: int) -> None:
        line = y + 1 - self.scroll_offset.y
        if 1 <= line < self.size.height:
            self.refresh(Region(0, line, self.size.width, 1))

    def _reveal(self, y: int) -> None:
        """Scroll as far as it takes to have a row in view: a terminal moves the others itself."""
        visible = self._page
        top = self.scroll_offset.y
        if visible > 0 and not top <= y < top + visible:
            self.scroll_to(y=y if y < top else y - visible + 1, animate=False)

    @property
    def _page(self) -> int:
        return self.size.height - 1

    def action_move(self, by: int) -> None:
        """Move the cursor by rows; without a cursor, scroll."""
        if self._show_cursor:
            self.cursor += by
        else:
            self.scroll_to(y=self.scroll_offset.y + by, animate=False)

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self.action_move(by * max(1, self._page - 1))

    def action_edge(self, end: int) -> None:
        """Go to the first row (-1) or to the last one (1)."""
        self.action_move(end * len(self._keys))

    def action_select(self) -> None:
        """Open the row under the cursor."""
        key = self.cursor_key
        if key is not None and self._show_cursor:
            self.post_message(self.Selected(self, key))

    async def on_click(self, event: events.Click) -> None:
        """The first click puts the cursor, the second opens."""
        y = event.y - 1 + self.scroll_offset.y
        if event.y < 1 or y >= len(self._keys):
            return
        if y == self.cursor:
            self.action_select()
        else:
            self.cursor = y

    def places(self) -> Iterator[Place]:
        """Its rows that are in view; itself where there are none, or no cursor."""
        first = self.scroll_offset.y
        shown = range(first, min(first + self._page, len(self._keys))) if self._show_cursor else ()
        for row in shown:
            yield Place(Offset(0, row - first + 1), partial(self._jump_to, row))
        if not shown:
            yield Place(Offset(0, 0), self.focus)

    def _jump_to(self, row: int) -> None:
        self.focus()
        self.cursor = row

    # -- drawing --------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Share the new width among the columns."""
        self._measure()
        self._reveal(self.cursor)

    def watch_show_vertical_scrollbar(self) -> None:
        """The scroll bar takes a cell, or gives it back; without one nothing could be scrolled."""
        self._measure()
        self._reveal(self.cursor)

    def notify_style_update(self) -> None:
        """Forget styles that a theme gave."""
        super().notify_style_update()
        self._row_styles.forget()

    def on_focus(self) -> None:
        """The cursor looks different."""
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        """The cursor looks different."""
        self._refresh_row(self.cursor)

    def _measure(self) -> None:
        width = self.scrollable_content_region.width
        self.virtual_size = Size(width, len(self._keys) + 1)
        placed = place(self._columns, width)
        if placed != self._placed:
            self._placed = placed
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The header, or a row, as it is drawn at line ``y`` of what is visible."""
        width = self.size.width
        if y == 0:
            header = tuple(Cell(label, "header") for label in self._labels)
            return self._draw(header, "", width)
        row = y - 1 + self.scroll_offset.y
        if row >= len(self._keys):
            return Strip.blank(width, self.rich_style)
        cursor = ""
        if self._show_cursor and row == self.cursor:
            cursor = "cursor" if self.has_focus else "cursor-blurred"
        return self._draw(self._row(row), cursor, width)

    def _draw(self, row: tuple[Cell, ...], cursor: str, width: int) -> Strip:
        return row_strip(
            row,
            self._placed,
            partial(self._row_styles.of, cursor=cursor),
            width,
            margin=self.MARGIN,
            beyond=self._row_styles.of("plain"),
        )
