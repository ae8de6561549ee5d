"""Where each element and comment of a document stands, and whether its tags are in balance.

An XML parser tells the line in which a start tag ends, no columns, and stops at the first tag
that is out of place. This pass over the text knows both ends of every element, and finds all tags
that don't match, with what was probably meant.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from vnet_tui.engine.errors import Problem
from vnet_tui.engine.xml.limits import MAX_DEPTH, MAX_NODES, MAX_PROBLEMS, MAX_TAG

# The outer repetition isn't possessive: before 3.11.5 Python gets that wrong over alternatives. It
# needn't be, since no part that it gives back could be matched in another way.
_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[^\s<>/="'!?&]++)"""
    r"""(?:[^<>"'/]++|"[^"<]*+"|'[^'<]*+'|/(?!>))*(?P<empty>/?)>"""
)
_REST_OF_LINE_IS_BLANK = re.compile(r"[ \t]*+(?:\n|\Z)")
_OPAQUE = (("<!--", "-->", "comment"), ("<![CDATA[", "]]>", "CDATA section"), ("<?", "?>", "<?"))
_SIMILAR = 0.7
"""How alike (difflib's ratio) two names are when one is taken for a slip of the other."""


@dataclass(slots=True)
class Place:
    """An element or comment: offsets of its first character, of the end of its (start) tag, and of
    its own end.

    ``tails`` tells of a comment that it ends a line that has a tag before it: such a comment is
    about that tag.
    """

    start: int
    tag_end: int
    end: int
    tails: bool = False


@dataclass(slots=True)
class Scan:
    """What the pass found. ``places`` are in document order.

    ``fatal`` problems forbid to show the document to a parser; ``unbalanced`` are about tags and
    hold only while ``broken`` is False: it tells of something that is no tag at all, where the
    pass ended and a parser will, too.
    """

    text: str
    newlines: list[int]
    places: list[Place] = field(default_factory=list)
    fatal: list[Problem] = field(default_factory=list)
    unbalanced: list[Problem] = field(default_factory=list)
    broken: bool = False

    def line(self, offset: int) -> int:
        """The line of a character, from 1."""
        return bisect_right(self.newlines, offset - 1) + 1

    def column(self, offset: int) -> int:
        """The column of a character, from 1."""
        line = bisect_right(self.newlines, offset - 1)
        return offset - (self.newlines[line - 1] if line else -1)


@dataclass(slots=True)
class _Open:
    """A start tag whose end tag hasn't come yet."""

    name: str
    place: Place
    has_children: bool = False


def scan(text: str) -> Scan:
    """Go through a document once. Linear in its length, whatever it holds."""
    found = Scan(text, [match.start() for match in re.finditer("\n", text)])
    _Scanner(found).run()
    return found


