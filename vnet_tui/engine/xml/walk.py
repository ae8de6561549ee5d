"""Our own walk over a document: from its text to the model, and everything wrong with its form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from typing import TYPE_CHECKING, TypeVar

from vnet_tui.engine.errors import DocumentError, Problem
from vnet_tui.engine.model import Network
from vnet_tui.engine.xml import values
from vnet_tui.engine.xml.elements import (
    Once,
    read_bridge,
    read_connections,
    read_dhcp,
    read_dns,
    read_forwarding,
    read_interface,
    read_listen,
    read_switch,
)
from vnet_tui.engine.xml.scan import scan
from vnet_tui.engine.xml.source import decode

if TYPE_CHECKING:
    from vnet_tui.engine.xml.nodes import Node
    from vnet_tui.engine.xml.tree import Xml

T = TypeVar("T")

_SCALARS = ("name", "uuid", "title", "description", "metadata")


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be made of a document. ``network`` is whole when there are no ``problems``;
    otherwise it holds what was right, and ``lost`` are the tags of elements left out."""

    network: Network
    problems: tuple[Problem, ...]
    lost: frozenset[str]


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk went: the text with plain newlines, its root as lxml and as we have it, how many
    elements and comments there are, and what was made of them."""

    text: str
    root: Xml
    node: Node
    places: int
    reading: Reading


def walk(document: str | bytes) -> Walk:
    """Go over a document, the schema aside.

    Raises :class:`~vnet_tui.engine.errors.DocumentError` for one that is no XML, too large, or not
    about a network at all.
    """
    from vnet_tui.engine.xml import nodes, tree

    text = decode(document)
    found = scan(text)
    if found.fatal:
        raise document_error(tuple(found.fatal))
    if found.unbalanced and not found.broken:
        raise document_error(nodes.limited(found.unbalanced))
    root = tree.tree(text)
    problems = nodes.Problems(found)
    node, prologue, epilogue = nodes.build(root, found, problems)
    if node.tag != "network":
        raise document_error((_wrong_root(node),))
    network = _network(node, prologue, epilogue)
    reading = Reading(network, problems.all(), frozenset(problems.lost))
    return Walk(text, root, node, len(found.places), reading)


def document_error(problems: tuple[Problem, ...]) -> DocumentError:
    """The error that tells these problems."""
    count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    return DocumentError(f"the document has {count}", problems)


def _wrong_root(node: Node) -> Problem:
    namespace, _, name = node.tag.rpartition("}")
    if name == "network":
        return Problem(
            message=f"<network> is in the namespace {namespace[1:]}, and it has none",
            remedy="delete the xmlns attribute",
            line=node.line,
        )
    return Problem(
        message=f"the document is a <{name}>, not a <network>",
        remedy="did you mean <network>?"
        if get_close_matches(name.lower(), ["network"])
        else "a network's document begins with <network>",
        line=node.line,
    )


def _network(node: Node, prologue: list[str], epilogue: list[str]) -> Network:
    from vnet_tui.engine.xml.nodes import CHILDREN

    node.get("id", values.as_is)
    children = Once(node, *CHILDREN["network"])
    node.close()
    if children["name"] is None:
        node.problem("the network has no name", "add <name>…</name>")
    scalars = [child for child in children if child.tag in _SCALARS]
    uuid, metadata = children["uuid"], children["metadata"]
    return Network(
        line=node.line,
        trailing=tuple(node.trailing),
        name=_text(children["name"]) or "",
        uuid=_text_as(uuid, values.uuid) if uuid else None,
        title=_text(children["title"]),
        description=_text(children["description"]),
        metadata=_metadata(metadata, node) if metadata else None,
        bridge=read_bridge(children["bridge"]),
        interface=read_interface(children["interface"]),
        switch=read_switch(children["switch"]),
        listen=read_listen(children["listen"]),
        connections=read_connections(children["connections"]),
        dns=read_dns(children["dns"]),
        dhcp=read_dhcp(children["dhcp"]),
        forwarding=read_forwarding(children["forwarding"]),
        scalar_comments=tuple(
            (child.tag, comments)
            for child in sorted(scalars, key=lambda child: _SCALARS.index(child.tag))
            if (comments := child.written["comments"])
        ),
        scalar_lines=tuple((child.tag, child.line) for child in scalars),
        prologue=(*prologue, *node.comments),
        epilogue=tuple(epilogue),
    )


def _text(node: Node | None) -> str | None:
    if node is None:
        return None
    node.finish(text=True)
    return node.content()


def _text_as(node: Node, convert: Callable[[str], T]) -> T | None:
    text = _text(node) or ""
    try:
        return convert(text)
    except ValueError as error:
        node.problem(f"<{node.tag}>{text}</{node.tag}>: {error}")
        return None


def _metadata(node: Node, root: Node) -> str:
    """The element letter by letter, with those namespaces of the root that it uses."""
    source = node.source
    declared = "".join(
        f' xmlns:{prefix}="{escape(uri)}"'
        for prefix, uri in sorted(root.namespaces.items(), key=str)
        if prefix and f"{prefix}:" in source and f"xmlns:{prefix}=" not in source
    )
    return source.replace("<metadata", f"<metadata{declared}", 1)
