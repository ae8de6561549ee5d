"""One change at a time, among all engines that share a run directory."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from vnet_tui.engine.errors import BusyError, StoreError
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.unbroken import unbroken

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds to wait for another engine's change; one takes well under a second."""

_RETRY = 0.02


def refused(error: OSError) -> StoreError:
    """An error of the system's as one of ours."""
    where = f" ({error.filename})" if error.filename else ""
    return StoreError(f"the system refused: {error.strerror or error}{where}")


class ChangeLock:
    """Held while the host is observed and changed. A killed holder lets go (flock(2))."""

    def __init__(self, paths: Paths) -> None:
        self._path = paths.lock
        self._tasks = asyncio.Lock()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Wait for the lock and hold it.

        Raises :class:`~vnet_tui.engine.errors.BusyError` when another process keeps it, and
        :class:`~vnet_tui.engine.errors.StoreError` where there can't be a run directory.
        """
        async with self._tasks:
            descriptor = self._open()
            try:
                await self._acquire(descriptor)
                yield
            finally:
                os.close(descriptor)

    async def alone(self, work: Callable[[], T]) -> T:
        """What ``work``, called in a thread, gives while nobody else changes anything. It goes on
        to its end when the caller is cancelled. Raises StoreError where the system refuses."""
        async with self.held():
            try:
                return await unbroken(asyncio.ensure_future(asyncio.to_thread(work)))
            except OSError as error:
                raise refused(error) from error

    def _open(self) -> int:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"can't use the run directory {self._path.parent}: {error.strerror}",
                "choose another with --run-dir",
            ) from error

    async def _acquire(self, descriptor: int) -> None:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if asyncio.get_running_loop().time() > deadline:
                    raise BusyError(
                        f"another vnet process has been changing networks for {PATIENCE:.0f} s",
                        f"see who holds it: fuser {self._path}",
                    ) from None
                await asyncio.sleep(_RETRY)
            else:
                return
