"""A document as nodes that know where they stand, and that notice what nobody asked them for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import TypedDict, TypeVar

from vnet_tui.engine.errors import Problem
from vnet_tui.engine.xml.limits import MAX_PROBLEMS
from vnet_tui.engine.xml.scan import Place, Scan
from vnet_tui.engine.xml.tree import Xml, is_comment
from vnet_tui.engine.xml.values import trimmed

T = TypeVar("T")

_SHOWN = 40
"""Characters of a wrong value that a message repeats."""


_TOLD = 20
"""Unknown attributes of one element that are told one by one."""


class Written(TypedDict):
    """Where an element began and the comments before it."""

    line: int
    comments: tuple[str, ...]


class WrittenContainer(Written):
    """The same for an element with children."""

    trailing: tuple[str, ...]


class Problems:
    """What is wrong with a document, as it is found; ``lost`` are tags of elements that a wrong
    value made unusable."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._found: list[Problem] = []
        self.lost: set[str] = set()

    def add(self, offset: int, message: str, remedy: str = "") -> None:
        """Something is wrong at a character of the document."""
        line, column = self._scan.line(offset), self._scan.column(offset)
        self._found.append(Problem(message=message, remedy=remedy, line=line, column=column))

    def all(self) -> tuple[Problem, ...]:
        """In the order of the document, at most MAX_PROBLEMS and a last that counts the others."""
        return limited(self._found)


def limited(problems: list[Problem]) -> tuple[Problem, ...]:
    """In the order of the document, at most MAX_PROBLEMS and a last that counts the others."""
    found = sorted(problems, key=lambda problem: (problem.line, problem.column))
    if len(found) <= MAX_PROBLEMS:
        return tuple(found)
    more = Problem(message=f"and {len(found) - MAX_PROBLEMS} problems more (MAX_PROBLEMS)")
    return (*found[:MAX_PROBLEMS], more)


class Node:
    """An element. Its attributes are taken with :meth:`get` and :meth:`need`, its children with
    :meth:`take`; what is left then is unknown, and told by :meth:`close`.

    ``inner`` is where that begins which is in it, and ``after`` where it ends, with comments that
    end the line of its tag. It is ``tangled`` where such a comment has others before it that go
    with another element.
    """

    __slots__ = (
        "_asked",
        "_attributes",
        "_element",
        "_place",
        "_problems",
        "_scan",
        "after",
        "children",
        "comments",
        "inner",
        "tag",
        "tangled",
        "trailing",
    )

    def __init__(self, element: Xml, place: Place, scan: Scan, problems: Problems) -> None:
        self.tag = str(element.tag)
        self.comments: list[str] = []
        self.trailing: list[str] = []
        self.children: list[Node] = []
        self.inner = place.tag_end
        self.after = place.end
        self.tangled = False
        self._element = element
        self._place = place
        self._scan = scan
        self._problems = problems
        self._attributes = {str(name): str(value) for name, value in element.items()}
        self._asked: list[str] = []

    @property
    def line(self) -> int:
        """The line in which it begins."""
        return self._scan.line(self._place.start)

    @property
    def end_tag(self) -> int:
        """Where its end tag begins, or where it ends where it has none."""
        begin = self._scan.text.rfind("</", self._place.tag_end, self._place.end)
        return self._place.end if begin < 0 else begin

    @property
    def written(self) -> Written:
        """For the model: where it stands, and its comments. It can hold nothing, so that comments
        inside it count as before it."""
        return {"line": self.line, "comments": (*self.comments, *self.trailing)}

    @property
    def written_container(self) -> WrittenContainer:
        """For the model: where it stands, its comments, and those after its last child."""
        return {
            "line": self.line,
            "comments": tuple(self.comments),
            "trailing": tuple(self.trailing),
        }

    @property
    def source(self) -> str:
        """The element as it is written, from its first to its last character."""
        return self._scan.text[self._place.start : self._place.end]

    @property
    def namespaces(self) -> Mapping[str | None, str]:
        """The namespaces that are declared at it or around it, by prefix."""
        return self._element.nsmap

    def content(self) -> str:
        """Its text, of which comments are no part, without the spaces around it."""
        return trimmed("".join(self._texts()))

    def _texts(self) -> Iterator[str]:
        yield self._element.text or ""
        yield from (child.tail or "" for child in self._element)

    def problem(self, message: str, remedy: str = "") -> None:
        """Something is wrong with the element."""
        self._problems.add(self._place.start, message, remedy)

    def get(self, name: str, read: Callable[[str], T]) -> T | None:
        """The value of an attribute; None where there is none, or a wrong one."""
        self._asked.append(name)
        text = self._attributes.pop(name, None)
        if text is None:
            return None
        try:
            return read(text)
        except ValueError as error:
            shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
            self._problems.add(self._offset(name), f'{name}="{shown}" of <{self.tag}>: {error}')
            return None

    def need(self, name: str, read: Callable[[str], T]) -> T | None:
        """The value of an attribute that must be there; None where it is missing or wrong."""
        if name not in self._attributes:
            self._asked.append(name)
            self._missing(name)
            self.lose()
            return None
        value = self.get(name, read)
        if value is None:
            self.lose()
        return value

    def _missing(self, name: str) -> None:
        close = get_close_matches(name, self._attributes, n=1)
        hint = f"; is {close[0]} meant to be {name}?" if close else ""
        self.problem(f"<{self.tag}> has no {name}{hint}", f'add {name}="…"')

    def has(self, name: str) -> bool:
        """Whether there is such an attribute that nobody took yet."""
        return name in self._attributes

    def take(self, *tags: str) -> Iterator[Node]:
        """The children with these tags; all others are unknown here."""
        for child in self.children:
            if child.tag in tags:
                yield child
            else:
                child.unknown(self, tags)

    def unknown(self, parent: Node, known: tuple[str, ...]) -> None:
        """Tell that this element doesn't belong where it is."""
        if self.tag.startswith("{"):
            uri, _, name = self.tag[1:].partition("}")
            self.problem(
                f"<{name}> is in the namespace {uri}, and a network has none outside <metadata>",
                "delete the xmlns attribute or the prefix, or put the element into <metadata>",
            )
            return
        close = get_close_matches(self.tag.lower(), known, n=1)
        belongs = _parents_of(self.tag)
        if close:
            remedy = f"did you mean <{close[0]}>?"
        elif belongs:
            remedy = f"it belongs in {belongs}"
        elif known:
            remedy = "known here: " + ", ".join(f"<{tag}>" for tag in known)
        else:
            remedy = f"<{parent.tag}> holds no elements"
        self.problem(f"<{self.tag}> is unknown in <{parent.tag}>", remedy)

    def close(self, *, text: bool = False) -> None:
        """Nothing more will be asked: tell of attributes that nobody took and, unless the element
        holds ``text``, of text where none belongs."""
        for name in islice(self._attributes, _TOLD):
            at = self._offset(name)
            if name.startswith("{"):
                self._problems.add(
                    at,
                    f"the attribute {name.partition('}')[2]} of <{self.tag}> is in a namespace",
                    "attributes outside <metadata> have no prefix",
                )
                continue
            close = get_close_matches(name.lower(), self._asked, n=1)
            if close:
                remedy = f"did you mean {close[0]}?"
            elif self._asked:
                remedy = "known here: " + ", ".join(self._asked)
            else:
                remedy = f"<{self.tag}> has no attributes"
            self._problems.add(at, f"the attribute {name} of <{self.tag}> is unknown", remedy)
        if len(self._attributes) > _TOLD:
            count = len(self._attributes) - _TOLD
            self.problem(f"{count} more attributes of <{self.tag}> are unknown")
        if not text and (stray := self.content()):
            self.problem(
                f"text stands in <{self.tag}>, where none belongs: {stray[:_SHOWN]!r}",
                "delete it, or make it a comment: <!-- … -->",
            )

    def finish(self, *, text: bool = False) -> None:
        """Like :meth:`close`, for an element that holds no others."""
        for child in self.children:
            child.unknown(self, ())
        self.close(text=text)

    def lose(self) -> None:
        """Tell that nothing can be made of the element, which changes what others mean."""
        self._problems.lost.add(self.tag)

    def _offset(self, attribute: str) -> int:
        """Where an attribute stands in the document."""
        local = attribute.rpartition("}")[2]
        tag = self._scan.text[self._place.start : self._place.tag_end]
        found = re.search(rf"""[\s"'](?:[^\s="']+:)?({re.escape(local)})\s*=""", tag)
        return self._place.start + (found.start(1) if found else 0)


