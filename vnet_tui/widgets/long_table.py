"""A live table whose rows are made when they are looked at: ten thousand cost what a page does."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from vnet_tui.widgets.live_table import Cell, LiveTable

Key = TypeVar("Key", bound=Hashable)


class LongTable(LiveTable[Key]):
    """Rows come with :meth:`make_rows`, all at once, as often as one likes."""

    def make_rows(self, keys: Sequence[Key], make: Callable[[Key], Sequence[Cell]]) -> None:
        """Show these rows; ``make`` gives the cells of one, now or later, until it is called
        again. The cursor stays as with :meth:`set_rows`."""
        wanted = [*keys]
        rows = _Rows(lambda y: tuple(make(wanted[y])))
        if wanted != self._keys:
            self._exchange(wanted, rows)
            return
        top = self.scroll_offset.y
        for y in range(top, min(top + self.size.height, len(wanted))):
            if self._rows[y] != rows[y]:
                self._replace(y, rows[y])
        self._rows = rows


class _Rows(dict[int, tuple[Cell, ...]]):
    """Made one by one, and kept."""

    def __init__(self, make: Callable[[int], tuple[Cell, ...]]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, y: int) -> tuple[Cell, ...]:
        row = self[y] = self._make(y)
        return row
