"""What a host's administrator has set up for every engine there: ``/etc/vnet/vnet.toml``.

A wrong setting stops the engine: a firewall other than the one that was asked for is no detail.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vnet_tui.engine.drivers.firewall.protocol import PREFERENCES
from vnet_tui.engine.errors import Problem, ProblemsError, StateError
from vnet_tui.engine.toml_lines import line_of

DEFAULT = Path("/etc/vnet/vnet.toml")

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "firewall": PREFERENCES,
    "repair": ("mend", "report"),
}
"""The settings and what each can be, its default first. VNET_FIREWALL and VNET_REPAIR go before
the file."""


class SettingsError(ProblemsError):
    """The configuration file is wrong: everything at once, each with its line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``firewall``: which driver, ``auto`` takes what the host has. ``repair``: ``mend`` what
    others change of running networks, or only ``report`` it."""

    firewall: str = "auto"
    repair: str = "mend"

    @property
    def mends(self) -> bool:
        """Whether what others change is mended."""
        return self.repair == "mend"


def settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this host. VNET_CONFIG names another file.

    Raises StateError for a variable, SettingsError for a file, that says what can't be.
    """
    chosen = _from_file(Path(environ.get("VNET_CONFIG") or DEFAULT))
    for name, choices in _CHOICES.items():
        if wish := environ.get(variable := f"VNET_{name.upper()}"):
            if wish not in choices:
                remedy = f"use one of {', '.join(choices)}"
                raise StateError(f"{variable} can't be {wish!r}", remedy)
            chosen[name] = wish
    return Settings(**chosen)


def _from_file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8"
        raise StateError(f"{path} can't be read: {reason}", "mend it, or remove it") from error
    import tomllib  # only where there is a file

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        problem = Problem(message=f"not TOML: {error}", line=int(place[1]) if place else 0)
        raise SettingsError(f"{path} can't be understood", [problem]) from error
    problems = [
        Problem(message=message, remedy=remedy, line=line_of(text, name))
        for name, value in values.items()
        for message, remedy in _wrong(name, value)
    ]
    if problems:
        raise SettingsError(f"{path} says what can't be", problems)
    return values


def _wrong(name: str, value: object) -> list[tuple[str, str]]:
    choices = _CHOICES.get(name)
    if choices is None:
        return [(f"there is no setting {name}", f"there are {', '.join(_CHOICES)}")]
    if value not in choices:
        return [(f"{name} can't be {value!r}", f"use one of {', '.join(choices)}")]
    return []
