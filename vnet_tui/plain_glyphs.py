"""ASCII in place of what a terminal can't draw: every glyph by another one of the same width.

The font of a Linux console has at most 512 glyphs, and which they are is the administrator's
choice (console_codes(4), setfont(8)); ASCII is in all of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

SIGNS = {
    **dict.fromkeys("─━═╌┄┈╴╶╸╺", "-"),
    **dict.fromkeys("│┃║╎┆┊╵╷╹╻▏▎▍▌▐▕▊▋▉", "|"),
    **dict.fromkeys("▁▂▔", "_"),
    **dict.fromkeys("▃▄", "."),
    **dict.fromkeys("▅▆", "o"),
    **dict.fromkeys("▇█▓■◼", "#"),
    **dict.fromkeys("▀", "'"),
    **dict.fromkeys("░", ":"),
    **dict.fromkeys("▒", "%"),
    **dict.fromkeys("↓▼▾⯆", "v"),
    **dict.fromkeys("↑▲▴⯅⇧", "^"),
    **dict.fromkeys("→▶▸▷❯›»", ">"),
    **dict.fromkeys("←◀◂◁❮‹«↶", "<"),
    **dict.fromkeys("↔↕", "|"),
    **dict.fromkeys("⏎↵", "/"),
    **dict.fromkeys("–—‐‑−", "-"),
    **dict.fromkeys("·•∙⋅", "."),
    "…": "~",
    "✗": "x",
    "✘": "x",
    "×": "x",
    "✓": "+",
    "✔": "+",
    "●": "*",
    "◉": "*",
    "○": "o",
    "◌": "?",
    "◐": "%",
    "◇": "?",
    "◆": "*",
    "✎": "*",
    "◷": "@",
    "⊘": "/",
    "⚠": "!",
    "≈": "~",
    "≤": "<",
    "≥": ">",
    "Δ": "d",
    "µ": "u",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "\u00a0": " ",
}
"""What the interface is drawn with, and what stands for it. Corners and crossings of boxes are
``+``, braille goes by how full a cell is."""

_BRAILLE_LOW, _BRAILLE_HIGH = 0b11100100, 0b00011011
_FULL = " .:;+=*##"


def needs_ascii(choice: str, environ: Mapping[str, str]) -> bool:
    """Whether to draw with ASCII alone; ``choice`` is on, off or auto."""
    return choice == "on" or (choice == "auto" and environ.get("TERM") == "linux")


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """The text in ASCII, as many cells wide. What has no counterpart is a question mark."""
    return text if text.isascii() else "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character.isascii():
        return character
    if (sign := SIGNS.get(character)) is not None:
        return sign
    code = ord(character)
    if 0x2500 <= code <= 0x257F:
        return "+"
    if 0x2580 <= code <= 0x259F:
        return "#"
    if 0x2800 <= code <= 0x28FF:
        return _braille(code - 0x2800)
    letter = unicodedata.normalize("NFD", character)[0]
    return letter if letter.isascii() else "?" * cell_len(character)


def _braille(dots: int) -> str:
    """By the number of dots; few of them by whether they are high or low."""
    if dots and dots.bit_count() <= 2:
        if not dots & _BRAILLE_LOW:
            return "'"
        if not dots & _BRAILLE_HIGH:
            return "."
    return _FULL[dots.bit_count()]


class PlainGlyphs(LineFilter):
    """Everything that widgets draw, in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same segments, with plain text."""
        return [
            segment if segment.text.isascii() else Segment(plain(segment.text), *segment[1:])
            for segment in segments
        ]
