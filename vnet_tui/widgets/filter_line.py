"""A line to type a filter in, above the keys while it is used."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


class FilterLine(Horizontal):
    """Hidden until :meth:`begin`. Enter keeps the filter, Esc takes it away."""

    DEFAULT_CSS = """
    FilterLine { height: 1; display: none; }
    FilterLine.-shown { display: block; }
    FilterLine Label { color: $accent; padding: 0 1; }
    FilterLine Input, FilterLine Input:focus {
        border: none; height: 1; padding: 0; background: $surface; width: 1fr;
    }
    FilterLine:ansi Input { background: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "no filter", tooltip="Show everything again"),
        Binding("down", "keep", "keep", tooltip="Keep the filter and go back to the list"),
    ]

    class Changed(Message):
        """Another filter was typed."""

        def __init__(self, wanted: str) -> None:
            super().__init__()
            self.wanted = wanted

    class Left(Message):
        """The keys are for the list again."""

    def __init__(self, hint: str = "words in name, title, state, bridge, subnet") -> None:
        super().__init__()
        self._hint = hint

    def compose(self) -> ComposeResult:
        """A sign, what was typed, how much is left."""
        yield Label("/")
        field = Input(placeholder=self._hint)
        field.cursor_blink = False
        yield field
        yield Label("", id="filter-count")

    def begin(self) -> None:
        """Take the keys."""
        self.add_class("-shown")
        self.query_one(Input).focus()

    def tell(self, shown: int, all_: int) -> None:
        """How many are shown of how many."""
        self.query_one("#filter-count", Label).update(f"{shown} of {all_}")

    def clear(self) -> None:
        """No filter."""
        self.query_one(Input).value = ""
        self.remove_class("-shown")

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        message.stop()
        self.post_message(self.Changed(message.value))

    @on(Input.Submitted)
    def _entered(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_keep()

    def action_keep(self) -> None:
        """Back to the list; an empty filter goes."""
        if not self.query_one(Input).value.strip():
            self.clear()
        self.post_message(self.Left())

    def action_cancel(self) -> None:
        """Show everything again."""
        self.clear()
        self.post_message(self.Left())
