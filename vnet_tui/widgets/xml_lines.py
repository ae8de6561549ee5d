"""XML cut into pieces for colouring, line by line: no parser, so no document can harm it.

It colours text, it judges nothing: what it can't make sense of comes out as plain text, and the
pieces of a line always add up to that line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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


def highlight(document: str) -> Iterator[list[tuple[Piece, str]]]:
    """The lines of a document, each as its pieces in order."""
    state = _State()
    for line in document.split("\n"):
        yield list(state.pieces(line))


class _State:
    """What a line begins inside of: content, a tag, a comment, or a declaration."""

    def __init__(self) -> None:
        self._inside = "content"
        self._expect_tag = False

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
