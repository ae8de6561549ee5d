"""Tables as virsh prints them: a rule below the head, three spaces between columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, quiet: bool = False) -> str:
    """The lines of a table, without a newline at the end; rows only when ``quiet``."""
    shown = rows if quiet else [head, *rows]
    widths = [max(map(_width, column)) for column in zip(*shown, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)
        )
        return (" " + "   ".join(padded)).rstrip()

    lines = [line(cells) for cells in shown]
    if not quiet:
        lines.insert(1, "-" * sum(width + 3 for width in widths))
    return "\n".join(lines)


def _width(text: str) -> int:
    """The columns that a text takes on a terminal (UAX 11; combining marks take none)."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(character)
        else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
