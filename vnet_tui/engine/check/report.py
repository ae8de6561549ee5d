"""How checks tell what they find."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from vnet_tui.engine.errors import Problem, Severity
from vnet_tui.engine.model import Element, Network

T = TypeVar("T")


def error(where: Element | int, message: str, remedy: str) -> Problem:
    """Something that forbids the network. ``where`` is the element, or its line."""
    line = where if isinstance(where, int) else where.line
    return Problem(message=message, remedy=remedy, line=line)


def warning(where: Element | int, message: str, remedy: str) -> Problem:
    """Something that is probably not meant."""
    line = where if isinstance(where, int) else where.line
    return Problem(message=message, remedy=remedy, line=line, severity=Severity.WARNING)


def at_line(element: Element) -> str:
    """Where another element stands, to be put after its mention; empty where nobody knows."""
    return f" (line {element.line})" if element.line else ""


def scalar_line(network: Network, tag: str) -> int:
    """Where a child that is plain text stands; else where the network does."""
    return dict(network.scalar_lines).get(tag, network.line)


def bounds(
    where: Element, what: str, value: int | None, least: int, most: int, unit: str = ""
) -> Iterator[Problem]:
    """A number that must be from ``least`` to ``most``."""
    if value is not None and not least <= value <= most:
        yield error(
            where,
            f"{what} of {value}{unit} is {'too small' if value < least else 'too large'}",
            f"from {least} to {most}{unit} are possible",
        )


def port_bounds(where: Element, what: str, value: int | None) -> Iterator[Problem]:
    """A port must be from 1 to 65535 (RFC 6335, section 6)."""
    if value is not None and not 1 <= value <= 65535:
        yield error(where, f"{what} {value} doesn't exist", "ports are from 1 to 65535")


def repeated(items: Iterable[T], key: Callable[[T], Hashable]) -> Iterator[tuple[T, T]]:
    """Every item whose key an earlier one had, after that one; a key of None is no key."""
    first: dict[Hashable, T] = {}
    for item in items:
        if (its := key(item)) is None:
            continue
        earlier = first.setdefault(its, item)
        if earlier is not item:
            yield earlier, item
