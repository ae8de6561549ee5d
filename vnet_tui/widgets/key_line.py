"""The line of keys at the bottom: as many as fit, and those that lead to all the others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from rich.cells import cell_len
from textual import events
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

from vnet_tui.actions import PENDING, place_in_order
from vnet_tui.staging import staging_of
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is spelled, what it does in a word, its action and on whom that is done."""

    spelled: str
    label: str
    action: str
    node: DOMNode

    @property
    def length(self) -> int:
        """Its width in the line, in cells."""
        return cell_len(self.spelled) + cell_len(self.label) + 3


WORDS = {"enter": "enter", "escape": "esc"}
"""Keys whose signs not every terminal has."""


def spelled(app: App[Any], binding: Binding) -> str:
    """A key as it is shown."""
    return WORDS.get(binding.key) or app.get_key_display(binding)


class KeyLine(Picture):
    """What the keys do here. A click on one does it, too."""

    DEFAULT_CSS = "KeyLine { dock: bottom; height: 1; background: $panel; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places: list[tuple[range, Key]] = []

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)
        self.watch(staging_of(self), "staged", lambda: self._follow(self.screen), init=False)
        self._follow(self.screen)

    def on_resize(self) -> None:
        """Another number of keys fits."""
        self._follow(self.screen)

    def _follow(self, screen: Screen[object]) -> None:
        if not self.is_attached or not self.size.width:
            return
        shown: dict[str, Key] = {}
        active = screen.active_bindings.values()
        for node, binding in sorted(
            ((each.node, each.binding) for each in active), key=lambda pair: place_in_order(pair[1])
        ):
            label = self._label(binding)
            if label and binding.action not in shown:
                key = Key(spelled(self.app, binding), label, binding.action, node)
                shown[binding.action] = key
        palette = Key("^p", "commands", "command_palette", self.app)
        keys = fitting([*shown.values(), palette], self.size.width)
        self._places = places(keys)
        self.show([key_line(keys)])

    def _label(self, binding: Binding) -> str:
        """What a key does, in a word; empty where it isn't shown. What is pending shows itself."""
        if binding.id == PENDING.id and (count := len(staging_of(self).staged)):
            return f"{binding.description} {count}"
        return binding.description if binding.show else ""

    async def on_click(self, event: events.Click) -> None:
        """Do what was clicked on."""
        for place, key in self._places:
            if event.x in place:
                await self.app.run_action(key.action, key.node)


def fitting(keys: list[Key], width: int) -> list[Key]:
    """As many keys as ``width`` cells hold. The last two always stay: the help and the palette
    lead to everything that didn't fit."""
    while len(keys) > 2 and sum(key.length for key in keys) > width:
        keys = [*keys[:-3], *keys[-2:]]
    return keys


def key_line(keys: list[Key]) -> Line:
    """Keys with their labels."""
    return tuple(
        cell for key in keys for cell in (Cell(f" {key.spelled} ", "accent"), Cell(f"{key.label} "))
    )


def places(keys: list[Key]) -> list[tuple[range, Key]]:
    """From which cell to which each key stands."""
    ends = [0, *accumulate(key.length for key in keys)]
    return [
        (range(start, end), key) for start, end, key in zip(ends[:-1], ends[1:], keys, strict=True)
    ]
