"""Hearing what changes on interfaces: rtnetlink notifications, told in terms of ports."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType

from vnet_tui.engine.drivers.links.messages import (
    AF_BRIDGE,
    LinkMessage,
    address_index,
    family,
    read_link,
)
from vnet_tui.engine.drivers.netlink import (
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
    Message,
    messages,
    route_socket,
)
from vnet_tui.engine.errors import DriverError

_GROUPS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_DATAGRAM = 65536


class Happened(StrEnum):
    """What happened to an interface."""

    ADDED = "added"
    REMOVED = "removed"
    ATTACHED = "attached"
    DETACHED = "detached"
    CHANGED = "changed"
    ADDRESSES = "addresses"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """Something happened to interface ``name``.

    ``master`` is the bridge that it was attached to or detached from, otherwise the one that it
    is a port of, if any. MISSED is about no interface: more happened than could be told, so look
    anew at everything.
    """

    happened: Happened
    index: int = 0
    name: str = ""
    master: str | None = None


def listen() -> socket.socket:
    """A socket that hears of interfaces and addresses in the calling thread's namespace."""
    made = route_socket(_GROUPS)
    made.setblocking(False)
    return made


class LinkWatch:
    """An endless iterator over what changes, for one reader at a time.

    It holds what one datagram said; a reader too slow for the kernel's buffer (1 MiB) hears
    :attr:`Happened.MISSED`, and goes on from what is there then.
    """

    def __init__(
        self,
        heard: socket.socket,
        known: Mapping[int, LinkMessage],
        look: Callable[[], Awaitable[Mapping[int, LinkMessage]]],
    ) -> None:
        """``known`` are the interfaces, looked at with ``look`` after ``heard`` was listening."""
        self._heard = heard
        self._known = dict(known)
        self._look = look
        self._pending: deque[LinkChange] = deque()

    async def aclose(self) -> None:
        """Stop listening. Who still waits for a change is to be cancelled first."""
        self._heard.close()

    async def __aenter__(self) -> LinkWatch:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> LinkWatch:
        return self

    async def __anext__(self) -> LinkChange:
        loop = asyncio.get_running_loop()
        while not self._pending:
            try:
                data = await loop.sock_recv(self._heard, _DATAGRAM)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise DriverError(f"listening to netlink: {error.strerror}") from error
                self._drain()
                self._known = dict(await self._look())
                return LinkChange(happened=Happened.MISSED)
            for message in messages(data):
                self._pending.extend(self._told(message))
        return self._pending.popleft()

    def _drain(self) -> None:
        """Throw away what waits: only an emptied socket tells again of what it loses
        (``netlink_overrun`` in ``net/netlink/af_netlink.c``)."""
        while True:
            try:
                self._heard.recv(_DATAGRAM)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise

    def _told(self, message: Message) -> Iterator[LinkChange]:
        kind = message[0]
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            link = self._known.get(address_index(message))
            if link is not None:
                yield self._change(Happened.ADDRESSES, link)
        # Those about bridge ports (AF_BRIDGE) say nothing that the others don't.
        elif kind == RTM_NEWLINK and family(message) != AF_BRIDGE:
            yield from self._there(read_link(message))
        elif kind == RTM_DELLINK and family(message) != AF_BRIDGE:
            yield from self._gone(self._known.pop(read_link(message).index, None))

    def _there(self, new: LinkMessage) -> Iterator[LinkChange]:
        old = self._known.get(new.index)
        if old == new:
            return
        if old is not None and old.name != new.name:
            yield from self._gone(old)
            old = None
        self._known[new.index] = new
        if old is None:
            yield self._change(Happened.ADDED, new)
        elif old.master == new.master:
            yield self._change(Happened.CHANGED, new)
        elif old.master:
            yield self._change(Happened.DETACHED, old)
        if new.master and (old is None or old.master != new.master):
            yield self._change(Happened.ATTACHED, new)

    def _gone(self, old: LinkMessage | None) -> Iterator[LinkChange]:
        if old is None:
            return
        if old.master:
            yield self._change(Happened.DETACHED, old)
        yield self._change(Happened.REMOVED, old)

    def _change(self, happened: Happened, link: LinkMessage) -> LinkChange:
        master = self._known.get(link.master)
        return LinkChange(
            happened=happened,
            index=link.index,
            name=link.name,
            master=master.name if master else None,
        )
