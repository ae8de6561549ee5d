"""What nft says when it refuses, made into errors that name the command."""

from __future__ import annotations

import re

from vnet_tui.engine.errors import DriverError, NotPermittedError, VnetError

_PLACE = re.compile(r"^[^\s:]+:(?P<line>\d+):\d+-\d+: Error: (?P<what>.*)$", re.MULTILINE)
_SHOWN = 200
"""So many characters of a command are shown; one that fills a map can be very long."""


class OutdatedError(DriverError):
    """The table isn't what the transaction started from: something is gone, or there already."""


def absent(error: str) -> bool:
    """Whether nft says that what it should list isn't there."""
    return "No such file or directory" in error


def driver_error(commands: str, error: str) -> VnetError:
    """The error for what nft said about commands (one a line)."""
    if "Operation not permitted" in error:
        return NotPermittedError("changing firewall rules needs the right to (CAP_NET_ADMIN)")
    found = _PLACE.search(error)
    what = found["what"] if found else " ".join(error.split()) or "no reason given"
    lines = commands.splitlines()
    number = int(found["line"]) if found else 0
    place = ""
    if 1 <= number <= len(lines):
        line = lines[number - 1]
        shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
        place = f", in line {number} of {len(lines)}: {shown}"
    kind = OutdatedError if absent(error) or "File exists" in error else DriverError
    return kind(f"nft: {what}{place}")
