"""A question with a few answers, each with its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from vnet_tui.assets import style_sheet
from vnet_tui.engine.text import printable

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Answer(Generic[A]):
    """``value`` is what the answer gives, ``label`` a verb for its button, ``keys`` what gives it,
    the first of them as it is ``spelled`` on the button."""

    value: A
    label: str
    keys: str
    spelled: str


class QuestionScreen(ModalScreen[A]):
    """Asks. Enter at once gives the first answer, which must be the one that loses nothing."""

    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = style_sheet("dialogs")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,down", "app.focus_next", "other button", show=False),
        Binding("left,up", "app.focus_previous", "other button", show=False),
    ]

    def __init__(self, question: str, told: Sequence[str], answers: Sequence[Answer[A]]) -> None:
        """``told`` is what follows from the answers, a paragraph each."""
        super().__init__()
        self._question = printable(question)
        self._told = [printable(text) for text in told]
        self._answers = answers
        for number, answer in enumerate(answers):
            self._bindings.bind(answer.keys, f"answer({number})", answer.label)

    def compose(self) -> ComposeResult:
        """The question, what there is to know, a button for each answer."""
        with Vertical(classes="dialog -question"):
            yield Static(Text(self._question), classes="dialog--title")
            for text in self._told:
                yield Static(Text(text), classes="dialog--text")
            with Horizontal(classes="dialog--buttons"):
                for number, answer in enumerate(self._answers):
                    label = Text(f"{answer.label} ({answer.spelled})")
                    yield Button(label, id=f"answer-{number}", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A click, or Enter on a button."""
        self.action_answer(int((event.button.id or "answer-0").rpartition("-")[2]))

    def action_answer(self, number: int) -> None:
        """An answer by its key."""
        self.dismiss(self._answers[number].value)
