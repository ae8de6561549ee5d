"""Which of several engines on one host mends what others break, and tells what goes on by itself.

The daemon's, where one runs; else one of those that watch, the first that wanted to. Locks are
flock(2)'s: who is killed lets go, and the next engine to whom something happens takes its place.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from vnet_tui.engine.paths import Paths


class Guard:
    """One engine's part in that. All methods take microseconds."""

    def __init__(self, paths: Paths) -> None:
        self._daemon_lock = paths.daemon_lock
        self._path = paths.run / "guard.lock"
        self._held: int | None = None

    def acts(self) -> bool:
        """Whether this engine is the one, now."""
        daemon = _holder(self._daemon_lock)
        if daemon is not None:
            self.close()
            return daemon == os.getpid()
        return self._take()

    def close(self) -> None:
        """Leave it to others."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _take(self) -> bool:
        if self._held is not None:
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(self._held), self._path.stat()):
                    return True
            self.close()  # the run directory was removed, and the lock with it
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return True  # where nothing can be written no other engine gets further
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._held = descriptor
        return True


def _holder(path: Path) -> int | None:
    """The process that holds a lock and wrote its id there; None where nobody does, 0 where it
    doesn't say who it is."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            return int(os.read(descriptor, 32))
        except (OSError, ValueError):
            return 0
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None
