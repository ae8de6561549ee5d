"""Commands of ``vnet`` within another program, on the connection that it has.

They print as ever, to ``sys.stdout`` and ``sys.stderr``; who runs them catches that. What needs the
terminal for itself, or standard input, is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from vnet_tui.cli.arguments import Arguments, UsageError, parse
from vnet_tui.cli.session import Session
from vnet_tui.cli.shell import split
from vnet_tui.engine.errors import VnetError

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection

T = TypeVar("T")

NOT_HERE = "this needs a terminal for itself"
ELSEWHERE = "leave with ctrl+z or use another terminal: vnet …"


class Inside(Session):
    """A session on a connection that stays open; signals and the terminal belong to others."""

    def __init__(self, connection: Connection, shared: Arguments) -> None:
        super().__init__(shared)
        self._given = connection

    async def connection(self, *, watch: bool = False) -> Connection:  # noqa: ARG002 - as it is
        """The one that was given."""
        return self._given

    @property
    def interactive(self) -> bool:
        """Nobody can be asked."""
        return False

    async def aside(self, work: Callable[[], T]) -> T:  # noqa: ARG002 - it isn't done
        """There is no terminal for an editor. Raises VnetError."""
        raise VnetError(NOT_HERE, ELSEWHERE)

    @asynccontextmanager
    async def ended_in_order(self) -> AsyncIterator[None]:
        """Who runs the command cancels it."""
        yield


async def run_line(connection: Connection, text: str) -> int:
    """Run the commands of a line, divided by ``;`` as in the shell; gives the status of the last.

    Being cancelled ends a change in order, as :mod:`~vnet_tui.client.connection` has it.
    """
    import sys

    from vnet_tui.cli.documents import documents_of
    from vnet_tui.cli.execution import function_of, run_command
    from vnet_tui.cli.helping import help_text

    status = 0
    try:
        for words in split(text):
            line = parse(words[1:] if words[0] == "vnet" else words)
            command = line.command
            if line.help or command is None:
                print(help_text(command))
            elif command.function.startswith(("trying:", "editing:")) or "-" in words:
                raise UsageError(f"{NOT_HERE}: {ELSEWHERE}")
            elif command.local:
                status = int(function_of(command)(line.arguments))
            else:
                session = Inside(connection, line.shared)
                arguments = line.arguments
                session.documents = await asyncio.to_thread(documents_of, command, arguments)
                status = await run_command(session, command, arguments)
    except (UsageError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return status
