"""What goes to the terminal: only the cells that look other than they do.

Textual writes a changed region from the left edge of its widget on, with every colour spelled out
and reset again. On a slow link that is most of the traffic. Here what the terminal shows is
remembered, and an update is reduced to its difference: the cursor is moved to each run of changed
cells, and a colour is named only when it is another than the last. Lines that only moved the
terminal is asked to move, where less is written so.

This knows the inside of Textual's compositor (``ChopsUpdate``, ``LayoutUpdate``), of the versions
that the package allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Size
from textual.strip import Strip

from vnet_tui.shifting import shift

SHORT_GAP = 4
"""So many unchanged cells are written again rather than jumped over: a jump takes as many bytes."""

FEW_SWITCHES = 4
"""With more changes of the pen it may take less to write all that one pen writes, wherever it
stands, and then go on to the next: a colour takes four times the bytes of a jump."""

LONG = 1000
"""From so many characters on it is looked whether lines only moved."""


class Pen(NamedTuple):
    """How a cell is drawn: the parameters of SGR (ECMA-48, 8.3.117) for its attributes, its
    foreground and its background; empty: the terminal's own."""

    attributes: str = ""
    foreground: str = ""
    background: str = ""


PLAIN = Pen()
VISIBLE_ON_BLANKS = frozenset({"4", "7", "9", "21", "53"})
"""Attributes that show where there is no character: lines and reverse."""

TAKEN_AWAY = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27", "9": "29"}
"""What ends an attribute and leaves the others: weight, italics, lines and reverse."""


class Glyph(NamedTuple):
    """What one cell of the terminal shows. The second cell of a wide character has no text."""

    text: str
    pen: Pen


UNKNOWN = Glyph("?", Pen("unknown"))
"""A cell of which nobody knows what it shows."""

Row = list[Glyph]


class Wire:
    """Remembers what a terminal shows, and reduces updates to what differs."""

    def __init__(self) -> None:
        self._size = Size(0, 0)
        self._shown: list[Row] = []

    def forget(self) -> None:
        """Somebody else wrote to the terminal: nothing is known of what it shows."""
        width, height = self._size
        self._shown = [[UNKNOWN] * width for _ in range(height)]

    def difference(self, update: ChopsUpdate | LayoutUpdate, size: Size, console: Console) -> str:
        """What to write for an update; from now on it counts as shown. Empty: nothing differs."""
        colors = console._color_system or ColorSystem.TRUECOLOR
        if size != self._size:
            self._size = size
            self.forget()
        shown, wanted = self._shown, self._wanted(update, colors)
        changed = [y for y, row in enumerate(wanted) if row is not shown[y] and row != shown[y]]
        self._shown = wanted
        text = _written(shown, wanted)
        if len(text) < LONG:
            return text
        moved = shift(shown, wanted, changed)
        if moved is None or any(UNKNOWN in row for row in wanted[moved.top : moved.bottom]):
            return text
        left = moved.applied(shown, [UNKNOWN] * size.width)
        return min(text, f"{moved}{_written(left, wanted)}", key=len)

    def _wanted(self, update: ChopsUpdate | LayoutUpdate, colors: ColorSystem) -> list[Row]:
        """The rows after an update; those that it doesn't touch are the ones that are shown."""
        width, height = self._size
        rows = self._shown.copy()
        for y, x, strips in _pieces(update):
            if 0 <= y < height:
                piece = [glyph for strip in strips for glyph in _glyphs(strip, colors)]
                rows[y] = [*rows[y][:x], *piece, *rows[y][x + len(piece) :]][:width]
        return rows


