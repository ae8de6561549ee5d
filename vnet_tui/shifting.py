"""Rows of a picture that moved up or down together, so that a terminal can move them itself.

Terminals move whole lines only: what stands beside rows that moved has to be written again. And
what moved seldom moved unchanged: a cursor and a scroll bar were drawn over it. So rows are
compared cell by cell, and whether it is worth it is told by what is then written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import ne
from typing import Generic, NamedTuple, TypeVar

Cell = TypeVar("Cell")

PROBES = 3
"""So many of the rows that changed are looked for among those that there were."""

FEWEST = 4
"""So many rows at least move together; a cursor that goes from a row to the next isn't movement."""


class Shift(NamedTuple):
    """The lines from ``top`` to before ``bottom`` move up by so many, or down by as many below 0;
    as many at the other end become empty."""

    top: int
    bottom: int
    by: int

    def __str__(self) -> str:
        """Margins around the lines (DECSTBM), and there lines deleted or inserted at the top (DL,
        IL: ECMA-48, 8.3.32 and 8.3.67). Terminals have these since the VT102; scrolling by a
        number of lines (SU, SD) the Linux console lacks (terminfo(5): no indn). Where the cursor
        is then, terminals don't agree."""
        change = f"{self.by}M" if self.by > 0 else f"{-self.by}L"
        return f"\x1b[{self.top + 1};{self.bottom}r\x1b[{self.top + 1}H\x1b[{change}\x1b[r"

    def applied(self, rows: Sequence[list[Cell]], empty: list[Cell]) -> list[list[Cell]]:
        """What the rows are after it."""
        moved = list(rows[self.top : self.bottom])
        new = [empty] * abs(self.by)
        moved = moved[self.by :] + new if self.by > 0 else new + moved[: self.by]
        return [*rows[: self.top], *moved, *rows[self.bottom :]]


def shift(
    before: Sequence[list[Cell]], after: Sequence[list[Cell]], changed: Sequence[int]
) -> Shift | None:
    """How rows seem to have moved between two pictures that differ in the rows ``changed``."""
    found = _Comparison(before, after)
    distances = {found.distance(changed[len(changed) * n // PROBES]) for n in range(PROBES)} - {0}
    saved, best = max((found.best(by) for by in distances), default=(0, Shift(0, 0, 0)))
    return best if saved > 0 and best.bottom - best.top >= FEWEST else None


class _Comparison(Generic[Cell]):
    """How many cells two pictures differ in, row by row and where rows are laid over others."""

    def __init__(self, before: Sequence[list[Cell]], after: Sequence[list[Cell]]) -> None:
        self._before = before
        self._after = after
        self._staying = [self._differ(y, y) for y in range(len(after))]

    def _differ(self, old: int, new: int) -> int:
        before, after = self._before[old], self._after[new]
        return 0 if before is after else sum(map(ne, before, after))

    def distance(self, y: int) -> int:
        """From how many rows below a row seems to have come."""
        rows = sorted(range(len(self._before)), key=lambda old: abs(old - y))
        return min(rows, key=lambda old: self._differ(old, y)) - y

    def best(self, by: int) -> tuple[int, Shift]:
        """The rows for which it helps most to have moved so far, and the cells that it saves."""
        saved, most, first, chosen = 0, 0, 0, (0, 0)
        for y, gain in self._gains(by):
            if saved <= 0:
                saved, first = 0, y
            saved += gain
            if saved > most:
                most, chosen = saved, (first, y + 1)
        top, bottom = chosen
        return most, Shift(top, bottom + by, by) if by > 0 else Shift(top + by, bottom, by)

    def _gains(self, by: int) -> Iterator[tuple[int, int]]:
        height = len(self._after)
        for y in range(max(0, -by), min(height, height - by)):
            yield y, self._staying[y] - self._differ(y + by, y)
