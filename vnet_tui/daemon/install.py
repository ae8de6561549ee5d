"""``vnetd --install`` and ``--uninstall``: what a host needs to run vnetd as a service."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vnet_tui.daemon.pieces import DIRECTORIES, GROUPS, PIECES, SERVICE, UNITS, Piece
from vnet_tui.daemon.placing import Standing, place, remove, standing
from vnet_tui.daemon.program import (
    escaped,
    is_at_home,
    others_places,
    own_program,
    service_program,
)
from vnet_tui.engine.errors import DriverError, Problem, ProblemsError, StoreError, VnetError
from vnet_tui.engine.paths import DEFAULT_RUN_DIR, DEFAULT_STATE_DIR

_BOOTED = Path("/run/systemd/system")  # there where systemd runs the host (sd_booted(3))


@dataclass(frozen=True, slots=True)
class Target:
    """Where to install.

    ``root`` is the directory of another system (DESTDIR of packagers); ``/`` is this host. With
    ``prefix``, such as ``/usr``, files go where a distribution's package has them. ``program`` is
    the vnetd that the service runs; this one unless given. With ``dry_run`` everything is told
    and nothing done.
    """

    root: Path = Path("/")
    prefix: str = ""
    program: str = ""
    dry_run: bool = False

    @property
    def here(self) -> bool:
        """Whether it is this host."""
        return self.root == Path("/")

    @property
    def booted(self) -> bool:
        """Whether it is this host, and systemd runs it."""
        return self.here and _BOOTED.is_dir()

    def wanted(self) -> Iterator[tuple[Piece, Path]]:
        """What goes where; nothing for systemd on a host that it doesn't run."""
        for piece, path in self.all():
            if not piece.systemd or self.booted or not self.here:
                yield piece, path

    def all(self) -> Iterator[tuple[Piece, Path]]:
        """What may have been put where."""
        for piece in PIECES:
            yield piece, piece.path(self.root, self.prefix)

    def do(self, wish: str, done: str, work: Callable[[], None]) -> None:
        """Do something and say so, or only say it. Raises
        :class:`~vnet_tui.engine.errors.StoreError` where the system refuses."""
        if not self.dry_run:
            try:
                work()
            except OSError as error:
                where = f": {error.filename}" if error.filename else ""
                raise StoreError(f"can't {wish}: {error.strerror or error}{where}") from error
        print(f"would {wish}" if self.dry_run else done)

    def run(self, *command: str) -> None:
        """Run a program and say so, or only say it. Raises
        :class:`~vnet_tui.engine.errors.DriverError` with what it said where it fails."""
        line = " ".join(command)
        self.do(f"run {line}", f"ran {line}", lambda: _run(*command))


def install(target: Target) -> None:
    """Put all files in place and have systemd know them, or tell all that is in their way.

    Raises :class:`~vnet_tui.engine.errors.VnetError`; nothing was written then, unless it is the
    system that refused in between.
    """
    _need_root(target, "--install")
    program = service_program(target.program, target.root)
    texts = {path: _text(piece, program) for piece, path in target.wanted()}
    found = {path: _standing(path, text) for path, text in texts.items()}
    _refuse_what_is_in_the_way(found)
    for piece, path in target.wanted():
        match found[path]:
            case Standing.SAME:
                print(f"is there already: {path}")
            case there:
                wish, done = ("write", "wrote") if there is Standing.NOTHING else _REPLACE
                text = texts[path]
                target.do(
                    f"{wish} {path} ({piece.what})",
                    f"{done} {path} ({piece.what})",
                    lambda path=path, text=text: place(path, text),  # type: ignore[misc]
                )
    if target.here:
        _warn_of_others(program)
    if target.booted:
        changed = any(there is not Standing.SAME for there in found.values())
        _activate(target, changed)
    else:
        _tell_what_is_left(target, program)


