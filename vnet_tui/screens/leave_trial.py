"""What becomes of changes on trial when the program is to be left."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from vnet_tui.assets import style_sheet


class Fate(StrEnum):
    """The three answers."""

    STAY = "stay"
    KEEP = "keep"
    ROLL_BACK = "roll-back"


class LeaveTrialScreen(ModalScreen[Fate]):
    """Asks. Escape, and Enter at once, stay."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [style_sheet("dialogs"), style_sheet("pending")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer('stay')", "stay"),
        Binding("y", "answer('keep')", "keep"),
        Binding("R,r", "answer('roll-back')", "roll back"),
        Binding("right,down", "app.focus_next", "other button", show=False),
        Binding("left,up", "app.focus_previous", "other button", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The question and its answers."""
        told = "Your changes are still on trial: keep them, or take them back, before you leave."
        with Vertical(classes="dialog -question"):
            yield Static(Text("Quit?"), classes="dialog--title")
            yield Static(Text(told), classes="dialog--text")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Stay (esc)", id=Fate.STAY, compact=True)
                yield Button("Keep (y)", id=Fate.KEEP, compact=True)
                yield Button("Roll back (R)", id=Fate.ROLL_BACK, compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A click, or Enter on a button."""
        self.dismiss(Fate(event.button.id or Fate.STAY))

    def action_answer(self, answer: str) -> None:
        """An answer by its letter."""
        self.dismiss(Fate(answer))
