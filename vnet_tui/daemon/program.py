"""Which vnetd a service is to run, and whether it can."""

from __future__ import annotations

import os
import pwd
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import vnet_tui
from vnet_tui.engine.errors import VnetError

_HOMES = tuple(map(Path, ("/home", "/root", "/run/user")))
"""What ``ProtectHome=`` hides (systemd.exec(5))."""

_TEMPORARY = tuple(map(Path, ("/tmp", "/var/tmp")))  # noqa: S108
"""What ``PrivateTmp=`` hides."""

_UNSAFE = frozenset("\"'\\*?[")  # string_is_safe() of systemd


def own_program() -> Path | None:
    """The vnetd that runs, or that was installed with what runs."""
    called = Path(sys.argv[0]).absolute()
    beside = Path(sysconfig.get_path("scripts")) / "vnetd"
    for candidate in (called, beside):
        if candidate.name == "vnetd" and os.access(candidate, os.X_OK):
            return candidate
    return None


def service_program(asked: str, root: Path) -> Path:
    """The vnetd that the service of the system below ``root`` runs: the one that was asked for, or
    this one. One below ``root`` is meant as that system sees it.

    Raises :class:`~vnet_tui.engine.errors.VnetError` where none can be.
    """
    program = Path(asked) if asked else own_program()
    if program is None:
        raise VnetError("can't tell which vnetd this is", "name it: --program /DIRECTORY/vnetd")
    if not program.is_absolute():
        raise VnetError(f"--program {program}: that is no absolute path")
    if root != Path("/"):
        return Path("/") / program.relative_to(root) if program.is_relative_to(root) else program
    if not (program.is_file() and os.access(program, os.X_OK)):
        raise VnetError(f"{program} can't be run", "name another one: --program /DIRECTORY/vnetd")
    for place in _needed(program):
        if _is_below(place, _TEMPORARY):
            raise VnetError(
                f"{place} is in a directory for temporary files, which the service doesn't see",
                "install vnet-tui elsewhere, in /opt/vnet-tui for example",
            )
    return program


def is_at_home(program: Path) -> bool:
    """Whether the service must see home directories to run it."""
    return any(_is_below(place, _HOMES) for place in _needed(program))


def others_places(program: Path) -> Iterator[tuple[Path, str]]:
    """What others than root may change of that which root runs then, and who."""
    seen: set[Path] = set()
    for place in sorted(_needed(program)):
        for path in (place, *place.parents):
            if path in seen or not path.exists():
                continue
            seen.add(path)
            status = path.stat()
            if status.st_uid != 0:
                yield path, _user(status.st_uid)
            elif status.st_mode & 0o022 and not status.st_mode & 0o1000:
                yield path, "its group" if status.st_mode & 0o020 else "everybody"


def escaped(program: Path) -> str:
    """A path as the first word of ``ExecStart=`` (systemd.syntax(7), systemd.service(5)).

    Raises :class:`~vnet_tui.engine.errors.VnetError` for one that systemd takes for unsafe.
    """
    text = str(program)
    if not text.isprintable() or set(text) & _UNSAFE:
        raise VnetError(
            f"systemd runs no program with such a path: {text!r}",
            "install vnet-tui in a directory with another name",
        )
    escaped = text.replace("%", "%%")
    return f'"{escaped}"' if " " in text else escaped


def _needed(program: Path) -> set[Path]:
    """What has to be read to run it, as far as is known."""
    needed = {program, program.resolve()}
    if program == own_program():
        needed |= {Path(sys.prefix), Path(sys.base_prefix), Path(vnet_tui.__file__).parent}
    return needed


def _is_below(path: Path, places: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
