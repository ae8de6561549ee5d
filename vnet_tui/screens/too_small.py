"""A terminal that is too small is told so, instead of being shown a broken picture."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

LEAST = Size(80, 24)


class TooSmallScreen(Screen[None]):
    """Lies over everything until there is room again; what is below goes on."""

    def compose(self) -> ComposeResult:
        """One sentence."""
        yield Static(id="too-small")

    def on_resize(self) -> None:
        """Say how much room there is."""
        width, height = self.app.size
        self.query_one("#too-small", Static).update(
            Text(f"{width}×{height} is too small: vnet-tui needs {LEAST.width}×{LEAST.height}.")
        )


def fits(size: Size) -> bool:
    """Whether a terminal is large enough."""
    return size.width >= LEAST.width and size.height >= LEAST.height
