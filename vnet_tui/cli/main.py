"""``vnet``: one command, or a shell for many; and how errors leave it."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Sequence

from vnet_tui import __version__
from vnet_tui.cli.arguments import Line, UsageError, parse
from vnet_tui.cli.spec import Command


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, or the shell. Gives what the command says; 1 for an error that was told or a
    command line that makes no sense; 128 and its number after a signal that ends programs: it was
    heeded when what had begun was at its end."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--stdio"]:
        from vnet_tui.client.relay import main as relay

        return relay()
    if words[:1] == ["--complete"]:
        from vnet_tui.cli.completing import complete

        return complete(words[1:])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names may have characters that the locale hasn't.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _run(words)
        if sys.stdout is not None:
            sys.stdout.flush()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:
        # Mostly our own output, which must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if error.errno != errno.EPIPE:  # a reader may go away (vnet network-list | head)
            what = error.filename or "the output"
            print(f"error: can't write {what}: {error.strerror}", file=sys.stderr)
        return 1
    return status


def _run(words: Sequence[str]) -> int:
    line = parse(words)
    if line.several:
        from vnet_tui.cli.shell import run_shell

        return run_shell(line.shared, line.several)
    if line.version:
        print(f"vnet {__version__}")
        return 0
    if line.help:
        from vnet_tui.cli.helping import help_text

        print(help_text(line.command))
        return 0
    if line.command is None:
        from vnet_tui.cli.shell import run_shell

        return run_shell(line.shared)
    if line.command.local:
        from vnet_tui.cli.execution import function_of

        return int(function_of(line.command)(line.arguments))
    return _ask(line.command, line)


def _ask(command: Command, line: Line) -> int:
    """Run a command that asks an engine."""
    from vnet_tui.cli.documents import documents_of
    from vnet_tui.cli.execution import run_at_once, run_command
    from vnet_tui.cli.session import Session

    session = Session(line.shared)
    # Before there is an event loop, so that Ctrl-C ends a wait for a terminal or a pipe.
    session.documents = documents_of(command, line.arguments)
    if command.asks and session.connect_at_once():
        return run_at_once(session, command, line.arguments)

    import asyncio

    async def run() -> int:
        async with session:
            return await run_command(session, command, line.arguments)

    return asyncio.run(run())


if __name__ == "__main__":
    sys.exit(main())