def _written(shown: Sequence[Row], wanted: Sequence[Row]) -> str:
    """What makes rows of others: written from place to place, or, where there are many pens, with
    one after the other."""
    spans = [
        (y, x, end)
        for y, (old, new) in enumerate(zip(shown, wanted, strict=True))
        if old is not new and old != new
        for x, end in _differing(old, new)
    ]
    out = _Output(wanted)
    for y, x, end in spans:
        out.put(y, x, end)
    text = out.end()
    if out.switches <= FEW_SWITCHES:
        return text
    runs: dict[Pen, list[tuple[int, int, int]]] = {}
    for y, first, last in spans:
        for pen, x, end in _runs(wanted[y], first, last):
            runs.setdefault(pen, []).append((y, x, end))
    out = _Output(wanted)
    for pen in sorted(runs, key=lambda one: (one.background, one.foreground, one.attributes)):
        out.take(pen)
        for y, x, end in runs[pen]:
            out.put(y, x, end)
    return min(text, out.end(), key=len)


def _differing(shown: Row, wanted: Row) -> Iterator[tuple[int, int]]:
    """From where to where (exclusive) a line differs. A wide character is written from its first
    cell, and whole."""
    x, width = 0, len(wanted)
    while x < width:
        if shown[x] == wanted[x]:
            x += 1
            continue
        while not wanted[x].text and x > 0:
            x -= 1
        end = x + 1
        while end < width and (shown[end] != wanted[end] or not wanted[end].text):
            end += 1
        yield x, end
        x = end


def _runs(row: Row, first: int, last: int) -> Iterator[tuple[Pen, int, int]]:
    """A part of a line, cut where one pen doesn't do for what follows. Blanks do with any that has
    their background."""
    pen, begin = row[first].pen, first
    blank = True
    for x in range(first, last):
        glyph = row[x]
        if not glyph.text or _same(pen, glyph):
            blank = blank and glyph.text == " "
            continue
        if not (blank and pen == Pen(background=glyph.pen.background)):
            yield pen, begin, x
            begin = x
        pen, blank = glyph.pen, glyph.text == " "
    yield pen, begin, last


class _Output:
    """Escape sequences in the making: where the cursor is, and with what pen."""

    def __init__(self, wanted: Sequence[Row]) -> None:
        self.switches = 0
        """How often the pen was changed."""
        self._wanted = wanted
        self._x = -1
        self._y = -1
        self._pen = PLAIN
        self._parts: list[str] = []

    def put(self, y: int, x: int, end: int) -> None:
        """Write a part of a line. After the last cell of a line nobody knows where the cursor
        is."""
        row = self._wanted[y]
        self._write(row[self._go(y, x) : end])
        self._y, self._x = (y, end) if end < len(row) else (-1, -1)

    def take(self, pen: Pen) -> None:
        """Write with a pen from now on."""
        if pen != self._pen:
            self._parts.append(_switch(self._pen, pen))
            self._pen = pen
            self.switches += 1

    def end(self) -> str:
        """Everything, with the pen put away."""
        if self._pen != PLAIN:
            self._parts.append("\x1b[0m")
        return "".join(self._parts)

    def _go(self, y: int, x: int) -> int:
        """Bring the cursor to a cell, or to one before it on the same line, from which it is as
        short to write; where it is then."""
        if y != self._y:
            self._parts.append(f"\x1b[{y + 1};{x + 1}H")
        elif x != self._x:
            between = self._wanted[y][self._x : x]
            if 0 < len(between) <= SHORT_GAP and all(
                glyph.text and _same(self._pen, glyph) for glyph in between
            ):
                return self._x
            ways = [f"\x1b[{x + 1}G", f"\x1b[{x - self._x}C"][: 1 + (x > self._x)]
            self._parts.append(min(ways, key=len))
        return x

    def _write(self, glyphs: Iterable[Glyph]) -> None:
        for glyph in glyphs:
            if glyph.pen is not self._pen and glyph.text and not _same(self._pen, glyph):
                self.take(glyph.pen)
            self._parts.append(glyph.text)


