"""Hearing that somebody changed our nftables rules, in the network namespace of the caller.

The group is NFNLGRP_NFTABLES of ``linux/netfilter/nfnetlink.h``. In every message but the one that
ends a transaction the first attribute is the name of the table (``linux/netfilter/nf_tables.h``).
"""

from __future__ import annotations

import asyncio
import errno
import socket
from types import TracebackType
from typing import Self

from vnet_tui.engine.drivers.netlink import attributes, messages
from vnet_tui.engine.errors import DriverError

_NETLINK_NETFILTER = 12
_NFGENMSG = 4  # bytes of its struct
_NFT_MSG_NEWGEN = 15
_TABLE = frozenset((1,))  # NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE and so on
_NFNLGRP_NFTABLES = 7
_ENOUGH = 1 << 16


class RulesetWatch:
    """Tells that something in a table of this name changed, whoever did it; what changed has to be
    looked at.

    >>> with RulesetWatch("vnet") as watch:  # doctest: +SKIP
    ...     while True:
    ...         await watch.changed()
    """

    def __init__(self, table: str) -> None:
        self._table = table.encode() + b"\0"
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
        while True:
            try:
                heard = await asyncio.get_running_loop().sock_recv(self._socket, _ENOUGH)
            except OSError as error:
                # A full buffer means that more changed than could be told: a change all the same.
                if error.errno != errno.ENOBUFS:
                    raise DriverError(f"listening to nftables: {error.strerror}") from error
                return
            if self._concerned(heard):
                return

    def _concerned(self, heard: bytes) -> bool:
        return any(
            kind & 0xFF != _NFT_MSG_NEWGEN
            and attributes(data, start + _NFGENMSG, end, _TABLE).get(1) == self._table
            for kind, _, data, start, end in messages(heard)
        )
