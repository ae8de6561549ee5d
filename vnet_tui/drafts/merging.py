"""Two changes of one document, made side by side, brought together where they don't meet. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

Piece = tuple[int, int, tuple[str, ...]]
"""From which line of the base to which (exclusive), and the lines that come in their place."""


def merged(base: str, mine: str, theirs: str) -> str | None:
    """The base with both changes; None where they touch the same lines or neighbours."""
    lines = base.splitlines(keepends=True)
    result: list[str] = []
    done = 0
    last: Piece | None = None
    for piece in sorted({*_pieces(lines, mine), *_pieces(lines, theirs)}):
        start, end, instead = piece
        if last is not None and start <= last[1]:
            return None
        result += [*lines[done:start], *instead]
        done, last = end, piece
    return "".join([*result, *lines[done:]])


def _pieces(lines: list[str], changed: str) -> Iterator[Piece]:
    after = changed.splitlines(keepends=True)
    matcher = SequenceMatcher(None, lines, after, autojunk=False)
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag != "equal":
            yield start, end, tuple(after[first:last])
