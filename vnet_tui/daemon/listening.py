"""The socket that the daemon listens on: given by systemd, or made by itself; one daemon only."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vnet_tui.engine.errors import BusyError, StoreError
from vnet_tui.engine.paths import Paths

_FIRST_GIVEN = 3  # SD_LISTEN_FDS_START, sd_listen_fds(3)
_BACKLOG = 1024

_SOCKETS = Path("/proc/net/unix")  # those of this network namespace (proc(5))
_ACCEPTS = 1 << 16  # __SO_ACCEPTCON, linux/net.h


@contextmanager
def only_daemon(paths: Paths) -> Iterator[None]:
    """Be the one daemon of a run directory; killed ones let go by themselves (flock(2)).

    Raises :class:`~vnet_tui.engine.errors.BusyError` when another one is that, and
    :class:`~vnet_tui.engine.errors.StoreError` where there can't be a run directory.
    """
    try:
        paths.run.mkdir(parents=True, exist_ok=True)
        lock = os.open(paths.daemon_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(
            f"can't use the run directory {paths.run}: {error.strerror}",
            "choose another with --run-dir",
        ) from error
    try:
        try:
            _lock(lock)
        except BlockingIOError:
            pid = os.read(lock, 32).decode(errors="replace").strip()
            raise BusyError(
                f"vnetd runs already on {paths.run}" + (f" (pid {pid})" if pid else ""),
                "end that one first, or choose another --run-dir",
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


def _lock(descriptor: int) -> None:
    """Take a lock, or raise BlockingIOError. Engines that look whether there is a daemon hold it
    for microseconds."""
    for wait in (0.01, 0.05, 0.0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise
            time.sleep(wait)
        else:
            return


@contextmanager
def listening(path: Path, environ: Mapping[str, str] = os.environ) -> Iterator[socket.socket]:
    """The socket to serve: the first one that systemd gave (sd_listen_fds(3)), else one at
    ``path``, in place of what an ended daemon left there.

    Everybody may connect; what one may do then is decided for each.
    Raises :class:`~vnet_tui.engine.errors.StoreError` where there can't be one, and
    :class:`~vnet_tui.engine.errors.BusyError` where another program listens there.
    """
    if environ.get("LISTEN_PID") == str(os.getpid()) and environ.get("LISTEN_FDS", "0") != "0":
        given = socket.socket(fileno=_FIRST_GIVEN)
        os.set_inheritable(_FIRST_GIVEN, False)
        if given.family != socket.AF_UNIX or given.type != socket.SOCK_STREAM:
            raise StoreError("the socket that was given isn't a Unix stream socket")
        with given:
            yield given
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        try:
            _remove(path)
            made.bind(str(path))
            path.chmod(0o666)
            made.listen(_BACKLOG)
        except OSError as error:
            raise StoreError(f"can't listen on {path}: {error.strerror or error}") from error
        ours = path.stat().st_ino
        try:
            yield made
        finally:
            with contextlib.suppress(OSError):
                if path.stat().st_ino == ours:
                    path.unlink()


def _remove(path: Path) -> None:
    """Take away a socket that nobody listens on any more; nothing else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise StoreError(f"{path} is in the way: it is no socket", "move it away")
    if _is_listened_on(path):
        raise BusyError(
            f"somebody listens on {path} already, systemd for its service perhaps",
            "systemctl start vnetd, or choose another --run-dir",
        )
    path.unlink()


def _is_listened_on(path: Path) -> bool:
    """Without connecting, which would have systemd start the service."""
    for line in _SOCKETS.read_bytes().splitlines()[1:]:
        fields = line.split(None, 7)
        if fields[7:] == [os.fsencode(path)] and int(fields[3], 16) & _ACCEPTS:
            return True
    return False