class LeanUpdate(CompositorUpdate):
    """A difference, ready to be written."""

    def __init__(self, difference: str) -> None:
        self._difference = difference

    def render_segments(self, console: Console) -> str:  # noqa: ARG002 - its colours are in it
        """The difference, as the application writes it."""
        return self._difference

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The same for Rich: text that is not to be touched."""
        yield Segment(self._difference, None, [])


def _pieces(update: ChopsUpdate | LayoutUpdate) -> Iterator[tuple[int, int, Iterable[Strip]]]:
    """What an update covers: line, first cell, and the strips from there on."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            yield y, update.region.x, line
        return
    for y, first, last in update.spans:
        for (x, strip), end in zip(update.chops[y].items(), update.chop_ends[y], strict=False):
            if strip is not None and x < last and end > first:
                left, right = max(x, first), min(end, last)
                yield y, left, [strip.crop(left - x, right - x)]


def _glyphs(strip: Strip, colors: ColorSystem) -> Iterator[Glyph]:
    for text, style, control in strip:
        if control:
            continue
        pen = PLAIN if style is None else _pen(style, colors)
        if text.isascii():
            yield from [_glyph(character, pen) for character in text]
        else:
            yield from _wide_glyphs(text, pen)


def _wide_glyphs(text: str, pen: Pen) -> Iterator[Glyph]:
    """Characters that take two cells, or none: those go with the one before them."""
    waiting = ""
    width = 0
    for character in text:
        size = get_character_cell_size(character)
        if size == 0:
            waiting += character
            continue
        if waiting:
            yield from _cells(waiting, width, pen)
        waiting, width = character, size
    if waiting:
        yield from _cells(waiting, max(1, width), pen)


def _cells(text: str, width: int, pen: Pen) -> Iterator[Glyph]:
    yield _glyph(text, pen)
    if width == 2:
        yield Glyph("", pen)


@lru_cache(maxsize=8192)
def _glyph(text: str, pen: Pen) -> Glyph:
    """A cell; the colour of a blank's ink doesn't count, since it has none."""
    if text == " " and VISIBLE_ON_BLANKS.isdisjoint(pen.attributes.split(";")):
        return Glyph(text, Pen(background=pen.background))
    return Glyph(text, pen)


@lru_cache(maxsize=4096)
def _pen(style: Style, colors: ColorSystem) -> Pen:
    ink = Style(color=style.color) if style.color else None
    paper = Style(bgcolor=style.bgcolor) if style.bgcolor else None
    attributes = style.without_color
    return Pen(
        Strip.render_ansi(attributes, colors),
        Strip.render_ansi(ink, colors) if ink else "",
        Strip.render_ansi(paper, colors) if paper else "",
    )


@lru_cache(maxsize=8192)
def _same(pen: Pen, glyph: Glyph) -> bool:
    """Whether a character written with a pen looks as wanted."""
    if pen == glyph.pen:
        return True
    return (
        glyph.text == " "
        and not glyph.pen.attributes
        and pen.background == glyph.pen.background
        and VISIBLE_ON_BLANKS.isdisjoint(pen.attributes.split(";"))
    )


@lru_cache(maxsize=4096)
def _switch(old: Pen, new: Pen) -> str:
    """The shortest sequence from one pen to another: all of it anew, or what differs, where the
    attributes that it takes away can be taken away by themselves."""
    ways = [["0", *filter(None, new)]]
    before, after = (set(pen.attributes.split(";")) - {""} for pen in (old, new))
    if before - after <= TAKEN_AWAY.keys():
        off = {TAKEN_AWAY[attribute] for attribute in before - after}
        kept = {attribute for attribute in before & after if TAKEN_AWAY.get(attribute) not in off}
        changes = [*sorted(off), *sorted(after - kept)]
        if old.foreground != new.foreground:
            changes.append(new.foreground or "39")
        if old.background != new.background:
            changes.append(new.background or "49")
        ways.append(changes)
    return min((f"\x1b[{';'.join(way)}m" for way in ways), key=len)
