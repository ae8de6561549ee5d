"""Who counts in what: names of counters, and of the sets whose elements count."""

from __future__ import annotations

import re

Counted = tuple[str, str]
"""What has counted: a network (UUID in hex) and the key of a rule."""


def tally(network: str, key: str) -> str:
    """The name of the counter of a rule that has no element to count in."""
    return f"tally_{network}_{key}"


def tallied(name: str) -> Counted | None:
    """Who counts in the counter of that name; None for another name."""
    found = _TALLY.fullmatch(name)
    return None if found is None else (found[1], found[2])


def counted(name: str, comment: str) -> Counted:
    """Who counts in an element of that set with that comment (``comment "KEY"``)."""
    found = _NETWORK.search(name)
    return found[1] if found else "", comment.removeprefix('comment "').removesuffix('"')


_TALLY = re.compile(tally("([0-9a-f]{32})", "(.+)"))
_NETWORK = re.compile(r"_([0-9a-f]{32})_")
