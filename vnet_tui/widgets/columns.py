"""Columns of a table, and how the width of a terminal is shared among them.

Widths follow from the columns and the terminal alone, never from what the cells hold: live
figures move nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ROOMY = 100
"""From this width on, in cells, columns stand two cells apart; below, one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: at least ``width`` cells, of spare room ``grow`` shares (0: none) up to ``most``.

    Where there is too little room columns are left out, those with the highest ``drop`` first;
    those with 0 stay to the last.
    """

    key: str
    label: str
    width: int
    grow: int = 0
    most: int = 1000
    justify: Literal["left", "right"] = "left"
    drop: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """A column that is shown: from cell ``x``, ``width`` cells wide; ``index`` among all."""

    column: Column
    index: int
    x: int
    width: int


def place(columns: Sequence[Column], width: int) -> tuple[Placed, ...]:
    """Where each column goes in ``width`` cells, with a margin of one cell at each side."""
    gap = 2 if width >= ROOMY else 1
    shown = list(enumerate(columns))

    def needed() -> int:
        return sum(column.width for _, column in shown) + gap * (len(shown) - 1) + 2

    while needed() > width:
        expendable = max(shown, key=lambda item: item[1].drop)
        if not expendable[1].drop:
            break
        shown.remove(expendable)
    widths = {index: column.width for index, column in shown}
    spare = width - needed()
    while spare > 0:
        growing = [
            (index, column)
            for index, column in shown
            if column.grow and widths[index] < column.most
        ]
        if not growing:
            break
        shares = sum(column.grow for _, column in growing)
        given = 0
        for index, column in growing:
            more = min(max(1, spare * column.grow // shares), column.most - widths[index])
            more = min(more, spare - given)
            widths[index] += more
            given += more
        spare -= given
    placed, x = [], 1
    for index, column in shown:
        placed.append(Placed(column, index, x, min(widths[index], max(0, width - x))))
        x += widths[index] + gap
    return tuple(placed)
