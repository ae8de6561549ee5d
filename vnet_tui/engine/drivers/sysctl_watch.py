"""Hearing that somebody changed kernel settings, in the network namespace of the caller.

The kernel tells of forwarding (RTNLGRP_IPV4_NETCONF and RTNLGRP_IPV6_NETCONF of
``linux/rtnetlink.h``). Of the others nobody is told, but who writes a file under /proc/sys is seen
by inotify(7), if he writes through the same mount of proc(5) as ours; so from time to time all
count as changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vnet_tui.engine.drivers.netlink import route_socket
from vnet_tui.engine.errors import DriverError

if TYPE_CHECKING:
    from asyncinotify import Inotify

SWEEP_SECONDS = 10.0
"""How long a setting may be wrong that was written through another mount of /proc."""

_GROUPS = (24, 25)  # RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF
_SOL_NETLINK = 270
_NETLINK_ADD_MEMBERSHIP = 1
_ENOUGH = 1 << 16
_ROOT = Path("/proc/sys")


class SettingsWatch:
    """Tells that settings changed, whoever did it; which ones has to be looked at.

    >>> with SettingsWatch() as watch:  # doctest: +SKIP
    ...     watch.follow(["net/ipv4/conf/vnet-foo/route_localnet"])
    ...     await watch.changed()
    """

    def __init__(self) -> None:
        self._socket = route_socket(receive_buffer=1 << 16)
        self._socket.setblocking(False)
        for group in _GROUPS:
            self._socket.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)
        self._inotify: Inotify | None = None
        self._waiting: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._waiting:
            task.cancel()
        self._socket.close()
        if self._inotify is not None:
            self._inotify.close()

    def follow(self, keys: Iterable[str]) -> None:
        """Hear of these settings, paths under /proc/sys, from now on and of no others. Those that
        aren't there are passed over. To be called again when interfaces were made anew: their
        settings are then other files. Takes 5 µs a key."""
        from asyncinotify import Inotify, Mask

        with contextlib.suppress(OSError):  # no inotify instance is left: there is the sweep
            new = Inotify()
            for key in keys:
                with contextlib.suppress(OSError):
                    new.add_watch(_ROOT / key, Mask.MODIFY)
            old, self._inotify = self._inotify, new
            self._cancel()
            if old is not None:
                old.close()

    async def changed(self) -> None:
        """Wait for the next change. Raises :class:`~vnet_tui.engine.errors.DriverError`."""
        if not self._waiting:
            self._waiting = {asyncio.ensure_future(self._told())}
            if self._inotify is not None:
                self._waiting.add(asyncio.ensure_future(_written(self._inotify)))
        done, self._waiting = await asyncio.wait(
            self._waiting, timeout=SWEEP_SECONDS, return_when="FIRST_COMPLETED"
        )
        self._cancel()
        for task in done:
            if not task.cancelled():
                task.result()

    def _cancel(self) -> None:
        for task in self._waiting:
            task.cancel()
        self._waiting = set()

    async def _told(self) -> None:
        try:
            await asyncio.get_running_loop().sock_recv(self._socket, _ENOUGH)
            with contextlib.suppress(BlockingIOError):
                while True:  # each interface is told of
                    self._socket.recv(_ENOUGH)
        except OSError as error:
            # A full buffer means that more changed than could be told: a change all the same.
            if error.errno != errno.ENOBUFS:
                raise DriverError(f"listening to kernel settings: {error.strerror}") from error


async def _written(inotify: Inotify) -> None:
    await inotify.get()
