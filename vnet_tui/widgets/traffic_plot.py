"""A history of traffic as rows of characters: *in* above a time axis, *out* mirrored below it.

Pure: values and sizes to text, so that it can be tested without a terminal. Each character is a
braille pattern (Unicode block U+2800) and so holds two columns of four dots. A column stands for
a fixed stretch of absolute time, not for a distance from now: as time goes on, the picture moves
by whole characters, and between two moves only the newest character can change.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SPAN = 600.0
"""How much time a plot covers, in seconds: what the engine keeps."""

HOLD = 2.5
"""A value stands until the next one comes, but at most this many seconds: samples come once a
second, and a column can be narrower than the jitter between two of them."""

SET_BACK = 10.0
"""A sample that is so many seconds older than the last one means that the clock was set back."""

SMALLEST_SCALE = 1000.0
"""The end of the axis when next to nothing flows, in bits a second."""

_RISING = ((0x00, 0x40, 0x44, 0x46, 0x47), (0x00, 0x80, 0xA0, 0xB0, 0xB8))
_FALLING = ((0x00, 0x01, 0x03, 0x07, 0x47), (0x00, 0x08, 0x18, 0x38, 0xB8))
"""The dots of a left and a right column that is filled with 0 to 4 dots from its base."""


@dataclass(frozen=True, slots=True)
class Column:
    """The highest rates in one stretch of time, in bits a second."""

    in_bits: float
    out_bits: float


class Columns:
    """The last ``2 * cells`` columns of a plot that is ``cells`` characters wide.

    Points come in the order of their times; a point that is not later than the one before it is
    passed over, so that a history and the samples that overlap with it can be added one after the
    other.
    """

    def __init__(self, cells: int) -> None:
        self.cells = max(1, cells)
        self.seconds = max(1.0, SPAN / (2 * self.cells))
        self._columns: deque[Column | None] = deque(maxlen=2 * self.cells)
        self._newest = -1
        self._time = -math.inf

    def add(self, time: float, in_bits: float, out_bits: float) -> bool:
        """Put in a point; True where a new character has begun, so that the picture moves."""
        if time <= self._time:
            return False
        index = int(time / self.seconds)
        before = self._newest
        column = Column(in_bits, out_bits)
        if index == before and (held := self._columns[-1]) is not None:
            held_up = Column(max(held.in_bits, in_bits), max(held.out_bits, out_bits))
            self._columns[-1] = held_up
        else:
            self._skip_to(index, held=time - self._time <= HOLD)
            self._columns.append(column)
        self._newest = index
        self._time = time
        return index // 2 != before // 2

    def _skip_to(self, index: int, *, held: bool) -> None:
        """Fill the columns between the newest one and ``index``."""
        if not self._columns:
            return
        missing = min(index - self._newest - 1, 2 * self.cells)
        filling = self._columns[-1] if held else None
        self._columns.extend([filling] * missing)

    @property
    def peaks(self) -> tuple[float, float]:
        """The highest rates that are shown, in and out."""
        known = [column for column in self._columns if column]
        return (
            max((column.in_bits for column in known), default=0.0),
            max((column.out_bits for column in known), default=0.0),
        )

    @property
    def known(self) -> int:
        """How many characters, counted from the newest, lie after the first point."""
        if not self._columns:
            return 0
        oldest = self._newest - len(self._columns) + 1
        return min(self.cells, self._newest // 2 - oldest // 2 + 1)

    def visible(self) -> list[Column | None]:
        """Exactly ``2 * cells`` columns, the last pair of them being the newest character."""
        columns = list(self._columns)
        if self._newest % 2 == 0:
            columns.append(None)
        wanted = 2 * self.cells
        return ([None] * (wanted - len(columns)) + columns)[-wanted:]


def nice_scale(peak: float, least: float = SMALLEST_SCALE) -> float:
    """The end of an axis that has room for ``peak``: 1, 2 or 5 times a power of ten."""
    peak = max(peak, least)
    magnitude = 10.0 ** math.floor(math.log10(peak))
    for factor in (1.0, 2.0, 5.0):
        if peak <= factor * magnitude * (1 + 1e-9):
            return factor * magnitude
    return 10.0 * magnitude


@dataclass(frozen=True, slots=True)
class Layout:
    """How many rows each direction has, and up to which rate each reaches: one row stands for the
    same rate in both."""

    in_rows: int
    out_rows: int
    in_scale: float
    out_scale: float


def layout(
    in_peak: float,
    out_peak: float,
    rows: int,
    *,
    least: float = SMALLEST_SCALE,
    top: float | None = None,
) -> Layout:
    """Share ``rows`` (at least 2) among both directions: a quarter for the one that needs no more,
    else halves, of which an odd row is left over. The scale of the greater one is round.

    Where ``top`` is the end of the scale, whatever flows, both have half of the rows.
    """
    if top is not None:
        return Layout(rows // 2, rows // 2, top, top)
    great, small = max(in_peak, out_peak), min(in_peak, out_peak)
    scale = nice_scale(great, least)
    few = rows // 4
    many = rows - few
    if rows < 8 or small * many > scale * few:
        few = many = rows // 2
    other = scale * few / many
    if in_peak >= out_peak:
        return Layout(many, few, scale, other)
    return Layout(few, many, other, scale)


def dots(value: float, scale: float, rows: int) -> int:
    """How many of a column's ``4 * rows`` dots a value fills; whatever flows fills one at least."""
    if value <= 0.0:
        return 0
    return max(1, min(4 * rows, round(value / scale * 4 * rows)))


def bars(
    values: Sequence[float], scale: float, rows: int, *, falling: bool = False
) -> tuple[str, ...]:
    """Columns as ``rows`` strings, topmost first, each of ``(len(values) + 1) // 2`` characters.

    They rise from the lowest row, or fall from the highest.
    """
    filled = [dots(value, scale, rows) for value in values]
    if len(filled) % 2:
        filled.append(0)
    left, right = _FALLING if falling else _RISING
    lines = []
    for row in range(rows):
        base = 4 * (row if falling else rows - 1 - row)
        lines.append(
            "".join(
                _braille(left[_level(a, base)] | right[_level(b, base)])
                for a, b in zip(filled[::2], filled[1::2], strict=True)
            )
        )
    return tuple(lines)


def _level(filled: int, base: int) -> int:
    return max(0, min(4, filled - base))


def _braille(pattern: int) -> str:
    # A space looks like the empty pattern and takes one byte in place of three.
    return chr(0x2800 + pattern) if pattern else " "


def time_axis(cells: int, seconds: float, known: int, end: str = "now") -> str:
    """A line of ``cells`` characters with marks of how long ago; ``seconds`` is a column's, and
    ``end`` the moment at its right end.

    It is whole below the ``known`` last characters, and broken where nothing is known.
    """
    known = max(0, min(cells, known))
    line = ["┄"] * (cells - known) + ["─"] * known
    free = cells - len(end) - 1
    _write(line, free, f" {end}")
    for minutes in _marks(cells):
        label = f" {minutes} min "
        centre = cells - round(minutes * 60 / (2 * seconds))
        start = max(0, centre - len(label) // 2)
        if start + len(label) < free:
            _write(line, start, label if start else label[1:])
            free = start
    return "".join(line)


def _marks(cells: int) -> Iterable[int]:
    return (2, 4, 6, 8, 10) if cells >= 60 else (5, 10)


def _write(line: list[str], start: int, text: str) -> None:
    for offset, char in enumerate(text):
        if 0 <= start + offset < len(line):
            line[start + offset] = char
