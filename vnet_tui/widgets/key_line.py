"""The line of keys at the bottom: as many as fit, and those that lead to all the others."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.screen import Screen

from vnet_tui.actions import place_in_order
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture

PALETTE = ("^p", "commands", "app.command_palette")


WORDS = {"enter": "enter", "escape": "esc"}
"""Keys whose signs not every terminal has."""


class KeyLine(Picture):
    """What the keys do here. A click on one does it, too."""

    DEFAULT_CSS = "KeyLine { dock: bottom; height: 1; background: $panel; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places: list[tuple[range, str]] = []

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)
        self._follow(self.screen)

    def on_resize(self) -> None:
        """Another number of keys fits."""
        self._follow(self.screen)

    def _follow(self, screen: Screen[object]) -> None:
        if not self.is_attached or not self.size.width:
            return
        shown: dict[str, tuple[str, str, str]] = {}
        bindings = [active.binding for active in screen.active_bindings.values()]
        for binding in sorted(bindings, key=place_in_order):
            if binding.show and binding.description and binding.action not in shown:
                key = self._spelled(binding)
                shown[binding.action] = (key, binding.description, binding.action)
        line, self._places = key_line([*shown.values(), PALETTE], self.size.width)
        self.show([line])

    def _spelled(self, binding: Binding) -> str:
        return WORDS.get(binding.key) or self.app.get_key_display(binding)

    async def on_click(self, event: events.Click) -> None:
        """Do what was clicked on."""
        for place, action in self._places:
            if event.x in place:
                await self.screen.run_action(action)


def key_line(keys: list[tuple[str, str, str]], width: int) -> tuple[Line, list[tuple[range, str]]]:
    """Keys with their labels in at most ``width`` cells, and where the action of each stands.

    The last two always stay: the help and the palette lead to everything that didn't fit.
    """
    while len(keys) > 2 and sum(_length(key) for key in keys) > width:
        keys = [*keys[:-3], *keys[-2:]]
    cells: list[Cell] = []
    places: list[tuple[range, str]] = []
    x = 0
    for key, label, action in keys:
        cells += [Cell(f" {key} ", "accent"), Cell(f"{label} ")]
        end = x + _length((key, label, action))
        places.append((range(x, end), action))
        x = end
    return tuple(cells), places


def _length(key: tuple[str, str, str]) -> int:
    return cell_len(key[0]) + cell_len(key[1]) + 3
