"""The keys that lead to other screens, the same on every screen of networks."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.screen import Screen

from vnet_tui import actions


class Ways(Screen[None]):
    """A screen from which the others are reached. They are imported when they are first opened."""

    BINDINGS: ClassVar[list[BindingType]] = [action.binding() for action in actions.SCREEN_ACTIONS]
