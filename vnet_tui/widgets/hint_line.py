"""The last line of a dialog: what its keys do. A click on one presses it."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.widgets import Static

GAP = "     "
SPELLED = {"esc": "escape"}
"""Textual's names of keys that are told by others here."""


class HintLine(Static):
    """``enter  keep it     ↑ ↓  fields``: hints are keys, each with what it does. Where several
    keys stand together, there is nothing to click on."""

    def __init__(self, *hints: tuple[str, str]) -> None:
        super().__init__(classes="dialog--hint")
        self._hints = hints

    def on_mount(self) -> None:
        """Say it."""
        self.tell(*self._hints)

    def tell(self, *hints: tuple[str, str]) -> None:
        """Say something else."""
        self._hints = hints
        self.update(Text(GAP.join(f"{key}  {words}" for key, words in hints)))

    def on_click(self, event: events.Click) -> None:
        """Press the key."""
        x = event.x
        for key, words in self._hints:
            width = cell_len(f"{key}  {words}")
            if 0 <= x < width and " " not in key:
                self.app.simulate_key(SPELLED.get(key, key))
            x -= width + len(GAP)
