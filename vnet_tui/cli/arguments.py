"""From the words of a command line to a command and its arguments, as the table of commands has it.

Options may stand before and after operands; operands may be given as ``--NAME VALUE`` too, as virsh
takes them; ``--`` ends options.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vnet_tui.cli.commands import by_name
from vnet_tui.cli.spec import EVERYWHERE, SHARED, Command, Operand, Option

HELP = ("--help", "-h")

Value = str | int | float | bool | list[str]


class UsageError(Exception):
    """A command line that makes no sense: what is wrong with it."""


class Arguments:
    """What a command was given, by the names of its operands and options."""

    def __init__(self, values: dict[str, Value]) -> None:
        self._values = values

    def flag(self, name: str) -> bool:
        """Whether a switch was given."""
        return self._values.get(name) is True

    def text(self, name: str) -> str:
        """What was given; empty where nothing was."""
        value = self._values.get(name, "")
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Everything that was given for an operand of which there may be several."""
        value = self._values.get(name)
        if isinstance(value, list):
            return value
        return [value] if isinstance(value, str) else []

    def given(self, name: str) -> bool:
        """Whether it was given, though it may be empty."""
        return name in self._values

    def whole(self, name: str) -> int | None:
        """An integer, if one was given."""
        value = self._values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def number(self, name: str) -> float | None:
        """A number, if one was given."""
        value = self._values.get(name)
        return value if isinstance(value, float) else None


class Line(NamedTuple):
    """A command line that was understood. ``command`` is None where none was named; ``several`` are
    commands in one word, divided by semicolons, as virsh takes them."""

    command: Command | None
    arguments: Arguments
    shared: Arguments
    help: bool = False
    version: bool = False
    several: str = ""


def parse(words: Sequence[str], *, within: bool = False) -> Line:
    """Understand a command line, or one ``within`` the shell, which begins with a command.

    Raises :class:`UsageError`.
    """
    shared: dict[str, Value] = {}
    rest = list(words)
    while not within and rest and rest[0].startswith("-") and rest[0] != "--":
        word = rest.pop(0)
        if word in HELP:
            return Line(None, Arguments({}), Arguments(shared), help=True)
        if word in ("--version", "-V"):
            return Line(None, Arguments({}), Arguments(shared), version=True)
        option, value = _option(word, SHARED, "vnet")
        shared[option.name] = _taken(option, value, rest)
    if rest[:1] == ["--"]:
        rest.pop(0)
    if not rest:
        return Line(None, Arguments({}), Arguments(shared))
    if len(rest) == 1 and not within and any(mark in rest[0] for mark in " ;"):
        return Line(None, Arguments({}), Arguments(shared), several=rest[0])
    command = named(rest.pop(0))
    values = _values(command, rest, shared)
    if values is None:
        return Line(command, Arguments({}), Arguments(shared), help=True)
    return Line(command, Arguments(values), Arguments(shared))


def named(name: str) -> Command:
    """The command of that name. Raises :class:`UsageError`."""
    commands = by_name()
    if name in commands:
        return commands[name]
    close = _close(name, commands)
    hint = f"did you mean {close}?" if close else "vnet help lists them"
    raise UsageError(f"unknown command: '{name}' ({hint})")


def _values(command: Command, rest: list[str], shared: dict[str, Value]) -> dict[str, Value] | None:
    """The arguments of a command, and those shared ones that stand after it; None: it asks for
    help."""
    everywhere = tuple(option for option in SHARED if option.flag in EVERYWHERE)
    operands = {f"--{operand.name}": operand for operand in command.operands}
    verbatim = any(operand.many == "..." for operand in command.operands)
    values: dict[str, Value] = {}
    data: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            data += rest
            break
        if word in HELP:
            return None
        if not word.startswith("-") or word == "-":
            data.append(word)
            if verbatim:
                data += rest
                break
            continue
        flag, equals, value = word.partition("=")
        if flag in operands and not operands[flag].several:
            values[operands[flag].name] = _word(flag, value if equals else _next(flag, rest))
            continue
        if flag in operands:
            kept = values.setdefault(operands[flag].name, [])
            if isinstance(kept, list):
                kept.append(value if equals else _next(flag, rest))
            continue
        option, given = _option(word, (*command.all_options, *everywhere), command.name)
        into = shared if option in everywhere else values
        into[option.name] = _taken(option, given, rest)
    _place(command, data, values)
    _complete(command, values)
    return values


def _option(word: str, known: Sequence[Option], where: str) -> tuple[Option, str | None]:
    """The option that a word names, and the value that is in the word."""
    flag, equals, value = word.partition("=")
    for option in known:
        if flag == option.flag or (option.short and word == option.short):
            return option, value if equals else None
    close = _close(flag, [option.flag for option in known])
    hint = f" (did you mean {close}?)" if close else ""
    raise UsageError(f"'{where}' has no option {flag}{hint}")


def _taken(option: Option, value: str | None, rest: list[str]) -> Value:
    if not option.value:
        if value is not None:
            raise UsageError(f"the option {option.flag} takes no value")
        return True
    text = _next(option.flag, rest) if value is None else value
    if option.words and text not in option.words:
        raise UsageError(f"{option.flag} {text}: one of {', '.join(option.words)}")
    if option.type is str:
        return text
    try:
        number = option.type(text)
    except ValueError:
        raise UsageError(f"{option.flag} {text}: that is no number") from None
    if isinstance(number, float) and not 0 <= number < float("inf"):
        raise UsageError(f"{option.flag} {text}: that is no span of time")
    return number


def _close(word: str, words: Iterable[str]) -> str:
    """The word that was probably meant; empty where none is like it."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(words), n=1)), "")


def _next(flag: str, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"{flag} needs a value")
    return rest.pop(0)


def _word(flag: str, value: str) -> str:
    if not value:
        raise UsageError(f"{flag} needs a value")
    return value


def _place(command: Command, data: list[str], values: dict[str, Value]) -> None:
    """Give what stands without a name to the operands that have nothing yet, in their order."""
    for operand in command.operands:
        if operand.name in values:
            continue
        if operand.several:
            if data:
                values[operand.name] = data[:]
                data.clear()
        elif data:
            values[operand.name] = data.pop(0)
    if data:
        raise UsageError(f"unexpected: '{data[0]}' ('vnet help {command.name}' tells what goes)")


def _complete(command: Command, values: dict[str, Value]) -> None:
    """Make sure that all is there that must be, and nothing that mustn't."""
    for operand in command.operands:
        if operand.many in ("1", "+") and operand.name not in values:
            raise UsageError(f"'{command.name}' needs {operand.name.upper()}: {operand.help}")
        _allowed(operand, values.get(operand.name))
    for option in command.all_options:
        if option.needed and option.name not in values:
            raise UsageError(f"'{command.name}' needs {option.flag}: {option.help}")
    groups: dict[str, str] = {}
    for option in command.all_options:
        if option.group and option.name in values:
            other = groups.setdefault(option.group, option.flag)
            if other != option.flag:
                raise UsageError(f"{other} and {option.flag} don't go together")


def _allowed(operand: Operand, value: Value | None) -> None:
    if operand.words and isinstance(value, str) and value not in operand.words:
        close = _close(value, operand.words)
        hint = f"did you mean {close}?" if close else f"one of {', '.join(operand.words)}"
        raise UsageError(f"unknown {operand.name}: '{value}' ({hint})")
