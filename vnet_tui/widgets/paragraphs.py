"""Labelled paragraphs that wrap and scroll: what dialogs say."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from vnet_tui.engine.text import printable
from vnet_tui.roles import RoleStyles
from vnet_tui.widgets.explained import Paragraph


class ParagraphText(Static):
    """The text of a paragraph, in the colour of its role."""

    DEFAULT_CSS = "ParagraphText { width: 1fr; }"

    def __init__(self, paragraph: Paragraph) -> None:
        super().__init__()
        self._paragraph = paragraph
        self._roles = RoleStyles(self)

    def notify_style_update(self) -> None:
        """Roles may look different."""
        super().notify_style_update()
        self._roles.forget()

    def render(self) -> Text:
        """Plain text: nothing in it is markup."""
        style = self._roles.of(self._paragraph.role)
        text = "\n".join(printable(line) for line in self._paragraph.text.split("\n"))
        return Text(text, style=style)


class Paragraphs(VerticalScroll):
    """Paragraphs one below the other, labels in a column of their own."""

    DEFAULT_CSS = """
    Paragraphs { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    Paragraphs > Horizontal { height: auto; }
    Paragraphs .paragraphs--label { width: 10; color: $text-muted; }
    Paragraphs:ansi .paragraphs--label { color: ansi_default; text-style: dim; }
    """

    def __init__(self, paragraphs: Sequence[Paragraph] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._paragraphs = tuple(paragraphs)

    def compose(self) -> ComposeResult:
        """A row a paragraph."""
        for paragraph in self._paragraphs:
            with Horizontal():
                yield Static(Text(paragraph.label), classes="paragraphs--label")
                yield ParagraphText(paragraph)

    async def show(self, paragraphs: Sequence[Paragraph]) -> None:
        """Others instead."""
        self._paragraphs = tuple(paragraphs)
        await self.recompose()
        self.scroll_home(animate=False)
