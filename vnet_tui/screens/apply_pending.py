"""The question before all that is pending is applied: kept at once, or on trial, and how long."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import PurePath
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from vnet_tui.assets import style_sheet
from vnet_tui.widgets.fields import ChoiceField
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture

MOST_TOLD = 8
"""So many networks are told one by one."""


class Keeping(IntEnum):
    """How long changes stay on trial, in seconds."""

    AT_ONCE = 0
    SECONDS_10 = 10
    SECONDS_30 = 30
    MINUTE = 60
    MINUTES_2 = 120
    MINUTES_5 = 300
    MINUTES_10 = 600

    @property
    def within(self) -> float | None:
        """What a checkpoint is opened with; None: none stays open."""
        return float(self) or None

    @property
    def words(self) -> str:
        """For the choice."""
        if self is Keeping.AT_ONCE:
            return "none"
        return f"{self} s" if self < Keeping.MINUTES_2 else f"{self // 60} min"


class ApplyPendingScreen(ModalScreen[Keeping | None]):
    """Asks. Enter applies as it is chosen, Escape doesn't."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [style_sheet("dialogs"), style_sheet("pending")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "dismiss(None)", "not now"),
        Binding("k", "keep", "keep at once"),
        Binding("down", "app.focus_next", "next", show=False),
        Binding("up", "app.focus_previous", "before", show=False),
    ]

    def __init__(self, effects: Sequence[tuple[str, Cell, Cell]]) -> None:
        """``effects`` are the networks by name, each with what applying it disturbs, and how much
        of it deserves a look."""
        super().__init__()
        self._effects = effects
        choices = [(keeping, keeping.words) for keeping in Keeping]
        self._choice = ChoiceField("trial", choices, Keeping.MINUTE, id="apply-trial")

    def compose(self) -> ComposeResult:
        """What is disturbed, how long it is on trial, what that means, two buttons."""
        count = len(self._effects)
        title = f"Apply what is pending of {count} network{'' if count == 1 else 's'}?"
        with Vertical(classes="dialog -apply"):
            yield Static(Text(title), classes="dialog--title")
            yield Picture(id="apply-effects")
            yield self._choice
            yield Static(id="apply-meaning", classes="dialog--text")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Not now (esc)", id="no", compact=True)
                yield Button("Keep at once (k)", id="keep", compact=True)
                yield Button("Apply (enter)", id="apply", compact=True)

    def on_mount(self) -> None:
        """The keys go to the choice."""
        lines: list[Line] = [
            (Cell(f"{name}  ", "strong"), effect, Cell("  "), looks)
            for name, effect, looks in self._effects
        ]
        if len(lines) > MOST_TOLD:
            rest = len(lines) - MOST_TOLD
            lines = [*lines[:MOST_TOLD], (Cell(f"and {rest} more", "dim"),)]
        self.query_one("#apply-effects", Picture).show(lines)
        self._choice.control.focus()
        self.on_field_changed()

    def on_field_changed(self) -> None:
        """Say what it means."""
        keeping = self._choice.value
        meaning = "All of it is applied, or nothing, and kept."
        if keeping:
            meaning = (
                f"All of it is applied, or nothing. Unless you press y within {keeping.words}, "
                f"it is rolled back by itself, also when you are cut off."
            )
        self.query_one("#apply-meaning", Static).update(Text(meaning))

    def on_field_submitted(self) -> None:
        """Enter on the choice."""
        self.dismiss(self._choice.value)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A click, or Enter on a button."""
        answers = {"no": None, "keep": Keeping.AT_ONCE, "apply": self._choice.value}
        self.dismiss(answers[event.button.id or "no"])

    def action_keep(self) -> None:
        """Apply without a trial."""
        self.dismiss(Keeping.AT_ONCE)
