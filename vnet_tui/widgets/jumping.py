"""Where one can jump to on a screen: a letter each, told by the widgets that have such places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Protocol, runtime_checkable

from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""The keys under the fingers first."""


@dataclass(frozen=True, slots=True)
class Place:
    """A cell, and what going there does."""

    at: Offset
    go: Callable[[], object] = field(compare=False)


@runtime_checkable
class HasPlaces(Protocol):
    """A widget with more places than itself; cells are counted from its own corner."""

    def places(self) -> Iterator[Place]: ...


def places(screen: Screen[object]) -> list[Place]:
    """All places that can be seen on a screen, from top to bottom."""
    found: list[Place] = []
    for widget in screen.query("*"):
        visible, corner = visible_region(widget), widget.content_region.offset
        if visible is None:  # an offset of 0, 0 counts as false
            continue
        if isinstance(widget, HasPlaces):
            found += [Place(corner + place.at, place.go) for place in widget.places()]
        elif widget.focusable:
            found.append(Place(visible, widget.focus))
    return sorted(found, key=lambda place: (place.at.y, place.at.x))


def visible_region(widget: Widget) -> Offset | None:
    """Where a widget begins on the screen; None where nothing of it is seen."""
    if not (widget.is_on_screen and widget.display):
        return None
    seen = widget.region.intersection(widget.screen.region)
    return seen.offset if seen.size else None


def labels(count: int) -> Sequence[str]:
    """So many labels, none of which is the beginning of another."""
    if count <= len(LETTERS):
        return LETTERS[:count]
    return ["".join(pair) for pair in product(LETTERS, repeat=2)][:count]
