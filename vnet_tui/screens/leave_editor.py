"""What becomes of edits when the editor is left: staged, discarded, or not left after all."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from vnet_tui.assets import style_sheet
from vnet_tui.engine.text import printable


class Leaving(StrEnum):
    """The three answers."""

    STAY = "stay"
    STAGE = "stage"
    DISCARD = "discard"


class LeaveEditorScreen(ModalScreen[Leaving]):
    """Asks. Escape, and Enter at once, stay."""

    CSS_PATH = style_sheet("dialogs")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer('stay')", "stay"),
        Binding("s,ctrl+s", "answer('stage')", "stage"),
        Binding("d", "answer('discard')", "discard"),
        Binding("right,down", "app.focus_next", "other button", show=False),
        Binding("left,up", "app.focus_previous", "other button", show=False),
    ]

    def __init__(self, name: str, edits: int) -> None:
        """``edits`` have been made of the network ``name``."""
        super().__init__()
        self._name_ = name
        self._edits = edits

    def compose(self) -> ComposeResult:
        """The question and its answers."""
        count = "An edit" if self._edits == 1 else f"{self._edits} edits"
        with Vertical(classes="dialog -question"):
            yield Static(Text(printable(f"Leave {self._name_}?")), classes="dialog--title")
            yield Static(Text(f"{count} would be lost unless staged."), classes="dialog--text")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Stay (esc)", id=Leaving.STAY, compact=True)
                yield Button("Stage (s)", id=Leaving.STAGE, compact=True)
                yield Button("Discard (d)", id=Leaving.DISCARD, compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A click, or Enter on a button."""
        self.dismiss(Leaving(event.button.id or Leaving.STAY))

    def action_answer(self, answer: str) -> None:
        """An answer by its letter."""
        self.dismiss(Leaving(answer))
