"""``vnet --complete``: completion for the shells outside. Not for people.

``vnet --complete words WORD...`` takes the words after ``vnet``, the last one as far as it is
written; ``vnet --complete line CURRENT LINE`` takes a line from its beginning to the cursor, and
what bash holds for the word there: it divides words at ``:`` and ``=`` too, and wants candidates
for the last part. A line a candidate is printed, of words with what they mean after a tab. The
status is 0, or :data:`FILES`: it is the shell that knows how to complete the path of a file.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress

from vnet_tui.cli.commands import COMMANDS, by_name
from vnet_tui.cli.completion import candidates, value_wanted
from vnet_tui.cli.spec import SHARED, Option

FILES = 10

_ALONE = {"--help": "tell about it", "--version": "print the version"}


class _FileWantedError(Exception):
    """The path of a file goes here."""


def complete(arguments: Sequence[str]) -> int:
    """Print candidates. Never fails: where it makes no sense there are none."""
    match arguments:
        case ["line", current, line]:
            words = _divided(line)[1:] or [""]
            skip = len(words[-1]) - len(_plain(current))
        case ["words", *words]:
            words, skip = words or [""], 0
        case _:
            return 0
    try:
        found = list(_found(words[:-1], words[-1]))
    except _FileWantedError:
        return FILES
    with suppress(OSError):
        for value, meaning in found:
            if value.isprintable():
                print(value[max(skip, 0) :] + (f"\t{meaning}" if meaning else ""))
    return 0


def _found(before: list[str], begun: str) -> Iterator[tuple[str, str]]:
    """Each candidate with what it means."""
    if begun.startswith("--") and "=" in begun:
        flag, _, begun = begun.partition("=")
        for value, meaning in _found([*before, flag], begun):
            yield f"{flag}={value}", meaning
        return
    before = [part for word in before for part in _parts(word)]
    shared = {flag: option for option in SHARED for flag in (option.flag, option.short) if flag}
    places: dict[str, str] = {}
    while before and before[0].startswith("-"):
        option = shared.get(before.pop(0))
        if option is not None and option.value:
            if not before:
                _value_of_shared(option)
                return
            places[option.name] = before.pop(0)
    if not before and begun.startswith("-"):
        flags = {option.flag: option.help for option in SHARED} | _ALONE
        yield from ((flag, help_) for flag, help_ in flags.items() if flag.startswith(begun))
        return
    if not before:
        yield from _commands(begun)
        return
    if before[0] in by_name():
        wanted = value_wanted(before, begun)
        if wanted is not None and wanted.completes == "file":
            raise _FileWantedError
    meanings = _meanings(before[0])
    for value in candidates(before, begun, lambda: _names(places)):
        yield value, meanings.get(value, "")


def _commands(begun: str) -> Iterator[tuple[str, str]]:
    """Commands by their own name; by another one only where that must be meant."""
    found = [(one.name, one.summary) for one in COMMANDS if one.name.startswith(begun)]
    yield from found or [
        (name, one.summary) for one in COMMANDS for name in one.names if name.startswith(begun)
    ]


def _parts(word: str) -> list[str]:
    """An option and its value in one word are two."""
    flag, equals, value = word.partition("=")
    return [flag, value] if word.startswith("--") and equals else [word]


def _value_of_shared(option: Option) -> None:
    if option.value == "DIR":
        raise _FileWantedError


def _meanings(command: str) -> dict[str, str]:
    """What candidates mean, of those that people may want that of."""
    known = by_name().get(command)
    if known is None:
        return {}
    options = {option.flag: option.help for option in (*known.all_options, *SHARED)}
    return options | _ALONE | {one.name: one.summary for one in COMMANDS}


def _names(places: dict[str, str]) -> list[str]:
    """The networks of this host; another one isn't asked: it may want a password, or take long."""
    from vnet_tui.client import EMBEDDED, SYSTEM
    from vnet_tui.client.names import network_names
    from vnet_tui.engine.paths import Paths

    if (places.get("connect") or os.environ.get("VNET_URI", "")) not in ("", SYSTEM, EMBEDDED):
        return []
    return network_names(Paths.choose(places.get("state_dir"), places.get("run_dir")))


def _divided(line: str) -> list[str]:
    """The words of a line, as a shell divides them; the last one may be empty or still quoted."""
    for closing in ("", "'", '"', "\\"):
        with suppress(ValueError):
            words = shlex.split(line + closing)
            ended = not closing and line[-1:].isspace() and not line[-2:].startswith("\\")
            return [*words, ""] if ended else words
    return []


def _plain(word: str) -> str:
    """A word without its quotes."""
    return "".join(_divided(word)[:1])
