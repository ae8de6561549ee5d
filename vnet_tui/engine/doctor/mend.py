"""Doing what the doctor says, once an administrator has agreed to it."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence

from vnet_tui.engine.doctor.findings import Command, Finding
from vnet_tui.engine.errors import DriverError, StateError

PATIENCE = 30.0
"""Seconds that one command may take."""


def agreed(finding: Finding, now: Sequence[Finding]) -> None:
    """Make sure that the host still is as it was when somebody agreed to the commands: only what
    the doctor says himself is ever run.

    Raises StateError.
    """
    if not finding.commands:
        raise StateError("no command mends this", "do what the finding says by hand")
    if finding not in now:
        raise StateError("the host isn't any more as it was found", "ask the doctor again")


async def run(commands: Sequence[Command]) -> None:
    """Run commands in order, as argument lists, never through a shell.

    Raises DriverError with what the first one that fails said; the ones before it stay done.
    """
    for number, command in enumerate(commands):
        done = f"; done before: {'; '.join(map(shlex.join, commands[:number]))}" if number else ""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise DriverError(f"{shlex.join(command)}: {error.strerror}{done}") from error
        try:
            async with asyncio.timeout(PATIENCE):
                _, said = await process.communicate()
        except TimeoutError as error:
            process.kill()
            await process.wait()
            message = f"{shlex.join(command)}: no end after {PATIENCE:g} s{done}"
            raise DriverError(message) from error
        if process.returncode:
            words = said.decode(errors="replace").strip() or f"exit status {process.returncode}"
            raise DriverError(f"{shlex.join(command)}: {words}{done}")
