"""A line above the keys while the connection is lost: why, and when it is tried again."""

from __future__ import annotations

from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Picture


class LostLine(Picture):
    """Says that what is shown is the past."""

    DEFAULT_CSS = """
    LostLine { dock: bottom; height: 1; margin-bottom: 1; background: $error 25%; }
    LostLine:ansi { background: ansi_default; text-style: reverse; }
    """

    def __init__(self, trouble: str) -> None:
        super().__init__()
        self._trouble = trouble

    def on_mount(self) -> None:
        """Say it."""
        self.tell(self._trouble)

    def tell(self, trouble: str) -> None:
        """Something else is to be said."""
        self.show([(Cell(" ✗ connection lost ", "bad"), Cell(f" {trouble}"))])
