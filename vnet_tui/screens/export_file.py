"""Write what is shown to a file: a path, whose ending chooses between CSV and JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from vnet_tui.assets import style_sheet
from vnet_tui.engine.errors import VnetError
from vnet_tui.screens.confirm import ConfirmScreen
from vnet_tui.widgets.hint_line import HintLine
from vnet_tui.widgets.path_input import PathInput
from vnet_tui.widgets.traffic_export import Exported, Form, as_csv, as_json

FORMS: Mapping[str, Form] = {".csv": as_csv, ".json": as_json}
"""How a file is written, by the end of its name."""


class ExportFileScreen(ModalScreen[Path | None]):
    """Gives the file that was written; None when it was left. A file that is there is written over
    only when that is agreed to."""

    CSS_PATH = style_sheet("dialogs")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    class Written(Message):
        """It is done, or not: ``error`` is why, and ``there`` whether a file is in the way."""

        def __init__(self, path: Path, *, there: bool = False, error: str = "") -> None:
            super().__init__()
            self.path = path
            self.there = there
            self.error = error

    def __init__(self, figures: Sequence[Exported], start: str) -> None:
        """``start`` is the path to begin with."""
        super().__init__()
        self._figures = figures
        self._start = start

    def compose(self) -> ComposeResult:
        """The prompt, and room for what is wrong."""
        with Vertical(classes="dialog -file"):
            yield Static(Text("Write what is shown to a file"), classes="dialog--title")
            yield PathInput(self._start, placeholder="path of a .csv or .json file", id="path")
            yield Static(id="verdict", classes="dialog--text")
            yield HintLine(("enter", "write"), ("tab", "complete"), ("esc", "leave"))

    def on_mount(self) -> None:
        """Nothing is wrong yet."""
        self.query_one("#verdict").display = False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Write it, unless a file is there already."""
        self._write(event.value, over=False)

    def _write(self, typed: str, *, over: bool) -> None:
        try:
            path = Path(typed.strip()).expanduser()
        except RuntimeError:
            self._refuse(f"{typed} names a home directory that nobody has")
            return
        if path.suffix not in FORMS:
            self._refuse("The file's name has to end in .csv or .json: that chooses the format.")
            return
        self.run_worker(self._put(path, over=over), group="write", exclusive=True)

    async def _put(self, path: Path, *, over: bool) -> None:
        try:
            await asyncio.to_thread(write_figures, path, self._figures, over=over)
        except FileExistsError:
            self.post_message(self.Written(path, there=True))
        except VnetError as error:
            self.post_message(self.Written(path, error=error.message))
        else:
            self.post_message(self.Written(path))

    @on(Written)
    def _written(self, message: Written) -> None:
        if message.error:
            self._refuse(message.error)
        elif message.there:
            question = ConfirmScreen(
                "Write over it?", [f"{message.path} is there already."], "Write over"
            )

            def answered(sure: bool | None) -> None:
                if sure:
                    self._write(str(message.path), over=True)

            self.app.push_screen(question, answered)
        else:
            self.dismiss(message.path)

    def _refuse(self, reason: str) -> None:
        verdict = self.query_one("#verdict", Static)
        verdict.display = True
        verdict.update(Text(reason))

    def action_cancel(self) -> None:
        """Leave without writing anything."""
        self.dismiss(None)


def write_figures(path: Path, figures: Sequence[Exported], *, over: bool) -> None:
    """Write a file; VnetError where that can't be done.

    FileExistsError: it is there already, and isn't to be written ``over``.
    """
    try:
        with path.open("w" if over else "x", encoding="utf-8") as file:
            file.write(FORMS[path.suffix](figures))
    except FileExistsError:
        raise
    except OSError as error:
        raise VnetError(f"{path} can't be written: {error.strerror}") from error
