"""Where in a TOML file a value stands: the standard library's reader doesn't tell."""

from __future__ import annotations

import re


def line_of(text: str, name: str, section: str = "") -> int:
    """The line of a TOML file on which a name is given a value; 0: it isn't plain to see."""
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            inside = header[1].strip("\"'")
            if inside == name and not section:
                return number
        elif assigned := re.match(r"\s*([^=#]+?)\s*=", line):
            given = assigned[1].replace('"', "").replace("'", "").replace(" ", "")
            if f"{inside}.{given}".strip(".") == f"{section}.{name}".strip("."):
                return number
    return line_of(text, section) if section else 0
