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
    """What makes rows of others."""
    out = _Output(len(wanted[0]) if wanted else 0)
    for y, (old, new) in enumerate(zip(shown, wanted, strict=True)):
        if old is not new and old != new:
            _write_line(out, y, old, new)
    return out.end()


def _write_line(out: _Output, y: int, shown: Row, wanted: Row) -> None:
    """Write what differs of a line."""
    x, width = 0, len(wanted)
    while x < width:
        if shown[x] == wanted[x]:
            x += 1
            continue
        while not wanted[x].text and x > 0:
            x -= 1  # a wide character is written from its first cell
        end = x + 1
        while end < width and (shown[end] != wanted[end] or not wanted[end].text):
            end += 1
        out.go(y, x, bridge=wanted[max(0, out.x) : x] if out.y == y else None)
        out.put(wanted[x:end])
        x = end


class _Output:
    """Escape sequences in the making: where the cursor is, and with what pen."""

    def __init__(self, width: int) -> None:
        self.x = -1
        self.y = -1
        self._width = width
        self._pen = PLAIN
        self._parts: list[str] = []

    def go(self, y: int, x: int, bridge: list[Glyph] | None) -> None:
        """Bring the cursor to a cell; ``bridge`` is what stands between, on the same line."""
        if (y, x) == (self.y, self.x):
            return
        if y == self.y and self.x < x:
            if (
                bridge is not None
                and 0 < len(bridge) == x - self.x <= SHORT_GAP
                and all(glyph.text and _same(self._pen, glyph) for glyph in bridge)
            ):
                self.put(bridge)
                return
            self._parts.append(f"\x1b[{x + 1}G")
        else:
            self._parts.append(f"\x1b[{y + 1};{x + 1}H")
        self.y, self.x = y, x

    def put(self, glyphs: list[Glyph]) -> None:
        """Write cells one after the other. After the last one of a line nobody knows where the
        cursor is."""
        pen = self._pen
        append = self._parts.append
        for glyph in glyphs:
            if glyph.pen is not pen and glyph.text and not _same(pen, glyph):
                append(_switch(pen, glyph.pen))
                pen = glyph.pen
            append(glyph.text)
        self._pen = pen
        self.x += len(glyphs)
        if self.x >= self._width:
            self.y = -1

    def end(self) -> str:
        """Everything, with the pen put away."""
        if self._pen != PLAIN:
            self._parts.append("\x1b[0m")
        return "".join(self._parts)


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
    """The sequence from one pen to another. Attributes can only be taken away all at once."""
    if old.attributes != new.attributes:
        return f"\x1b[{';'.join(part for part in ('0', *new) if part)}m"
    changes = []
    if old.foreground != new.foreground:
        changes.append(new.foreground or "39")
    if old.background != new.background:
        changes.append(new.background or "49")
    return f"\x1b[{';'.join(changes)}m"
