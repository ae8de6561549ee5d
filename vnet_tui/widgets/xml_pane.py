"""A network's document: as it runs, as it is defined, and how the two differ."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from vnet_tui.engine.views import NetworkInfo
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.pane import Pane
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.xml_lines import Piece, highlight

ROLES = {
    Piece.TEXT: "strong",
    Piece.MARK: "dim",
    Piece.TAG: "accent",
    Piece.ATTRIBUTE: "plain",
    Piece.VALUE: "good",
    Piece.COMMENT: "dim",
}


class View(StrEnum):
    """Which document is shown."""

    RUNNING = "running"
    DEFINED = "defined"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """The document that runs (None: it doesn't run), and the one in the store (None: neither)."""

    running: str | None
    defined: str | None


class XmlPane(Pane[Documents]):
    """The document, highlighted; a line above says which one."""

    TITLE = "XML"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "v",
            "next_view",
            "view",
            id="network.xml.view",
            tooltip="Show the document that runs, the one that is defined, or how they differ",
        )
    ]

    _data: Documents | None = None
    _view: View | None = None

    def compose_body(self) -> ComposeResult:
        """Which one, and the document."""
        yield Picture(id="xml-which")
        with VerticalScroll(id="xml-scroll"):
            yield Picture(id="xml-document")

    @property
    def focus_target(self) -> Widget:
        """What scrolls."""
        return self.query_one("#xml-scroll")

    async def fetch(self, info: NetworkInfo) -> Documents:
        """One document or two."""
        running = await self.connection.xml(info.uuid) if info.active else None
        defined = None
        if info.persistent:
            defined = await self.connection.xml(info.uuid, inactive=True)
        return Documents(running=running, defined=defined)

    def present(self, data: Documents) -> None:
        """Show the view that was shown, if there still is one."""
        self._data = data
        views = self._views
        if self._view not in views:
            self._view = views[0]
        self._draw()

    @property
    def _views(self) -> list[View]:
        if self._data is None:
            return []
        views = []
        if self._data.running is not None:
            views.append(View.RUNNING)
        if self._data.defined is not None:
            views.append(View.DEFINED)
        if len(views) == 2 and self.info.pending:
            views.append(View.DIFFERENCE)
        return views

    def check_action(
        self,
        action: str,
        parameters: tuple[object, ...],  # noqa: ARG002 - Textual's signature
    ) -> bool | None:
        """The key is offered where there is another view."""
        return action != "next_view" or len(self._views) > 1

    def action_next_view(self) -> None:
        """Go from one view to the next, round and round."""
        views = self._views
        if self._view in views:
            self._view = views[(views.index(self._view) + 1) % len(views)]
            self._draw()

    def on_resize(self) -> None:
        """Lines are wrapped where the room ends."""
        self._draw()

    def _draw(self) -> None:
        if self._data is None:
            return
        which = [Cell(" ")]
        for view in self._views:
            if view is self._view:
                which.append(Cell(f"[{view}]", "strong"))
            else:
                which.append(Cell(f" {view} ", "dim"))
        self.query_one("#xml-which", Picture).show([tuple(which)])
        running, defined = self._data.running or "", self._data.defined or ""
        if self._view is View.DIFFERENCE:
            lines = difference(running, defined)
        else:
            lines = coloured(running if self._view is View.RUNNING else defined)
        width = self.size.width - 1
        self.query_one("#xml-document", Picture).show(
            part for line in lines for part in wrapped(line, width)
        )
        self.refresh_bindings()


def coloured(document: str) -> list[Line]:
    """A document as lines with roles."""
    return [
        (Cell(" "), *(Cell(text.expandtabs(4), ROLES[piece]) for piece, text in pieces))
        for pieces in highlight(document.rstrip("\n"))
    ]


def wrapped(line: Line, width: int) -> list[Line]:
    """A line in parts of at most ``width`` characters, at blanks where it has some; those after
    the first are indented."""
    text = "".join(cell.text for cell in line)
    if len(text) <= width or width < 8:
        return [line]
    indent = min(len(text) - len(text.lstrip()) + 4, width // 2)
    parts: list[Line] = []
    start, room = 0, width
    while len(text) - start > room:
        end = start + room
        blank = text.rfind(" ", start + 1, end + 1)
        if blank > start and text[start:blank].strip():
            end = blank
        parts.append(_part(line, start, end, indent if parts else 0))
        start = end + 1 if text[end] == " " else end
        room = width - indent
    parts.append(_part(line, start, len(text), indent))
    return parts


def _part(line: Line, start: int, end: int, indent: int) -> Line:
    cells = [Cell(" " * indent)] if indent else []
    x = 0
    for cell in line:
        text = cell.text[max(0, start - x) : max(0, end - x)]
        if text:
            cells.append(Cell(text, cell.role))
        x += len(cell.text)
    return tuple(cells)


def difference(running: str, defined: str) -> list[Line]:
    """What a start would change, as a unified diff: - runs now, + comes. The id, which only what
    runs has, is no difference."""
    running = re.sub(r"(<network\b[^>]*?) id=\"\d+\"", r"\1", running, count=1)
    lines = difflib.unified_diff(
        running.splitlines(), defined.splitlines(), "running", "defined", lineterm=""
    )
    return coloured_difference(lines)


def coloured_difference(lines: Iterable[str]) -> list[Line]:
    """The lines of a unified diff, with roles."""
    roles = {"+": "good", "-": "bad", "@": "dim"}
    shown: list[Line] = [(Cell(f" {line}", roles.get(line[:1], "plain")),) for line in lines]
    return shown or [(Cell(" No difference.", "dim"),)]
