"""Define a network from a file: a path, and everything that is wrong with what is in it."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from vnet_tui.assets import style_sheet
from vnet_tui.client.connection import Connection
from vnet_tui.engine.errors import Problem, ProblemsError, Severity, VnetError
from vnet_tui.engine.views import NetworkInfo
from vnet_tui.engine.xml.limits import MAX_BYTES
from vnet_tui.widgets.explained import Paragraph, explained, problem_paragraph
from vnet_tui.widgets.hint_line import HintLine
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.paragraphs import Paragraphs
from vnet_tui.widgets.path_input import PathInput, completions
from vnet_tui.widgets.picture import Picture

TOLD = 3
"""So many warnings about what was defined are told."""


class OpenFileScreen(ModalScreen[NetworkInfo | None]):
    """Gives the network that was defined; None when it was left."""

    CSS_PATH = style_sheet("dialogs")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("pageup,up", "scroll(-1)", "up", show=False),
        Binding("pagedown,down", "scroll(1)", "down", show=False),
    ]

    class Offered(Message):
        """What the typed path can become."""

        def __init__(self, typed: str, found: Sequence[str]) -> None:
            super().__init__()
            self.typed = typed
            self.found = found

    class Refused(Message):
        """What is wrong with the file."""

        def __init__(self, title: str, paragraphs: Sequence[Paragraph]) -> None:
            super().__init__()
            self.title = title
            self.paragraphs = paragraphs

    class Defined(Message):
        """It is in the store; ``warnings`` are what deserves a look in it."""

        def __init__(self, info: NetworkInfo, warnings: Sequence[Problem]) -> None:
            super().__init__()
            self.info = info
            self.warnings = warnings

    def __init__(self, connection: Connection, start: str = "") -> None:
        """``start`` is the path to begin with."""
        super().__init__()
        self._connection = connection
        self._start = start

    def compose(self) -> ComposeResult:
        """The prompt, completions, and room for what is wrong."""
        with Vertical(classes="dialog -file"):
            yield Static(Text("Define a network from a file"), classes="dialog--title")
            yield PathInput(self._start, suffix=".xml", id="path")
            yield Picture(id="offered")
            yield Static(id="verdict", classes="dialog--text")
            yield Paragraphs(id="problems")
            yield HintLine(("enter", "define"), ("tab", "complete"), ("esc", "leave"))

    def on_mount(self) -> None:
        """The prompt keeps the focus; what is wrong scrolls with the arrows."""
        self.query_one("#problems", Paragraphs).can_focus = False
        self.query_one("#verdict").display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look what the path can become."""
        self.run_worker(self._look(event.value), group="completions", exclusive=True)

    async def _look(self, typed: str) -> None:
        found = await asyncio.to_thread(completions, typed, ".xml")
        self.post_message(self.Offered(typed, found))

    def on_open_file_screen_offered(self, message: Offered) -> None:
        """Show the next part of each, not the whole path."""
        if message.typed != self.query_one("#path", Input).value:
            return
        names = [path[message.typed.rfind("/") + 1 :] for path in message.found]
        picture = self.query_one("#offered", Picture)
        picture.show([(Cell(as_many_as_fit(names, picture.size.width), "dim"),)])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read, check, define."""
        if event.value.strip():
            self.run_worker(self._define(event.value), group="define", exclusive=True)

    async def _define(self, typed: str) -> None:
        try:
            text = await asyncio.to_thread(read_document, typed)
            problems = await self._connection.validate(text)
            errors = [p for p in problems if p.severity is Severity.ERROR]
            if errors:
                count = len(errors)
                title = f"{count} error{'' if count == 1 else 's'}; nothing was defined"
                told = [problem_paragraph(problem) for problem in problems]
                self.post_message(self.Refused(title, told))
                return
            info = await self._connection.define(text)
        except ProblemsError as error:
            told = [problem_paragraph(problem) for problem in error.problems]
            self.post_message(self.Refused(error.message, told))
        except VnetError as error:
            self.post_message(self.Refused("nothing was defined", explained(error)))
        else:
            self.post_message(self.Defined(info, problems))

    async def on_open_file_screen_refused(self, message: Refused) -> None:
        """Show what is wrong; the path stays to try again."""
        verdict = self.query_one("#verdict", Static)
        verdict.display = True
        verdict.update(Text(message.title))
        await self.query_one("#problems", Paragraphs).show(message.paragraphs)

    def on_open_file_screen_defined(self, message: Defined) -> None:
        """Done; what deserves a look is said in passing."""
        for problem in message.warnings[:TOLD]:
            self.notify(str(problem), title=message.info.name, severity="warning", timeout=30)
        if (more := len(message.warnings) - TOLD) > 0:
            text = f"and {more} more: vnet network-validate tells them"
            self.notify(text, title=message.info.name, severity="warning", timeout=30)
        self.dismiss(message.info)

    def action_cancel(self) -> None:
        """Leave without defining anything."""
        self.dismiss(None)

    def action_scroll(self, by: int) -> None:
        """Scroll what is wrong."""
        self.query_one("#problems", Paragraphs).scroll_relative(y=by * 3, animate=False)


def read_document(typed: str) -> str:
    """The text of a regular file; others may make the reader wait for ever. VnetError: it can't
    be read, is no text, or is larger than a document can be."""
    try:
        path = Path(typed.strip()).expanduser()
    except RuntimeError as error:
        raise VnetError(f"{typed} names a home directory that nobody has") from error
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            kind = os.fstat(file.fileno()).st_mode
            octets = file.read(MAX_BYTES + 1) if stat.S_ISREG(kind) else None
    except OSError as error:
        raise VnetError(f"{path} can't be read: {error.strerror}") from error
    if octets is None:
        raise VnetError(f"{path} is not a regular file")
    if len(octets) > MAX_BYTES:
        raise VnetError(f"{path} is larger than {MAX_BYTES >> 20} MiB: that is no network")
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        raise VnetError(
            f"{path} is not UTF-8 text (byte {error.start})", "convert it, with iconv for example"
        ) from error


def _without_waiting(path: str, flags: int) -> int:
    """Open a file, a named pipe too, without waiting for anybody (open(2), O_NONBLOCK)."""
    return os.open(path, flags | os.O_NONBLOCK)


def as_many_as_fit(names: Sequence[str], width: int) -> str:
    """Names in a line of ``width`` cells; dots at its end where there are more."""
    line, more = "", "  …"
    for number, name in enumerate(names):
        longer = f"{line}  {name}" if line else name
        rest = 0 if number == len(names) - 1 else len(more)
        if line and cell_len(longer) + rest > width:
            return line + more
        line = longer
    return line
