"""What a user has set up: ``$XDG_CONFIG_HOME/vnet-tui/config.toml``, else below ``~/.config``.

A file that is wrong doesn't stop the program: each :class:`~vnet_tui.engine.errors.Problem` is
told with its line, and what it is about is as if it weren't there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vnet_tui.engine.errors import Problem
from vnet_tui.engine.toml_lines import line_of
from vnet_tui.themes import THEMES

if TYPE_CHECKING:
    from vnet_tui.actions import Action

ASCII_CHOICES = ("auto", "on", "off")
"""Whether to draw with ASCII alone; ``auto``: where the terminal is a Linux console."""

FIXED = frozenset(
    {"up", "down", "left", "right", "tab", "shift+tab", "home", "end", "ctrl+c", "ctrl+p"}
    | {str(number) for number in range(1, 8)}
)
"""Keys that move, choose a tab or open the palette: they can't be given to anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The configuration. ``keys`` has what Textual's keymap has: the id of an action, and its
    keys with commas between; ``theme`` is empty where none is chosen."""

    theme: str = ""
    ascii: str = "auto"
    read_only: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    path: Path | None = None

    def told(self) -> Iterator[tuple[str, str]]:
        """Each problem: its place, and what is wrong with how to mend it."""
        for problem in self.problems:
            place = f"{self.path}:{problem.line}" if problem.line else f"{self.path}"
            yield place, str(replace(problem, line=0, column=0))


def config_file(environ: Mapping[str, str]) -> Path:
    """Where the configuration is, by the XDG base directory specification."""
    base = environ.get("XDG_CONFIG_HOME")
    directory = Path(base) if base else Path(environ.get("HOME") or "~").expanduser() / ".config"
    return directory / "vnet-tui" / "config.toml"


def load(path: Path) -> Config:
    """The configuration in a file, which need not be there."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8"
        return Config(path=path, problems=(Problem(message=f"can't be read: {reason}"),))
    return _Reader(path, text).config()


class _Reader:
    """Takes one file apart."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self._problems: list[Problem] = []

    def config(self) -> Config:
        """What it says, as far as it can be understood."""
        import tomllib  # only where there is a file

        try:
            values = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            return Config(path=self._path, problems=(self._syntax(str(error)),))
        for name in values:
            if name not in (known := ("theme", "ascii", "read-only", "keys")):
                self._wrong(name, f"there is no setting {name}", _meant(name, known))
        return Config(
            theme=self._choice(values, "theme", "", THEMES),
            ascii=self._choice(values, "ascii", "auto", ASCII_CHOICES),
            read_only=self._flag(values, "read-only"),
            keys=self._keys(values.get("keys", {})),
            problems=tuple(sorted(self._problems, key=lambda problem: problem.line)),
            path=self._path,
        )

    def _syntax(self, message: str) -> Problem:
        """What tomllib says, with its place where a Problem has it."""
        place = re.search(r" \(at line (\d+), column (\d+)\)$", message)
        what = message[: place.start()] if place else message.replace("at end of document", "")
        return Problem(
            message=f"isn't TOML: {what[:1].lower()}{what[1:]}".removesuffix(" ()"),
            remedy="the whole file counts for nothing until that is mended",
            line=int(place[1]) if place else len(self._text.splitlines()),
            column=int(place[2]) if place else 0,
        )

    def _wrong(self, name: str, message: str, remedy: str, section: str = "") -> None:
        line = line_of(self._text, name, section)
        self._problems.append(Problem(message=message, remedy=remedy, line=line))

    def _choice(
        self, values: Mapping[str, object], name: str, default: str, choices: Iterable[str]
    ) -> str:
        value = values.get(name, default)
        if value == default or (isinstance(value, str) and value in choices):
            return str(value)
        self._wrong(name, f"{name} can't be {value!r}", f"one of {', '.join(choices)}")
        return default

    def _flag(self, values: Mapping[str, object], name: str) -> bool:
        value = values.get(name, False)
        if not isinstance(value, bool):
            self._wrong(name, f"{name} can't be {value!r}", "true or false, without quotes")
            return False
        return value

    def _keys(self, values: object) -> Mapping[str, str]:
        if not isinstance(values, dict):
            self._wrong("keys", "keys is a table", "write [keys] on a line of its own")
            return {}
        from vnet_tui import actions

        known = {action.id: action for action in actions.every()}
        chosen: dict[str, str] = {}
        for id_, keys in values.items():
            if id_ not in known:
                self._wrong(id_, f"there is no action {id_}", _meant(id_, known), "keys")
            elif not isinstance(keys, str) or not keys.strip():
                remedy = 'one or more keys in quotes, such as "x" or "f5,ctrl+r"'
                self._wrong(id_, f"{id_} can't have the key {keys!r}", remedy, "keys")
            elif (bad := next(_unusable(keys), None)) is not None:
                self._wrong(id_, *bad, "keys")
            else:
                chosen[id_] = ",".join(_divided(keys))
        for id_, other, key in list(clashes(known, chosen)):
            remedy = f"another key for one of the two; {id_} keeps {known[id_].key}"
            self._wrong(id_, f"{key} would be both {id_} and {other}", remedy, "keys")
            chosen.pop(id_, None)
        return chosen


def clashes(
    known: Mapping[str, Action], chosen: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Chosen ids that would get a key which means something else: the id, the other, the key.

    Two that share a key as they come are never at the same place; others may be.
    """
    own = {id_: set(_divided(action.key)) for id_, action in known.items()}
    now = {id_: set(_divided(chosen.get(id_, action.key))) for id_, action in known.items()}
    for id_ in chosen:
        for other in known:
            shared = now[id_] & now[other]
            if other != id_ and shared and not own[id_] & own[other]:
                yield id_, other, min(shared)
                break


def _divided(keys: str) -> list[str]:
    """Each key by the name that Textual has for it: ``?`` is ``question_mark``."""
    from textual.keys import _character_to_key

    parts = [part.strip() for part in keys.split(",")]
    return [_character_to_key(part) if len(part) == 1 else part for part in parts]


def _unusable(keys: str) -> Iterator[tuple[str, str]]:
    """What is wrong with keys, and how to mend it."""
    from textual.keys import Keys, key_to_character

    names = {key.value for key in Keys}
    for key in _divided(keys):
        plain = key.rpartition("+")[2]
        if key in FIXED:
            yield f"the key {key} is taken", "it moves, chooses a tab or opens the palette"
        elif key not in names and plain not in names and key_to_character(plain) is None:
            yield f"there is no key {key!r}", "a character, f1 to f12, ctrl+x, space, delete, …"


def _meant(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    known = list(known)
    close = get_close_matches(name.lower(), known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are {', '.join(known)}" if len(known) < 10 else "vnet-tui --list-keys has all"
