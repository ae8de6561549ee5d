"""A question before something that can't be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from vnet_tui.assets import style_sheet
from vnet_tui.engine.text import printable


class ConfirmScreen(ModalScreen[bool]):
    """Asks; gives True for yes. Escape and Enter mean no, unless one goes to the other button."""

    CSS_PATH = style_sheet("dialogs")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape", "answer(False)", "no"),
        Binding("left,right,up,down", "other", "other button", show=False),
    ]

    def __init__(self, question: str, consequences: Sequence[str], yes: str) -> None:
        """``yes`` is the verb on the button: what will be done."""
        super().__init__()
        self._question = printable(question)
        self._consequences = [printable(text) for text in consequences]
        self._yes = yes

    def compose(self) -> ComposeResult:
        """The question, what follows from it, two buttons."""
        with Vertical(classes="dialog -question"):
            yield Static(Text(self._question), classes="dialog--title")
            for consequence in self._consequences:
                yield Static(Text(consequence), classes="dialog--text")
            with Horizontal(classes="dialog--buttons"):
                yield Button("No (n)", id="no", compact=True)
                yield Button(Text(f"{self._yes} (y)"), id="yes", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A click, or Enter on a button."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """An answer by its letter."""
        self.dismiss(yes)

    def action_other(self) -> None:
        """Go to the other button."""
        self.focus_next(Button)
