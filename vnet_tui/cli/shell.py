"""``vnet`` without a command: a shell for many, on one connection; errors don't end it."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vnet_tui.cli.arguments import Arguments, UsageError, parse
from vnet_tui.cli.helping import help_text
from vnet_tui.cli.session import Session

if TYPE_CHECKING:
    from vnet_tui.cli.completion import Completer

PROMPT = "vnet # "

BUILTINS = {
    "quit": "leave this shell",
    "exit": "leave this shell",
    "cd": "change the directory in which files are found",
    "pwd": "print that directory",
    "echo": "print the words after it",
}
"""What only the shell has."""

_HISTORY_LINES = 1000


def run_shell(shared: Arguments, text: str = "") -> int:
    """Run the commands of ``text``; where there is none, read commands until there are no more.

    Gives 0 after a person's session; else the status of the last command.
    """
    with asyncio.Runner() as runner:
        session = Session(shared)
        shell = Shell(runner, session)
        try:
            if text:
                shell.run_text(text)
                return shell.status
            return shell.run()
        finally:
            runner.run(session.close())


class Shell:
    """Reads lines and runs them, one after another; ``status`` is that of the last command."""

    def __init__(self, runner: asyncio.Runner, session: Session) -> None:
        self._runner = runner
        self._session = session
        self._terminal = sys.stdin is not None and sys.stdin.isatty()
        self.status = 0

    def run(self) -> int:
        """Read lines until the end, or ``quit``."""
        if self._terminal:
            print("Type 'help' for the commands, 'quit' to leave.\n")
            with suppress(ImportError):  # Python can be built without
                self._edit_lines()
        while (text := self._next()) is not None:
            if not self.run_text(text):
                break
        if self._terminal:
            self._keep_history()
            return 0
        return self.status

    def run_text(self, text: str) -> bool:
        """Run the commands of one line, divided by ``;``; False when they say to leave."""
        try:
            commands = list(split(text))
        except ValueError as error:
            return self._complain(f"{error}")
        for words in commands:
            match words:
                case ["quit" | "exit", *_]:
                    return False
                case ["cd", *where]:
                    self._change_directory(where)
                case ["pwd"]:
                    print(Path.cwd())
                case ["echo", *rest]:
                    print(*rest)
                case ["help"]:
                    print(help_text(None))
                    print("\nIn this shell:")
                    for name, meaning in BUILTINS.items():
                        print(f"  {name:<26} {meaning}")
                case _:
                    self._run_words(words)
            sys.stdout.flush()
            if self._terminal and not self._session.json:
                print()
        return True

    def _run_words(self, words: list[str]) -> None:
        from vnet_tui.cli.documents import documents_of
        from vnet_tui.cli.execution import function_of, run_command

        try:
            line = parse(words, within=True)
        except UsageError as error:
            self._complain(str(error))
            return
        if line.help or line.command is None:
            print(help_text(line.command))
            return
        command = line.command
        try:
            if command.local:
                self.status = int(function_of(command)(line.arguments))
                return
            self._session.documents = documents_of(command, line.arguments)
            with self._session.also(line.shared):
                self.status = self._runner.run(run_command(self._session, command, line.arguments))
        except UsageError as error:
            self._complain(str(error))
        except KeyboardInterrupt:
            self.status = 130
            print()

    def _complain(self, text: str) -> bool:
        print(f"error: {text}", file=sys.stderr)
        self.status = 1
        return True

    def _change_directory(self, where: list[str]) -> None:
        try:
            os.chdir(Path(where[0] if where else "~").expanduser())
        except (OSError, RuntimeError) as error:
            self._complain(f"cd: {error}")

    # The terminal

    def _next(self) -> str | None:
        """The next line; None at the end. Ctrl-C forgets what was typed."""
        if not self._terminal:
            return (sys.stdin.readline() or None) if sys.stdin is not None else None
        while True:
            try:
                return input(PROMPT)
            except KeyboardInterrupt:
                print()
            except EOFError:
                print()
                return None

    def _edit_lines(self) -> None:
        import readline

        from vnet_tui.cli.completion import Completer

        completer: Completer = Completer(self._network_names, tuple(BUILTINS))
        readline.set_completer(completer.readline)
        readline.set_completer_delims(" \t\n;=")
        readline.parse_and_bind("tab: complete")
        with suppress(OSError):
            readline.read_history_file(_history_file())
        readline.set_history_length(_HISTORY_LINES)

    def _keep_history(self) -> None:
        with suppress(ImportError, OSError):
            import readline

            file = _history_file()
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            readline.write_history_file(file)

    def _network_names(self) -> list[str]:
        """For completion: between two commands, when no loop runs."""
        from vnet_tui.engine.errors import VnetError

        async def names() -> list[str]:
            connection = await self._session.connection()
            return [info.name for info in await connection.networks()]

        try:
            return self._runner.run(names())
        except VnetError:
            return []


def split(text: str) -> Iterator[list[str]]:
    """The words of each command of a line, quoted as in a POSIX shell; ``#`` begins a comment.

    Raises ValueError for a quote that isn't closed.
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word and not word.strip(";"):
            if words:
                yield words
            words = []
        else:
            words.append(word)
    if words:
        yield words


def _history_file() -> Path:
    """Where XDG has it: $XDG_STATE_HOME, else ~/.local/state."""
    base = os.environ.get("XDG_STATE_HOME")
    state = Path(base) if base else Path.home() / ".local/state"
    return state / "vnet/history"
