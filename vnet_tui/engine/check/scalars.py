"""The network's name, title and description."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from vnet_tui.engine.check.names import one_line
from vnet_tui.engine.check.report import error, scalar_line, warning
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Network

MAX_NAME = 64
"""Characters of a network's name."""

MAX_TITLE = 200
"""Characters of a title."""


def check_scalars(network: Network) -> Iterator[Problem]:
    """Names that can be shown, typed and told from ids and UUIDs; texts that can be printed."""
    line = scalar_line(network, "name")
    for trouble, remedy in name_problems(network.name):
        yield error(line, f"the network's name {trouble}", remedy)
    if network.name.isdecimal():
        yield warning(
            line,
            f"the network's name {network.name} looks like the id of a running network",
            "put a letter into it",
        )
    elif _is_uuid(network.name):
        yield warning(
            line, "the network's name looks like a UUID", "choose one that people can say"
        )
    title, description = network.title or "", network.description or ""
    line = scalar_line(network, "title")
    if not one_line(title):
        yield error(line, "the title has control characters or several lines", "one line of text")
    if len(title) > MAX_TITLE:
        yield error(
            line,
            f"the title has {len(title)} characters",
            f"at most {MAX_TITLE}; <description> has room for more",
        )
    if not all(one_line(part) for part in description.replace("\t", "\n").split("\n")):
        yield error(
            scalar_line(network, "description"),
            "the description has control characters",
            "printable text, line breaks and tabs are possible",
        )


def name_problems(name: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a network's name, and how to mend it."""
    if not name:
        yield "is empty", "give it one"
        return
    if len(name) > MAX_NAME:
        yield f"has {len(name)} characters", f"at most {MAX_NAME} are possible"
    if not one_line(name):
        yield "has control characters", "printable characters are possible, spaces too"
    if "/" in name:
        yield "has a /", "choose another character"
    if name.startswith("-"):
        yield "begins with -, like an option", "begin with another character"
    if name in (".", ".."):
        yield f"is {name}", "choose one that isn't a directory"
    if name != name.strip():
        yield "has spaces around it", "delete them"


def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
