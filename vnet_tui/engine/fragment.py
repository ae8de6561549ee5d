"""Single elements of a network's document, read by themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from vnet_tui.engine.errors import DocumentError, Problem, VnetError
from vnet_tui.engine.model import Network

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


@dataclass(frozen=True, slots=True)
class Fragment:
    """An element that stands in a network made for it; ``attributes`` are those that it was
    written with."""

    tag: str
    network: Network
    attributes: frozenset[str]


def read_fragment(
    text: str, path: str, tags: tuple[str, ...], absent: Mapping[str, str] | None = None
) -> Fragment:
    """Read one element as it would be read within its document.

    ``path`` is the start tags that it stands in below ``<network>``, such as ``<dhcp>``. Attributes
    in ``absent`` that it hasn't are given these values, so that an element that is only looked for
    needs to say no more than what it is known by. Raises
    :class:`~vnet_tui.engine.errors.VnetError`; DocumentError with each problem where it stands in
    ``text``.
    """
    from lxml import etree

    from vnet_tui.engine.xml.tree import tree
    from vnet_tui.engine.xml.walk import walk

    text = _DECLARATION.sub("", text).strip()
    known = " or ".join(f"<{tag}>" for tag in tags)
    if not text.startswith("<"):
        raise VnetError(f"{text[:40]!r} is no XML element", f"{known} is expected")
    before = f"<network><name>x</name>{path}"
    after = "".join(f"</{tag}>" for tag in reversed(re.findall(r"<([a-z]+)", path)))
    # Whatever is no single element on its own could end the elements around it.
    try:
        root = tree(text)
    except DocumentError as error:
        raise DocumentError("that isn't one XML element", _without_documents(error)) from None
    tag, attributes = str(root.tag), frozenset(map(str, root.keys()))
    if tag not in tags:
        raise VnetError(f"<{tag}> doesn't belong here", f"{known} is expected")
    missing = {
        name: value
        for name, value in (absent or {}).items()
        if name not in attributes and not (name == "prefix" and "netmask" in attributes)
    }
    if missing:
        for name, value in missing.items():
            root.set(name, value)
        text = etree.tostring(root, encoding="unicode", with_tail=False)
    try:
        reading = walk(f"{before}{text}{after}</network>").reading
        problems = reading.problems
    except DocumentError as error:
        problems = error.problems
    if problems:
        placed = [
            replace(problem, column=max(0, problem.column - len(before)))
            if problem.line == 1
            else problem
            for problem in problems
        ]
        raise DocumentError(f"the <{tag}> can't be used", placed)
    return Fragment(tag, reading.network, attributes)


def _without_documents(error: DocumentError) -> list[Problem]:
    """The problems, without advice that is about whole documents."""
    return [
        replace(problem, remedy="") if "<network>" in problem.remedy else problem
        for problem in error.problems
    ]
