"""Files that are put onto a host and taken away again: only our own, and only as we wrote them.

The last line of each says that we wrote it, with a digest of all before it. A file without that
line is somebody else's; one whose digest is another was changed since. Neither is touched.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from pathlib import Path

from vnet_tui.engine.files import remove_durably, write_atomically

_MARK = re.compile(
    r'(?P<text>.*\n)(?:#|\.\\") Placed by vnetd --install; SHA-256 (?P<digest>[0-9a-f]{64})\n',
    re.DOTALL,
)


class Standing(StrEnum):
    """What there is in a file's place."""

    NOTHING = "nothing"
    SAME = "the same file"
    OURS = "a file of vnetd --install"
    CHANGED = "a file of vnetd --install that was changed since"
    FOREIGN = "a file of somebody else's"


def marked(path: Path, text: str) -> str:
    """A file's text with the line that says whose it is; comments begin as in files of that
    kind."""
    begin = '.\\"' if path.suffix in (".1", ".8") else "#"
    return f"{text}{begin} Placed by vnetd --install; SHA-256 {_digest(text)}\n"


def standing(path: Path, text: str | None = None) -> Standing:
    """What there is, where ``text`` is to be if given. Raises OSError where that can't be seen."""
    if path.is_symlink():
        return Standing.FOREIGN  # as systemd masks units
    try:
        there = path.read_bytes().decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return Standing.NOTHING
    except IsADirectoryError:
        return Standing.FOREIGN
    found = _MARK.fullmatch(there)
    if found is None:
        return Standing.FOREIGN
    if found["digest"] != _digest(found["text"]):
        return Standing.CHANGED
    return Standing.SAME if found["text"] == text else Standing.OURS


def place(path: Path, text: str) -> None:
    """Write a file and its directory, for everybody to read. Raises OSError."""
    for directory in reversed(path.parents):
        if not directory.exists():
            directory.mkdir()
            directory.chmod(0o755)
    write_atomically(path, marked(path, text))


def remove(path: Path) -> None:
    """Remove a file. Raises OSError."""
    remove_durably(path)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