class _Scanner:
    def __init__(self, found: Scan) -> None:
        self._scan = found
        self._stack: list[_Open] = []
        self._last_tag_end = 0

    def run(self) -> None:
        text = self._scan.text
        at = text.find("<")
        while at >= 0 and not self._done:
            if (after := self._opaque(at)) is None:
                tag = _TAG.match(text, at)
                if tag is None:
                    self._not_a_tag(at)
                    after = at + 1
                else:
                    self._tag(tag)
                    self._last_tag_end = after = tag.end()
            if len(self._scan.places) > MAX_NODES:
                self._fatal(
                    at,
                    f"the document has more than {MAX_NODES} elements and comments (MAX_NODES)",
                    "divide the network into several",
                )
            at = text.find("<", after)
        self._close_down_to(0, None)

    @property
    def _done(self) -> bool:
        """Whether there is nothing more to learn."""
        found = self._scan
        return bool(found.fatal) or found.broken or len(found.unbalanced) > MAX_PROBLEMS

    def _fatal(self, at: int, message: str, remedy: str) -> None:
        self._scan.fatal.append(self._problem(at, message, remedy))

    def _problem(self, at: int, message: str, remedy: str) -> Problem:
        line, column = self._scan.line(at), self._scan.column(at)
        return Problem(message=message, remedy=remedy, line=line, column=column)

    def _opaque(self, at: int) -> int | None:
        """Where a comment, CDATA section or processing instruction that begins here ends."""
        text = self._scan.text
        if text[at + 1 : at + 2] not in ("!", "?"):
            return None
        for begin, end, what in _OPAQUE:
            if not text.startswith(begin, at):
                continue
            found = text.find(end, at + len(begin))
            if found < 0:
                self._fatal(at, f"this {what} never ends", f"write {end} where it ends")
                return len(text)
            after = found + len(end)
            if begin == "<!--":
                same_line = self._scan.line(at) == self._scan.line(self._last_tag_end)
                tails = bool(
                    same_line and self._last_tag_end and _REST_OF_LINE_IS_BLANK.match(text, after)
                )
                self._scan.places.append(Place(at, after, after, tails))
            return after
        return None

    def _not_a_tag(self, at: int) -> None:
        if self._scan.text.startswith("<!DOCTYPE", at):
            self._fatal(
                at,
                "a <!DOCTYPE> (entities, external files) isn't allowed in a network's document",
                "delete it, and write out what its entities stand for",
            )
        self._scan.broken = True

    def _tag(self, tag: re.Match[str]) -> None:
        name = tag["name"]
        if tag["end"]:
            self._end_tag(name, tag)
            return
        place = Place(tag.start(), tag.end(), tag.end())
        self._scan.places.append(place)
        if self._stack:
            self._stack[-1].has_children = True
        if not tag["empty"]:
            self._stack.append(_Open(name, place))
        if tag.end() - tag.start() > MAX_TAG:
            self._fatal(
                tag.start(),
                f"the tag <{name[:40]}> has more than {MAX_TAG} characters (MAX_TAG)",
                "check that the document is that of a network",
            )
        if len(self._stack) + bool(tag["empty"]) > MAX_DEPTH:
            self._fatal(
                tag.start(),
                f"elements are nested more than {MAX_DEPTH} deep (MAX_DEPTH)",
                "check that the document is that of a network",
            )

    def _end_tag(self, name: str, tag: re.Match[str]) -> None:
        if self._stack and self._stack[-1].name == name:
            self._stack.pop().place.end = tag.end()
            return
        depth = next(
            (n for n in range(len(self._stack) - 1, -1, -1) if self._stack[n].name == name), None
        )
        if depth is not None:
            self._close_down_to(depth + 1, tag)
            if self._stack:
                self._stack.pop().place.end = tag.end()
            return
        meant = self._stack[-1] if self._stack else None
        if meant is not None and _alike(name, meant.name):
            self._unbalanced(
                tag.start(),
                f"</{name}> closes nothing, while <{meant.name}> of line {self._line(meant)} is "
                "open",
                f"probably </{meant.name}> is meant",
            )
            self._stack.pop().place.end = tag.end()
        elif meant is not None:
            self._unbalanced(
                tag.start(),
                f"</{name}> closes nothing: the element that is open is <{meant.name}> of line "
                f"{self._line(meant)}",
                f"delete it, or write </{meant.name}>",
            )
        else:
            self._unbalanced(tag.start(), f"</{name}> closes nothing", "delete it")

    def _close_down_to(self, depth: int, tag: re.Match[str] | None) -> None:
        """Report the elements above ``depth`` that were still open at an end tag, or at the end."""
        before = f"</{tag['name']}> of line {self._scan.line(tag.start())}" if tag else "the end"
        while len(self._stack) > depth:
            top = self._stack.pop()
            below = self._stack[-1] if self._stack else None
            if below is not None and below.name == top.name:
                # An element never holds one of its own name: the slash was forgotten.
                self._stack.pop()
                self._unbalanced(
                    top.place.start,
                    f"<{top.name}> opens another one inside that of line {self._line(below)}, and "
                    "neither is closed",
                    f"probably </{top.name}> is meant",
                )
                continue
            shorter = "" if top.has_children else f", or <{top.name} …/> if it holds nothing"
            self._unbalanced(
                top.place.start,
                f"<{top.name}> isn't closed before {before}",
                f"write </{top.name}> where it ends{shorter}",
            )

    def _unbalanced(self, at: int, message: str, remedy: str) -> None:
        self._scan.unbalanced.append(self._problem(at, message, remedy))

    def _line(self, element: _Open) -> int:
        return self._scan.line(element.place.start)


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one.lower(), other.lower()).ratio() >= _SIMILAR
