"""What is shown while there are no networks: how to get the first one."""

from __future__ import annotations

from pathlib import Path

from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Picture


class Welcome(Picture):
    """A few lines; nothing to press that isn't in the line of keys as well."""

    def __init__(self, examples: Path, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._examples = examples

    def on_mount(self) -> None:
        """Say it."""
        key = "accent"
        self.show(
            [
                (Cell("No networks yet.", "strong"),),
                (),
                (Cell("n", key), Cell("  make one, step by step")),
                (Cell("d", key), Cell("  define one from an XML file")),
                (Cell("e", key), Cell("  define one of the examples, which are in")),
                (Cell(f"   {self._examples}", "dim"),),
                (),
                (Cell("To try it all without touching this host:", "dim"),),
                (Cell("   vnet-tui --sandbox"),),
            ]
        )
