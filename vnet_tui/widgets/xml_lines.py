"""XML cut into pieces for colouring, line by line: no parser, so no document can harm it.

It colours text, it judges nothing: what it can't make sense of comes out as plain text, and the
pieces of a line always add up to that line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum


class Piece(StrEnum):
    """What a stretch of a document is."""

    TEXT = "text"
    MARK = "mark"
    TAG = "tag"
    ATTRIBUTE = "attribute"
    VALUE = "value"
    COMMENT = "comment"


_CONTENT = re.compile(r"(?P<comment><!--)|(?P<special><[!?])|(?P<open></?)|(?P<text>[^<]+)")
_COMMENT_END = re.compile(r"-->")
_SPECIAL_END = re.compile(r">")
_INSIDE = re.compile(
    r"(?P<close>/?>)|(?P<value>\"[^\"]*\"?|'[^']*'?)|(?P<mark>[=/<])"
    r"|(?P<name>[^\s=/<>\"']+)|(?P<space>\s+)"
)


_WHOLE = re.compile(r"[^<]*(?:<(?![!?])[^<>\"']*(?:\"[^\"]*\"[^<>\"']*)*>[^<]*)*", re.ASCII)
"""A line of text and whole tags: whoever begins in content, ends there. Most lines are such."""


def highlight(document: str) -> Iterator[list[tuple[Piece, str]]]:
    """The lines of a document, each as its pieces in order."""
    state = _State()
    for line in document.split("\n"):
        yield list(state.pieces(line))


def first_change(before: Sequence[str], after: Sequence[str]) -> int:
    """How many lines, from the first on, are the same."""
    both = enumerate(zip(before, after, strict=False))
    return next((at for at, (old, new) in both if old != new), min(len(before), len(after)))


class Highlights:
    """The pieces of a document's lines, cut when they are looked at."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._begins = [_State()]
        """What each line begins inside of, as far as anybody has looked."""

    def update(self, lines: Sequence[str]) -> None:
        """Another document: what is known of the lines before the first that differs stays."""
        same = next(
            (
                at
                for at, (old, new) in enumerate(zip(self._lines, lines, strict=False))
                if old != new
            ),
            min(len(self._lines), len(lines)),
        )
        del self._begins[same + 1 :]
        self._lines = list(lines)

    def pieces(self, line: int) -> list[tuple[Piece, str]]:
        """A line in pieces, counted from 0; none where there is no such line."""
        if line >= len(self._lines):
            return []
        while len(self._begins) <= line:
            before = self._begins[-1]
            self._begins.append(before.after(self._lines[len(self._begins) - 1]))
        return list(self._begins[line].copy().pieces(self._lines[line]))


class _State:
    """What a line begins inside of: content, a tag, a comment, or a declaration."""

    def __init__(self, inside: str = "content", *, expect_tag: bool = False) -> None:
        self._inside = inside
        self._expect_tag = expect_tag

    def copy(self) -> _State:
        """One that goes on by itself."""
        return _State(self._inside, expect_tag=self._expect_tag)

    def after(self, line: str) -> _State:
        """What the next line begins inside of."""
        if self._inside == "content" and _WHOLE.fullmatch(line):
            return self
        state = self.copy()
        for _ in state.pieces(line):
            pass
        return state

    def pieces(self, line: str) -> Iterator[tuple[Piece, str]]:
        position = 0
        while position < len(line):
            start = position
            if self._inside == "content":
                position, piece = self._content(line, position)
            elif self._inside == "tag":
                position, piece = self._tag(line, position)
            else:
                ending = _COMMENT_END if self._inside == "comment" else _SPECIAL_END
                found = ending.search(line, position)
                position = found.end() if found else len(line)
                piece = Piece.COMMENT if self._inside == "comment" else Piece.MARK
                if found:
                    self._inside = "content"
            yield piece, line[start:position]

    def _content(self, line: str, position: int) -> tuple[int, Piece]:
        match = _CONTENT.match(line, position)
        assert match is not None  # noqa: S101 - a "<" is an opening, all else is text
        if match["text"]:
            return match.end(), Piece.TEXT
        if match["open"]:
            self._inside, self._expect_tag = "tag", True
            return match.end(), Piece.MARK
        self._inside = "comment" if match["comment"] else "special"
        return match.end(), Piece.COMMENT if match["comment"] else Piece.MARK

    def _tag(self, line: str, position: int) -> tuple[int, Piece]:
        match = _INSIDE.match(line, position)
        assert match is not None  # noqa: S101 - the alternatives cover every character
        if match["close"]:
            self._inside = "content"
            return match.end(), Piece.MARK
        if match["value"]:
            return match.end(), Piece.VALUE
        if match["name"]:
            first, self._expect_tag = self._expect_tag, False
            return match.end(), Piece.TAG if first else Piece.ATTRIBUTE
        return match.end(), Piece.MARK if match["mark"] else Piece.TEXT
