"""Finding and ending processes that are nobody's children.

One of ours is known by its command line, which names a file in our run directory, by its program
and by its network namespace; never by a pid alone. Signals go through a pidfd that was opened
before the process was identified, so they can't reach another that got its pid meanwhile
(pidfd_open(2)).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from vnet_tui.engine.paths import PID_FILE

_PROC = Path("/proc")
_DELETED = " (deleted)"  # what proc(5) adds to the program of a process when it was replaced

TERM_SECONDS = 5.0
"""How long a process may take to end when it is asked to; ours need milliseconds."""


_LONGEST = 1 << 16
"""Bytes of a command line that are looked at."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Processes of ours of one sort: their ``program``, and the ``option`` that names a file of
    theirs, which is in ``directory/UUID/``."""

    program: str
    option: str
    directory: Path

    def of(self, network: UUID) -> Path:
        """Where the files of one network are."""
        return self.directory / str(network)


@dataclass(frozen=True, slots=True)
class Found:
    """A process of ours: its network, the file that its option names, its whole command line."""

    pid: int
    network: UUID
    file: Path
    arguments: tuple[str, ...]


def scan(kind: Kind) -> list[Found]:
    """Every process of this kind here, ordered by network and pid."""
    pids = (int(name) for name in os.listdir(_PROC) if name.isdigit())  # noqa: PTH208  (ten times faster)
    found = [one for pid in pids if (one := identify(pid, kind)) is not None]
    return sorted(found, key=lambda one: (one.network, one.pid))


def running(kind: Kind, network: UUID, *, thorough: bool = True) -> list[Found]:
    """The processes of one network; its pid file spares looking at all processes.

    Where it has no files one may run all the same: somebody removed the run directory. Finding
    that takes a look at all processes, so it is only done when ``thorough``.
    """
    pid = written_pid(kind, network)
    found = None if pid is None else identify(pid, kind)
    if found is not None and found.network == network:
        return [found]
    if not thorough and not kind.of(network).exists():
        return []
    return [one for one in scan(kind) if one.network == network]


def of(kind: Kind, due: Mapping[UUID, bool]) -> list[Found]:
    """The processes of some networks. Where one should run and its pid file doesn't lead to it, it
    is looked for among all processes."""
    return [one for network, runs in due.items() for one in running(kind, network, thorough=runs)]


def written_pid(kind: Kind, network: UUID) -> int | None:
    """What the pid file of a network says."""
    try:
        return int((kind.of(network) / PID_FILE).read_text())
    except (OSError, ValueError):
        return None


def identify(pid: int, kind: Kind) -> Found | None:
    """Whether a process is one of ours in the calling thread's network namespace."""
    try:
        command = _command(pid)
        if os.fsencode(f"{kind.option}{kind.directory}/") not in command:
            return None
        process = _PROC / str(pid)
        arguments = tuple(map(os.fsdecode, command.split(b"\0")))
        file = _file(arguments, kind)
        if file is None:
            return None
        program = (process / "exe").readlink().name.removesuffix(_DELETED)
        here = (_PROC / "thread-self/ns/net").stat().st_ino
        if program != kind.program or (process / "ns/net").stat().st_ino != here:
            return None
        return Found(pid, UUID(file.parent.name), file, arguments)
    except (OSError, ValueError):
        return None  # it ended, it isn't ours to look at, or the directory isn't a network's


def _command(pid: int) -> bytes:
    """The command line of any process; it is asked of all that run, and ours are short."""
    descriptor = os.open(f"/proc/{pid}/cmdline", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _LONGEST)
    finally:
        os.close(descriptor)


def _file(arguments: tuple[str, ...], kind: Kind) -> Path | None:
    for argument in arguments:
        if argument.startswith(f"{kind.option}{kind.directory}/"):
            path = Path(argument.removeprefix(kind.option))
            return path if path.parent.parent == kind.directory else None
    return None


@contextlib.contextmanager
def hold(one: Found, kind: Kind) -> Iterator[int | None]:
    """A pidfd of this very process; None where it is gone."""
    try:
        pidfd = os.pidfd_open(one.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield pidfd if identify(one.pid, kind) == one else None
    finally:
        os.close(pidfd)


async def ended(pidfd: int, seconds: float | None = None) -> bool:
    """Wait until a process has ended; False where it hadn't after ``seconds``.

    Where it is our own child (in a pid namespace whose first process we are), it is reaped.
    """
    loop = asyncio.get_running_loop()
    over = loop.create_future()

    def readable() -> None:
        loop.remove_reader(pidfd)
        if not over.done():
            over.set_result(None)

    loop.add_reader(pidfd, readable)
    try:
        await asyncio.wait_for(over, seconds)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(pidfd)
    reap(os.P_PIDFD, pidfd)
    return True


async def end(one: Found, kind: Kind) -> bool:
    """Ask a process to end, and make it when it doesn't; False where it had ended before."""
    with hold(one, kind) as pidfd:
        if pidfd is None:
            return False
        for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, number)
            if await ended(pidfd, seconds):
                break
    return True


async def let_end(kind: Kind, network: UUID) -> None:
    """Wait for a process of a network that is ending already: the kernel takes its command line
    first, and its sockets and interfaces a moment later."""
    pid = written_pid(kind, network)
    with contextlib.suppress(OSError):
        pidfd = os.pidfd_open(pid or 0)
        try:
            if not (_PROC / str(pid) / "cmdline").read_bytes():
                await ended(pidfd, TERM_SECONDS)
        finally:
            os.close(pidfd)


def reap(id_type: int, which: int) -> None:
    """Take the exit status of a process that has ended, if it is a child of ours.

    ``id_type`` says whether ``which`` is a pid (``os.P_PID``) or a pidfd (``os.P_PIDFD``).
    """
    with contextlib.suppress(ChildProcessError):
        os.waitid(id_type, which, os.WEXITED | os.WNOHANG)


async def exit_of(pid: int, network: UUID, kind: Kind) -> None:
    """Wait until a process that was seen to be one of ours has ended, for whatever reason."""
    for found in await asyncio.to_thread(running, kind, network):
        if found.pid == pid:
            with hold(found, kind) as pidfd:
                if pidfd is not None:
                    await ended(pidfd)
