"""A prompt for a file, which completes paths."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widgets import Input

MOST = 200
"""So many entries of a directory are looked at; in a larger one, type more."""


class PathInput(Input):
    """Tab takes the completion that is shown behind the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "complete", show=False)]

    def __init__(
        self,
        value: str = "",
        *,
        suffix: str = "",
        placeholder: str = "path of an XML file",
        id: str | None = None,
    ) -> None:
        """``suffix``: only files whose names end so are offered, and directories."""
        super().__init__(value, placeholder=placeholder, suggester=PathSuggester(suffix), id=id)
        self.cursor_blink = False

    def action_complete(self) -> None:
        """Take what is suggested."""
        self.action_cursor_right() if self._suggestion else self.screen.focus_next()


class PathSuggester(Suggester):
    """The first path that begins with what was typed."""

    def __init__(self, suffix: str) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._suffix = suffix

    async def get_suggestion(self, value: str) -> str | None:
        """Reading a directory may take long (a network file system): a thread does it."""
        found = await asyncio.to_thread(completions, value, self._suffix)
        return found[0] if found else None


def completions(typed: str, suffix: str) -> list[str]:
    """What a typed path can become: directories (with a slash) and files, as it was typed.

    A directory that can't be read has none.
    """
    head, _, tail = typed.rpartition("/")
    found: list[tuple[bool, str]] = []
    try:
        directory = Path(head + "/" if "/" in typed else ".").expanduser()
        with os.scandir(directory) as entries:
            for entry in entries:
                if not entry.name.startswith(tail) or (
                    entry.name.startswith(".") and not tail.startswith(".")
                ):
                    continue
                if _is_directory(entry):
                    found.append((True, entry.name + "/"))
                elif entry.name.endswith(suffix):
                    found.append((False, entry.name))
                if len(found) >= MOST:
                    break
    except (OSError, RuntimeError):  # RuntimeError: the home directory of nobody
        return []
    prefix = head + "/" if "/" in typed else ""
    return [prefix + name for _, name in sorted(found)]


def _is_directory(entry: os.DirEntry[Any]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
