"""The lock that all programs hold while they change legacy tables: /run/xtables.lock.

A table is read, changed, and put back as a whole: without the lock, what another program put in
between would be lost. python-iptables doesn't take it, see iptables(8) on ``-w``.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vnet_tui.engine.errors import DriverError

PATIENCE = 10.0
"""Seconds to wait for others to finish."""

_GLANCE = 0.01


def lock_path() -> Path:
    """Where it is: XTABLES_LOCKFILE, which iptables(8) knows too, or /run/xtables.lock."""
    return Path(os.environ.get("XTABLES_LOCKFILE") or "/run/xtables.lock")


class TablesLock:
    """The lock, opened once.

    Who inherits ``fd`` holds the lock too while it is held, so that a child at work on the tables
    keeps others away even when its parent is killed.
    """

    def __init__(self) -> None:
        self._path = lock_path()
        self.fd = self._open()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have it, waiting for others at most ``PATIENCE`` long. Raises DriverError after that."""
        if not self._current():
            os.close(self.fd)
            self.fd = self._open()
        end = time.monotonic() + PATIENCE
        while not self._try():
            if time.monotonic() > end:
                raise DriverError(
                    f"another program has held {self._path} for {PATIENCE:g} seconds{self._who()}",
                    "wait for it, or see what it is doing",
                )
            time.sleep(_GLANCE)
        try:
            yield
        finally:
            fcntl.flock(self.fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DriverError(
                f"can't open {self._path}: {error.strerror}",
                "see that its directory is there, or name another file in XTABLES_LOCKFILE",
            ) from error

    def _try(self) -> bool:
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _current(self) -> bool:
        """Whether the file is still the one that others find under its name."""
        ours = os.fstat(self.fd)
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return False
        return (ours.st_dev, ours.st_ino) == (named.st_dev, named.st_ino)

    def _who(self) -> str:
        """The process that holds it, as far as /proc/locks tells (proc_locks(5))."""
        inode = str(os.fstat(self.fd).st_ino)
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == inode:
                return f": process {fields[4]}"
        return ""