CHILDREN: Mapping[str, tuple[str, ...]] = {
    "network": (
        "name",
        "uuid",
        "title",
        "description",
        "metadata",
        "bridge",
        "interface",
        "switch",
        "listen",
        "connections",
        "dns",
        "dhcp",
        "forwarding",
    ),
    "connections": ("connection",),
    "dns": ("forwarder", "host", "record"),
    "dhcp": ("ip", "host", "option"),
    "ip": ("range",),
    "forwarding": ("incoming", "outgoing"),
    "incoming": ("allow", "deny"),
    "outgoing": ("allow", "deny"),
}
"""What may stand in what."""


def _parents_of(tag: str) -> str:
    return " or ".join(f"<{parent}>" for parent, children in CHILDREN.items() if tag in children)


def build(root: Xml, scan: Scan, problems: Problems) -> tuple[Node, list[str], list[str]]:
    """The nodes of a document, each with its comments; and the comments before and after the root.

    A comment that ends the line of a tag goes with that tag's element, any other with the element
    that follows it.
    """
    places = iter(scan.places)
    preceding = reversed(list(root.itersiblings(preceding=True)))
    before = [_comment(one) for one in preceding if is_comment(one)]
    for _ in before:
        next(places)
    node = _build(root, places, scan, problems)
    after = [_comment(one) for one in root.itersiblings() if is_comment(one)]
    return node, before, after


def _build(element: Xml, places: Iterator[Place], scan: Scan, problems: Problems) -> Node:
    node = last = Node(element, next(places), scan, problems)
    pending: list[str] = []
    for child in element:
        if is_comment(child):
            place = next(places)
            if not place.tails:
                pending.append(_comment(child))
                continue
            last.comments.append(_comment(child))
            if last is node:
                node.inner = place.end
            else:
                last.after = place.end
            node.tangled = node.tangled or bool(pending)
        elif isinstance(child.tag, str):
            last = _build(child, places, scan, problems)
            last.comments[:0] = pending
            pending = []
            node.children.append(last)
    node.trailing = pending
    return node


def _comment(element: Xml) -> str:
    return element.text or ""
