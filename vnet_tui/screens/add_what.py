"""Which of a few kinds of things to add."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from vnet_tui.assets import style_sheet
from vnet_tui.drafts.lists import Kind
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.editing.element_fields import WORDS
from vnet_tui.widgets.hint_line import HintLine
from vnet_tui.widgets.live_table import Cell, LiveTable


class AddWhatScreen(ModalScreen[Kind | None]):
    """Gives the kind; None when it was left. Numbers choose at once."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [style_sheet("dialogs"), style_sheet("editor")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        *(Binding(str(number), f"choose({number - 1})", show=False) for number in range(1, 10)),
    ]

    def __init__(self, kinds: Sequence[Kind], first: Kind) -> None:
        """``first`` is under the cursor to begin with."""
        super().__init__()
        self._kinds = tuple(kinds)
        self._first = first

    def compose(self) -> ComposeResult:
        """The kinds in words."""
        with Vertical(classes="dialog -add"):
            yield Static(Text("Add"), classes="dialog--title")
            yield LiveTable[Kind]((Column(key="kind", label="", width=40, grow=1),))
            yield HintLine(("enter", "add it"), ("esc", "leave"))

    def on_mount(self) -> None:
        """The likely one under the cursor."""
        table = self.query_one(LiveTable)
        table.styles.height = len(self._kinds) + 1
        table.set_rows(
            (kind, (Cell(f"{number} {WORDS[kind]}"),))
            for number, kind in enumerate(self._kinds, start=1)
        )
        table.move_to(self._first)
        table.focus()

    def on_live_table_selected(self, message: LiveTable.Selected) -> None:
        """That one."""
        self.dismiss(message.key)

    def action_choose(self, number: int) -> None:
        """By number."""
        if number < len(self._kinds):
            self.dismiss(self._kinds[number])

    def action_cancel(self) -> None:
        """None of them."""
        self.dismiss(None)
