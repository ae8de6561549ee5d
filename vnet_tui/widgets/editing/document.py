"""The document, to be typed in: the same draft as the forms', seen as XML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.document._document import Document
from textual.document._document_navigator import DocumentNavigator
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from vnet_tui.roles import RoleStyles
from vnet_tui.widgets.editing.wrapping import QuickWrapping
from vnet_tui.widgets.xml_lines import Highlights, first_change
from vnet_tui.widgets.xml_pane import ROLES

POINTER = "▸ "
"""What stands between the number of a line that the form points at, and the line."""


class DocumentEditor(TextArea):
    """An editor with highlighting; Tab leaves it. Says what was typed.

    While the keys go elsewhere, it shows where the form is at work: the lines that an edit
    changed, or what is under the form's cursor. Nothing here looks at more lines than are seen,
    where that can be helped: documents have ten thousand.
    """

    DEFAULT_CSS = """
    DocumentEditor, DocumentEditor:focus { border: none; padding: 0; }
    DocumentEditor:ansi { background: ansi_default; color: ansi_default; }
    DocumentEditor:ansi > .text-area--cursor-line { background: ansi_default; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+home", "go_to_end(0)", "first line", show=False),
        Binding("ctrl+end", "go_to_end(-1)", "last line", show=False),
    ]

    class Typed(Message):
        """The document is another one now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:
        self._cut: list[str] = []
        self._pieces = Highlights()
        self._pointed = range(0)
        self._roles = RoleStyles(self)
        super().__init__(id=id, soft_wrap=True, show_line_numbers=True, compact=True)
        self.cursor_blink = False

    # -- what is shown --------------------------------------------------------------------------

    def show_document(self, text: str, *, mark: bool = True) -> None:
        """Show another document, and ``mark`` the lines that are others than before."""
        before = self.document.lines
        if Document(text).lines == before:
            return
        with self.prevent(TextArea.Changed):  # it wasn't typed
            self.load_text(text)
        if mark and before != [""]:
            self.point_at(_changed(before, self.document.lines))

    def _set_document(self, text: str, language: str | None) -> None:  # noqa: ARG002 - Textual's
        """Wrap it once, and leave the cursor where it was, if it still can be there."""
        self.document = Document(text)
        self.wrapped_document = QuickWrapping(self.document, self.wrap_width, self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._refresh_size()
        self.selection = self._validate_selection(self.selection)
        self.refresh()

    @property
    def points(self) -> bool:
        """Whether any lines are marked."""
        return bool(self._pointed)

    def go_to(self, line: int) -> None:
        """Put the cursor at the beginning of a line, counted from 1."""
        self.move_cursor((max(0, line - 1), 0), center=True)

    def action_go_to_end(self, end: int) -> None:
        """To the first (0) or the last line (-1)."""
        self.move_cursor((0, 0) if end == 0 else self.document.end)

    def point_at(self, lines: range) -> None:
        """Mark these lines, counted from 0, and bring the first of them into view, with the
        cursor: whoever comes here to type begins there. While somebody types, nothing moves."""
        if self.has_focus or lines == self._pointed:
            return
        self._pointed = lines
        self.refresh()
        if lines:
            y = self.wrapped_document.location_to_offset((lines.start, 0)).y
            seen = range(self.scroll_offset.y, self.scroll_offset.y + self.size.height)
            self.move_cursor((lines.start, 0), center=y not in seen)

    # -- drawing --------------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """See first which lines are others than when they were last drawn."""
        if self._cut != self.document.lines:  # lines that didn't change are the same objects
            self._cut = [*self.document.lines]
            self._pieces.update(self._cut)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """A line; Textual looks at the whole text first, whether there is any."""
        strip = self._render_line(y)
        if self._line_at(y) not in self._pointed:
            return strip
        number, *rest = strip
        text = number.text[: -len(POINTER)] + POINTER
        return Strip([Segment(text, number.style), *rest], strip.cell_length)

    def _line_at(self, y: int) -> int:
        """The number of the line that begins at a line of the view; -1 where none does."""
        parts = self.wrapped_document._offset_to_line_info
        at = y + self.scroll_offset.y
        line, part = parts[at] if at < len(parts) else (-1, 0)
        return -1 if part else line

    def notify_style_update(self) -> None:
        """Roles may look different."""
        super().notify_style_update()
        self._roles.forget()

    def get_line(self, line_index: int) -> Text:
        """A line in colours."""
        line = super().get_line(line_index)
        start = 0
        for piece, text in self._pieces.pieces(line_index):
            role = self._roles.of(ROLES[piece])
            # Without its background, which is another one in the line of the cursor.
            line.stylize(
                Style(color=role.color, bold=role.bold, dim=role.dim), start, start + len(text)
            )
            start += len(text)
        return line

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        """Tell it."""
        message.stop()
        self._pointed = range(0)
        self.post_message(self.Typed(self.text))


def _changed(before: Sequence[str], after: Sequence[str]) -> range:
    """The lines of a document that are others than before, from the first to the last; where some
    were only taken out, the line that came in their place."""
    first = first_change(before, after)
    rest = first_change(before[first:][::-1], after[first:][::-1])
    return range(first, max(len(after) - rest, first + 1))
