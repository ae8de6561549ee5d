"""Every command of ``vnet``, by family. What they do is in the modules that they name."""

from __future__ import annotations

from functools import cache

from vnet_tui.cli.families import defining, examining, looking, others, running, watching
from vnet_tui.cli.spec import Command

GROUPS = {
    "Looking": looking.COMMANDS,
    "Defining": defining.COMMANDS,
    "Running": running.COMMANDS,
    "Watching": watching.COMMANDS,
    "Examining": examining.COMMANDS,
    "Others": others.COMMANDS,
}
"""The commands by what they are for."""

COMMANDS = tuple(command for group in GROUPS.values() for command in group)


@cache
def by_name() -> dict[str, Command]:
    """Every command by each of its names."""
    return {name: command for command in COMMANDS for name in command.names}
