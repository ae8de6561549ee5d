"""What may stand next on a command line: for the shell within vnet, and for those outside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from vnet_tui.cli.commands import COMMANDS, by_name
from vnet_tui.cli.spec import EVERYWHERE, SHARED, Command, Operand, Option

Names = Callable[[], Iterable[str]]


def candidates(words: list[str], begun: str, network_names: Names) -> list[str]:
    """What may take the place of ``begun``, after ``words`` (the command first)."""
    if not words:
        return _beginning(begun, [name for command in COMMANDS for name in command.names])
    command = by_name().get(words[0])
    if command is None:
        return []
    wanted = value_wanted(words, begun)
    if wanted is not None:
        return _values(wanted, begun, network_names)
    if not begun.startswith("-"):
        return []
    given = set(words[1:])
    flags = [option.flag for option in _options(command) if option.flag not in given]
    return _beginning(begun, [*flags, "--help"])


def value_wanted(words: list[str], begun: str) -> Operand | Option | None:
    """Whose value ``begun`` is, after ``words`` (a command first); None where it is no value."""
    command = by_name()[words[0]]
    before = words[-1] if len(words) > 1 else ""
    for option in _options(command):
        if before and option.value and before in (option.flag, option.short):
            return option
    return None if begun.startswith("-") else _operand(command, words[1:])


class Completer:
    """Completion as readline asks for it."""

    def __init__(self, network_names: Names, builtins: tuple[str, ...]) -> None:
        self._network_names = network_names
        self._builtins = builtins
        self._found: list[str] = []

    def readline(self, text: str, state: int) -> str | None:
        """The candidate with this number for the word before the cursor; None: no more."""
        import readline

        if state == 0:
            line = readline.get_line_buffer()[: readline.get_begidx()]
            self._found = self.complete(line, text)
        return self._found[state] if state < len(self._found) else None

    def complete(self, before: str, begun: str) -> list[str]:
        """The candidates for a word, after the text of its line before it."""
        words = before.rpartition(";")[2].replace("=", " ").split()
        found = candidates(words, begun, self._network_names)
        if not words:
            found += _beginning(begun, self._builtins)
        return [f"{one} " if not one.endswith("/") else one for one in found]


def _options(command: Command) -> list[Option]:
    everywhere = [option for option in SHARED if option.flag in EVERYWHERE]
    return [*command.all_options, *everywhere]


def _operand(command: Command, words: list[str]) -> Operand | None:
    """The operand that the next word without a dash would be."""
    placed = 0
    values = {option.flag for option in _options(command) if option.value}
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-") and word != "-":
            skip = word in values
        else:
            placed += 1
    if placed < len(command.operands):
        return command.operands[placed]
    last = command.operands[-1] if command.operands else None
    return last if last is not None and last.several else None


def _values(what: Operand | Option, begun: str, network_names: Names) -> list[str]:
    if what.words:
        return _beginning(begun, what.words)
    match what.completes:
        case "network":
            return _beginning(begun, network_names())
        case "command":
            return _beginning(begun, [command.name for command in COMMANDS])
        case "file":
            return _files(begun)
    return []


def _beginning(begun: str, words: Iterable[str]) -> list[str]:
    return sorted(word for word in words if word.startswith(begun))


def _files(begun: str) -> list[str]:
    """Paths as they were begun; a directory ends with a slash."""
    from pathlib import Path

    directory, name = os.path.split(begun)
    where = Path(directory or ".").expanduser()
    try:
        entries = sorted(where.iterdir())
    except (OSError, RuntimeError):
        return []
    return [
        os.path.join(directory, entry.name) + ("/" if entry.is_dir() else "")  # noqa: PTH118
        for entry in entries
        if entry.name.startswith(name) and (name or not entry.name.startswith("."))
    ]
