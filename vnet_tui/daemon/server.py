"""The daemon's clients, all of them: who is let in, how many, how long, and what they share."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from vnet_tui.client.connection import IMPORTED_LATER, Connection
from vnet_tui.daemon.rights import Peer, Rights, Role
from vnet_tui.daemon.session import Session
from vnet_tui.engine.errors import BusyError
from vnet_tui.protocol import INTERFACE, faults
from vnet_tui.protocol.messages import LONGEST_CALL, pack
from vnet_tui.protocol.methods import Method, methods_of
from vnet_tui.protocol.wire import Budget, Wire

T = TypeVar("T")

_BACKLOG = 1024
_LOOK_INTERVAL = 1.0
_FAREWELL = 5.0
"""Seconds for what is being read when the daemon ends."""

KEPT_ITEMS = 4
"""So many items of a stream are kept as JSON: clients may want one moment in several details."""

_log = logging.getLogger("vnet.daemon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What clients may take. Times are in seconds, sizes in bytes.

    ``first_call``: until a client that connected has made its first call, and until a call that
    began to come is there; ``idle``: between calls; ``stalled``: without reading what it is sent.
    ``reads`` is how many calls that read are worked on at a time for one user.
    """

    connections: int = 1024
    connections_of_user: int = 128
    connections_of_changer: int = 768
    reads: int = 8
    call: int = LONGEST_CALL
    call_of_nobody: int = 4096
    incomplete: int = 64 * 1024 * 1024
    first_call: float = 30.0
    idle: float = 900.0
    stalled: float = 30.0


class Server:
    """Serves an API to everybody who connects."""

    def __init__(self, api: Connection, rights: Rights, limits: Limits | None = None) -> None:
        self.api = api
        self.rights = rights
        self.methods: Mapping[str, Method] = {
            method.wire_name: method for method in methods_of(Connection, IMPORTED_LATER).values()
        }
        self._limits = limits or Limits()
        self._budget = Budget(self._limits.incomplete)
        self._sessions: dict[asyncio.Task[None], Session] = {}
        self._of_user: Counter[int] = Counter()
        self._turns: dict[int, asyncio.Semaphore] = {}
        self._changes: set[asyncio.Task[Any]] = set()
        self._encoded: dict[str, tuple[tuple[object, bytes], ...]] = {}
        self._descriptions: Mapping[str, str] = {}
        self._numbers = 0
        self._listening: asyncio.Server | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def clients(self) -> Collection[Session]:
        """Who is connected."""
        return self._sessions.values()

    async def serve(self, listening: socket.socket) -> None:
        """Begin to let clients in."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._wire, sock=listening, backlog=_BACKLOG)
        self._looking = asyncio.create_task(self._look_after())

    async def close(self) -> None:
        """Let nobody in any more, bring changes to their end, and part with the clients."""
        if self._listening is not None:
            self._listening.close()
        if self._looking is not None:
            self._looking.cancel()
        while self._changes:
            await asyncio.wait(self._changes)
        for session in self._sessions.values():
            session.end()
        if self._sessions:
            await asyncio.wait(self._sessions, timeout=_FAREWELL)
        for task, session in self._sessions.items():
            session.wire.abort()
            task.cancel()

    # What sessions share

    async def to_its_end(self, change: Coroutine[Any, Any, T]) -> T:
        """The result of a change, which goes on to its end whatever becomes of the client."""
        task = asyncio.ensure_future(change)
        self._changes.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, change: asyncio.Task[Any]) -> None:
        self._changes.discard(change)
        if not change.cancelled():
            change.exception()  # it was seen, also when nobody waits for it any more

    @contextlib.asynccontextmanager
    async def turn(self, uid: int) -> AsyncIterator[None]:
        """Wait until few enough calls of a user are being worked on."""
        turns = self._turns.setdefault(uid, asyncio.Semaphore(self._limits.reads))
        async with turns:
            yield

    def encoded(self, method: Method, item: object) -> bytes:
        """An item of a stream, or an answer, as JSON; made once for all who get the same."""
        known = self._encoded.get(method.name, ())
        for one, made in known:
            if one is item or (not method.streams and one == item):
                return made
        content = method.encode_result(item)
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        made = text.encode("utf-8", "backslashreplace")
        kept = KEPT_ITEMS if method.streams else 1
        self._encoded[method.name] = ((item, made), *known[: kept - 1])
        return made

    def descriptions(self) -> Mapping[str, str]:
        """The interfaces as varlink describes them, by name."""
        if not self._descriptions:
            from vnet_tui.protocol import idl

            self._descriptions = {
                INTERFACE: idl.describe(tuple(self.methods.values())),
                faults.SERVICE: idl.SERVICE_DESCRIPTION,
            }
        return self._descriptions

    # Who is let in

    def _wire(self) -> Wire:
        return Wire(self._limits.call, budget=self._budget, on_made=self._arrived)

    def _arrived(self, wire: Wire) -> None:
        try:
            peer = Peer.of(wire.socket)
        except OSError:
            wire.abort()
            return
        role = self.rights.role(peer)
        refused = self._refusal(peer, role)
        if refused is not None:
            wire.write(pack(faults.to_wire(refused)))
            wire.close()
            return
        if role is Role.NOTHING:
            wire.longest = self._limits.call_of_nobody
        self._numbers += 1
        session = Session(self, self._numbers, wire, peer, role)
        task = asyncio.ensure_future(session.run())
        self._sessions[task] = session
        self._of_user[peer.uid] += 1
        task.add_done_callback(self._left)

    def _refusal(self, peer: Peer, role: Role) -> BusyError | None:
        limits = self._limits
        most = limits.connections_of_user
        if role is Role.CHANGE:
            most = limits.connections_of_changer
        if self._of_user[peer.uid] >= most:
            return BusyError(f"uid {peer.uid} has {most} connections to the daemon", "end some")
        if len(self._sessions) >= limits.connections:
            return BusyError(f"the daemon has {limits.connections} connections", "try again later")
        return None

    def _left(self, task: asyncio.Task[None]) -> None:
        session = self._sessions.pop(task)
        uid = session.peer.uid
        self._of_user[uid] -= 1
        if not self._of_user[uid]:
            del self._of_user[uid]
            self._turns.pop(uid, None)
        session.wire.close()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a session failed inside the daemon", exc_info=error)

    # Who has to go

    async def _look_after(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_INTERVAL)
            now = loop.time()
            for session in list(self._sessions.values()):
                if reason := self._over(session, now):
                    peer = session.peer
                    _log.info("pid %d of uid %d is cut off: %s", peer.pid, peer.uid, reason)
                    session.wire.abort()

    def _over(self, session: Session, now: float) -> str:
        """Why a client has to go; empty while it may stay."""
        limits, behind, waiting = self._limits, session.wire.behind_since, session.waiting_since
        if behind is not None and now - behind > limits.stalled:
            return "it doesn't read what it is sent"
        if waiting is None:
            return ""
        if session.wire.unread or not session.served:
            return "its call doesn't come" if now - waiting > limits.first_call else ""
        return "it is idle" if now - waiting > limits.idle else ""
