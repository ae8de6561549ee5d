"""What the program keeps for a user from one run to the next, below ``$XDG_STATE_HOME``.

A theme is kept a kind of terminal (TERM), since a console has other colours than a window; and
the command lines that were typed. What can't be written isn't remembered: nothing depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

MOST_LINES = 500
"""So many command lines are kept."""


class Remembered:
    """The files of one user. Reading and writing are of a few kB; each is done when it is asked
    for, since another vnet-tui may have written meanwhile."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        base = environ.get("XDG_STATE_HOME")
        home = Path(environ.get("HOME") or "~").expanduser()
        self._directory = (Path(base) if base else home / ".local/state") / "vnet-tui"
        self._terminal = environ.get("TERM", "") or "unknown"

    def theme(self) -> str:
        """The theme that was chosen last on such a terminal; empty: none was."""
        return self._themes().get(self._terminal, "")

    def keep_theme(self, theme: str) -> None:
        """Remember a choice."""
        themes = {**self._themes(), self._terminal: theme}
        self._write("themes", [f"{terminal} {name}" for terminal, name in themes.items()])

    def command_lines(self) -> list[str]:
        """What was typed, oldest first."""
        return self._read("history")

    def keep_command_line(self, line: str) -> None:
        """Remember one more; what was typed before comes to the end instead."""
        lines = [one for one in self.command_lines() if one != line]
        self._write("history", [*lines, line][-MOST_LINES:])

    def _themes(self) -> dict[str, str]:
        pairs = (line.split() for line in self._read("themes"))
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    def _read(self, name: str) -> list[str]:
        with suppress(OSError, UnicodeDecodeError):
            return (self._directory / name).read_text(encoding="utf-8").splitlines()
        return []

    def _write(self, name: str, lines: Sequence[str]) -> None:
        with suppress(OSError, UnicodeEncodeError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self._directory / f"{name}.new"
            new.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            new.replace(self._directory / name)
