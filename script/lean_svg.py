"""A terminal's picture as rich exports it, made smaller and independent of fonts.

rich puts every line's blanks into the text, relies on ``textLength`` and asks a server for its
font. Here each piece of text between blanks has a place of its own, so that renderers that know
no ``textLength`` (librsvg) show it right too, and the font is one that the viewer has.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from rich.cells import cell_len

CELL = 12.2
"""The width of a character cell in rich's pictures, in their units."""

FONTS = "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"
SIZE = 20.26
"""The font size, in pixels, at which the first of these is a cell wide: 0.602 of it."""

_TEXT = re.compile(
    r'<text class="(?P<style>[\w-]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="[\d.]+"'
    r' clip-path="[^"]*">(?P<text>[^<]*)</text>\n?'
)
_RECTANGLE = re.compile(
    r'<rect fill="(?P<fill>#\w+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" width="(?P<width>[\d.]+)"'
    r' height="(?P<height>[\d.]+)" shape-rendering="crispEdges"/>'
)
_WORDS = re.compile(r"[^\xa0\n]+(?:\xa0[^\xa0\n]+)*")


def lean(svg: str) -> str:
    """The same picture in less."""
    for useless in (
        r"@font-face \{.*?\}",
        r"<!--.*?-->",
        r'<clipPath id="[\w-]+-line-\d+">.*?</clipPath>',
        r'<g transform="translate\(26,22\)">.*?</g>',  # the buttons of a window
    ):
        svg = re.sub(useless, "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")
    svg = svg.replace("font-size: 20px", f"font-size: {SIZE}px")
    svg = _TEXT.sub(lambda found: "".join(_pieces(found)), svg)
    svg = _merge_rectangles(svg)
    svg = re.sub(r"terminal-\d+-", "t-", svg)
    return re.sub(r"\s*\n\s*", "\n", svg).strip() + "\n"


def _pieces(text: re.Match[str]) -> Iterator[str]:
    """What stands between two or more blanks, each at its place and as wide as its cells."""
    content = html.unescape(text["text"])
    for words in _WORDS.finditer(content):
        x = float(text["x"]) + CELL * cell_len(content[: words.start()])
        width = CELL * cell_len(words[0])
        shown = html.escape(words[0].replace("\xa0", " "), quote=False)
        yield (
            f'<text class="{text["style"]}" x="{x:g}" y="{text["y"]}" textLength="{width:g}">'
            f"{shown}</text>\n"
        )


def _merge_rectangles(svg: str) -> str:
    """Neighbours of one colour become one; those of the most frequent colour one for all."""
    found = [match.groupdict() for match in _RECTANGLE.finditer(svg)]
    if not found:
        return svg
    area: dict[str, float] = {}
    for one in found:
        area[one["fill"]] = area.get(one["fill"], 0) + float(one["width"])
    ground = max(area, key=lambda fill: area[fill])
    right = max(float(one["x"]) + float(one["width"]) for one in found)
    bottom = max(float(one["y"]) + float(one["height"]) for one in found)
    parts = [f'<rect fill="{ground}" width="{right:g}" height="{bottom:g}"/>']
    merged: list[dict[str, str]] = []
    for one in found:
        last = merged[-1] if merged else None
        if (
            last is not None
            and (last["fill"], last["y"]) == (one["fill"], one["y"])
            and abs(float(last["x"]) + float(last["width"]) - float(one["x"])) < 1
        ):
            last["width"] = f"{float(last['width']) + float(one['width']):g}"
        else:
            merged.append(dict(one))
    parts += [
        f'<rect fill="{one["fill"]}" x="{one["x"]}" y="{one["y"]}" width="{one["width"]}"'
        f' height="{one["height"]}" shape-rendering="crispEdges"/>'
        for one in merged
        if one["fill"] != ground
    ]
    first = _RECTANGLE.search(svg)
    start = first.start() if first else 0
    return svg[:start] + "\n".join(parts) + _RECTANGLE.sub("", svg[start:])