def uninstall(target: Target) -> None:
    """End the service and remove the files that :func:`install` placed, unless they were changed.

    Networks, definitions and groups stay. Raises :class:`~vnet_tui.engine.errors.VnetError`.
    """
    _need_root(target, "--uninstall")
    found = {path: _standing(path) for _, path in target.all()}
    ours = [path for path, there in found.items() if there is Standing.OURS]
    units = [path.name for path in ours if path.name in UNITS]
    if target.booted and units:
        target.run("systemctl", "disable", "--now", *units)
    for path, there in found.items():
        if there is Standing.OURS:
            target.do(
                f"remove {path}",
                f"removed {path}",
                lambda path=path: remove(path),  # type: ignore[misc]
            )
        elif there is not Standing.NOTHING:
            print(f"stays: {path} is {there}")
    if target.booted and units:
        target.run("systemctl", "daemon-reload")
    if not ours:
        print("there was nothing of vnetd --install")
    print(f"stay: definitions and leases, in {DEFAULT_STATE_DIR}")
    if target.here:
        print(f"stay: networks that run, with {DEFAULT_RUN_DIR}; vnet network-stop stops them")
        print("stay: the groups vnet and vnet-read")
        for path in _OWN_SETTINGS:
            if path.exists():
                print(f"stays: {path}, your own settings")


_OWN_SETTINGS = (Path("/etc/default/vnetd"), Path(f"/etc/systemd/system/{SERVICE}.d"))
_REPLACE = ("replace", "replaced")


def _need_root(target: Target, verb: str) -> None:
    if target.here and not target.dry_run and os.geteuid() != 0:
        raise VnetError(
            f"{verb} needs root",
            f"sudo {own_program() or 'vnetd'} {verb}; --dry-run tells what it would do",
        )


def _text(piece: Piece, program: Path) -> str:
    if piece.source != SERVICE:
        return piece.text
    home = "read-only" if is_at_home(program) else "yes"
    return piece.text.replace("@PROTECT_HOME@", home).replace("@VNETD@", escaped(program))


def _standing(path: Path, text: str | None = None) -> Standing:
    try:
        return standing(path, text)
    except OSError as error:
        raise StoreError(f"can't read {path}: {error.strerror}") from error


def _refuse_what_is_in_the_way(found: dict[Path, Standing]) -> None:
    problems = [
        Problem(message=f"{path} is {there}")
        for path, there in found.items()
        if there in (Standing.CHANGED, Standing.FOREIGN)
    ]
    if problems:
        raise ProblemsError(
            "nothing was installed; move these files away first (settings of your own belong into "
            "'systemctl edit vnetd' and /etc/default/vnetd)",
            problems,
        )


def _warn_of_others(program: Path) -> None:
    for path, who in others_places(program):
        print(f"warning: root will run what is in {path}, which {who} can change")


def _activate(target: Target, changed: bool) -> None:
    for piece, path in target.wanted():
        if piece.source == GROUPS:
            target.run("systemd-sysusers", str(path))
        elif piece.source == DIRECTORIES:
            target.run("systemd-tmpfiles", "--create", str(path))
    target.run("systemctl", "daemon-reload")
    active = subprocess.run(["systemctl", "--quiet", "is-active", SERVICE], check=False)
    if active.returncode != 0:
        print("now start it, and with the host: systemctl enable --now vnetd.socket vnetd.service")
    elif changed:
        print("now bring it into force: systemctl restart vnetd (networks go on meanwhile)")


def _tell_what_is_left(target: Target, program: Path) -> None:
    if not target.here:
        print(f"the service of the system in {target.root} runs {program}")
        return
    print("systemd doesn't run this host: there is no service, and no groups were made")
    print("now make the groups: groupadd --system vnet; groupadd --system vnet-read")
    print(f"and have your init system run: {program} (ending it must not end the dnsmasqs)")


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise DriverError(
            f"there is no {command[0]} on this host, though systemd runs it"
        ) from error
    if done.returncode != 0:
        said = done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}"
        raise DriverError(f"{' '.join(command)}: {said}")
