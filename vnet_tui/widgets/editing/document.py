"""The document, to be typed in: the same draft as the forms', seen as XML."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.message import Message
from textual.widgets import TextArea

from vnet_tui.widgets.roles import role_classes, role_css
from vnet_tui.widgets.xml_lines import Piece, highlight
from vnet_tui.widgets.xml_pane import ROLES


class DocumentEditor(TextArea):
    """An editor with highlighting; Tab leaves it. Says what was typed when it has settled."""

    COMPONENT_CLASSES: ClassVar[set[str]] = role_classes("document-editor")
    DEFAULT_CSS = """
    DocumentEditor, DocumentEditor:focus { border: none; padding: 0; }
    DocumentEditor:ansi { background: ansi_default; color: ansi_default; }
    DocumentEditor:ansi > .text-area--cursor-line { background: ansi_default; }
    """ + role_css("DocumentEditor", "document-editor")

    class Typed(Message):
        """The document is another one now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, soft_wrap=True, show_line_numbers=True, compact=True)
        self.cursor_blink = False
        self._pieces: list[list[tuple[Piece, str]]] = []
        self._of: list[str] = []

    def show_document(self, text: str) -> None:
        """Show another document, unless it is the same."""
        if text != self.text:
            place = self.cursor_location
            with self.prevent(TextArea.Changed):  # it wasn't typed
                self.load_text(text)
            self.move_cursor(place)

    def go_to(self, line: int) -> None:
        """Put the cursor at the beginning of a line, counted from 1."""
        self.move_cursor((max(0, line - 1), 0), center=True)

    def get_line(self, line_index: int) -> Text:
        """A line in colours."""
        if self._of != self.document.lines:  # lines that didn't change are the same objects
            self._of = [*self.document.lines]
            self._pieces = list(highlight(self.text))
        line = super().get_line(line_index)
        start = 0
        for piece, text in self._pieces[line_index] if line_index < len(self._pieces) else ():
            role = self.get_component_rich_style(f"document-editor--{ROLES[piece]}")
            # Without its background, which is another one in the line of the cursor.
            line.stylize(
                Style(color=role.color, bold=role.bold, dim=role.dim), start, start + len(text)
            )
            start += len(text)
        return line

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        """Tell it."""
        message.stop()
        self.post_message(self.Typed(self.text))
