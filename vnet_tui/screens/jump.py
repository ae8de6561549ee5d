"""Jumping: a letter over every place that one can go to; typing it goes there."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from vnet_tui.widgets.jumping import Place, labels


class JumpScreen(ModalScreen[Place | None]):
    """Lies over another screen; gives the place that was chosen. Any other key leaves."""

    DEFAULT_CSS = """
    JumpScreen { background: transparent; layout: vertical; }
    JumpScreen > Static {
        position: absolute; width: auto; height: 1; background: $warning; color: $background;
        text-style: bold;
    }
    JumpScreen:ansi > Static { background: ansi_yellow; color: ansi_black; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back", show=False)]

    def __init__(self, places: list[Place]) -> None:
        super().__init__()
        self._places = dict(zip(labels(len(places)), places, strict=False))
        self._typed = ""

    def compose(self) -> ComposeResult:
        """A label a place."""
        for label, place in self._places.items():
            shown = Static(label, markup=False)
            shown.styles.offset = place.at
            yield shown

    def on_key(self, event: events.Key) -> None:
        """A letter chooses, or begins to."""
        if event.key == "escape":
            return
        event.stop()
        event.prevent_default()
        self._typed += event.character or event.key
        if self._typed in self._places:
            self.dismiss(self._places[self._typed])
        elif not any(label.startswith(self._typed) for label in self._places):
            self.dismiss(None)

    def on_click(self) -> None:
        """The mouse needs no letters."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Stay where one was."""
        self.dismiss(None)
