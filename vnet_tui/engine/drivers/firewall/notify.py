"""Hearing that somebody changed nftables rules, in the network namespace of the caller.

The group is NFNLGRP_NFTABLES of ``linux/netfilter/nfnetlink.h``.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from types import TracebackType
from typing import Self

from vnet_tui.engine.errors import DriverError

_NETLINK_NETFILTER = 12
_NFNLGRP_NFTABLES = 7
_ENOUGH = 1 << 16


class RulesetWatch:
    """Tells that rules changed, whoever did it; what changed has to be looked at.

    >>> with RulesetWatch() as watch:  # doctest: +SKIP
    ...     while True:
    ...         await watch.changed()
    """

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _NETLINK_NETFILTER
        )
        try:
            self._socket.bind((0, 1 << (_NFNLGRP_NFTABLES - 1)))
        except OSError as error:
            self._socket.close()
            raise DriverError(f"listening to nftables: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    async def changed(self) -> None:
        """Wait for the next change. Raises :class:`~vnet_tui.engine.errors.DriverError`."""
        try:
            await asyncio.get_running_loop().sock_recv(self._socket, _ENOUGH)
        except OSError as error:
            # A full buffer means that more changed than could be told: a change all the same.
            if error.errno != errno.ENOBUFS:
                raise DriverError(f"listening to nftables: {error.strerror}") from error
