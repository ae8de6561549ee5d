"""What the doctor says: what is wrong, what it stands in the way of, where, and what opens it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from vnet_tui.engine.errors import Severity

Command = tuple[str, ...]
"""A program and its arguments, to be run by root as they are, without a shell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that stands in a network's way.

    An ERROR is certain; a WARNING is something that may, or that only costs. ``blocks`` are the
    things that it stands in the way of, in words (``DHCP``, ``DNS``, ``the way out``, ``allow tcp
    80 → web``); ``where`` names the table, chain and rule, or the setting, as its own tool prints
    it; ``commands``, run in order, open it: empty where none can, and then the message says what
    to do.
    """

    severity: Severity
    blocks: tuple[str, ...]
    message: str
    where: str = ""
    commands: tuple[Command, ...] = ()

    @property
    def command(self) -> str:
        """The commands as text for a shell, one a line."""
        return "\n".join(map(shlex.join, self.commands))

    def __str__(self) -> str:
        blocks = f"{', '.join(self.blocks)}: " if self.blocks else ""
        return f"{blocks}{self.message}"
