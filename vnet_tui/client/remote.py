"""A connection to a daemon, over its socket or through ssh.

varlink has one call at a time on a connection, so there are several: calls take one that is free,
each stream has its own. One that was lost is made anew, with pauses that grow.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from vnet_tui.client.connection import IMPORTED_LATER, Connection
from vnet_tui.client.way import START, Channel, Way
from vnet_tui.engine.errors import ConnectionLostError, VnetError
from vnet_tui.protocol import INTERFACE, faults
from vnet_tui.protocol.codec import WrongTypeError, decoder
from vnet_tui.protocol.messages import BadMessageError, Json, pack, unpack
from vnet_tui.protocol.methods import JOIN, PROGRESS, RESULT, SKIPPED, Method, methods_of

if TYPE_CHECKING:
    from vnet_tui.client.connection import OnProgress
    from vnet_tui.client.stream import Stream

_MOST_IDLE = 4

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds between attempts to reach a daemon that was lost; each pause is twice the one before."""

LONG = 50_000
"""Replies of so many bytes are decoded beside the event loop: those of a thousand networks take as
long as a picture on a terminal may wait for."""

CALL_PATIENCE = 3.0
"""Seconds for which a call tries to reach a daemon that answered before, unless told otherwise."""


class RemoteConnection:
    """Implements :class:`~vnet_tui.client.connection.Connection`, whose methods it looks up when
    they are first used: :meth:`open` gives one."""

    def __init__(self, way: Way, patience: float = CALL_PATIENCE) -> None:
        self._way = way
        self._patience = patience
        self._methods = methods_of(Connection, IMPORTED_LATER)
        self._idle: list[Channel] = []
        self._streams: set[Stream] = set()
        self._joined: set[Channel] = set()
        self._session = os.urandom(12).hex()
        self._answered = False
        self._closed = False

    @classmethod
    async def open(
        cls, way: Way, *, ask: bool = False, patience: float = CALL_PATIENCE
    ) -> Connection:
        """A connection to the daemon at the end of a way; with ``ask``, one that has answered.
        A call tries for ``patience`` seconds to reach a daemon that answered before.

        Raises :class:`~vnet_tui.engine.errors.ConnectionLostError` where there is none.
        """
        made = cls(way, patience)
        try:
            wire = await way.open()
            if ask:
                wire.write(pack({"method": f"{faults.SERVICE}.GetInfo"}))
                await made._reply(wire, "GetInfo")
        except BaseException:
            await way.close()
            raise
        made._idle.append(wire)
        return cast("Connection", made)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = self._methods.get(name)
        if method is None:
            raise AttributeError(name)
        if method.streams:
            return partial(self._open_stream, method)
        return partial(self._ask, method)

    async def close(self) -> None:
        """Let go; running networks go on."""
        self._closed = True
        for stream in tuple(self._streams):
            await stream.aclose()
        for wire in self._idle:
            wire.close()
        self._idle.clear()
        await self._way.close()

    # Calls

    async def _ask(self, method: Method, *given: Any, **named: Any) -> Any:
        """The result of a method. A change goes on to its end when the caller is cancelled."""
        for stream in tuple(self._streams):
            await stream.begun()  # else it might miss what this call brings about
        bound = method.signature.bind(self, *given, **named).arguments
        arguments = {name: value for name, value in bound.items() if name != "self"}
        if method.changes:
            import asyncio

            from vnet_tui.engine.unbroken import unbroken

            return await unbroken(asyncio.ensure_future(self._change(method, arguments)))
        try:
            return await self._call(method, arguments)
        except ConnectionLostError:
            if not self._answered or self._closed:
                raise
            return await self._call(method, arguments)  # asking twice does no harm

    async def _change(self, method: Method, arguments: Mapping[str, Any]) -> Any:
        wire = await self._take()
        try:
            await self._join(wire)
        except ConnectionLostError:
            if not self._answered:
                raise
            wire = await self._take()  # nothing was asked yet on the one that was lost
            await self._join(wire)
        return await self._on(wire, method, arguments)

    async def _join(self, wire: Channel) -> None:
        """Make a connection part of one session with the others."""
        if wire in self._joined:
            return
        self._joined = {one for one in self._joined if one.open} | {wire}
        wire.write(pack(_message(JOIN, {"session": self._session})))
        await self._reply(wire, JOIN)

    async def _call(self, method: Method, arguments: Mapping[str, Any]) -> Any:
        return await self._on(await self._take(), method, arguments)

    async def _on(self, wire: Channel, method: Method, arguments: Mapping[str, Any]) -> Any:
        on_progress: OnProgress | None = arguments.get("on_progress")
        more = on_progress is not None
        try:
            sent = _message(method.wire_name, method.encode_arguments(arguments), more=more)
            wire.write(pack(sent))
            while True:
                reply, length = await self._reply(wire, method.wire_name)
                content = _content(reply)
                if PROGRESS in content and on_progress is not None:
                    from vnet_tui.engine.views import Progress

                    on_progress(decoder(Progress, False)(content[PROGRESS]))
                if not reply.get("continues"):
                    break
        except BaseException as error:
            if isinstance(error, VnetError) and wire.open:
                self._give_back(wire)  # it was an answer
            else:
                wire.abort()
            raise
        self._give_back(wire)
        if method.result is None:
            return None
        return await _decoded(wire, method, content.get(RESULT), length)

    async def _take(self) -> Channel:
        if self._closed:
            raise ConnectionLostError("this connection was closed")
        while self._idle:
            wire = self._idle.pop()
            if wire.open:
                return wire
        return await self.reach(self._patience if self._answered else 0.0)

    def _give_back(self, wire: Channel) -> None:
        if len(self._idle) < _MOST_IDLE and not self._closed:
            self._idle.append(wire)
        else:
            wire.close()

    async def reach(self, patience: float) -> Channel:
        """A new connection to the daemon, tried again for some seconds."""
        end, pause = time.monotonic() + patience, FIRST_PAUSE
        while True:
            try:
                return await self._way.open()
            except ConnectionLostError:
                if self._closed or time.monotonic() + pause > end:
                    raise
            import asyncio

            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _reply(self, wire: Channel, what: str) -> tuple[dict[str, Json], int]:
        """The next reply, and its length in bytes. Raises the error that it tells."""
        try:
            message = await wire.receive()
            reply = {} if message is None else unpack(message)
        except BadMessageError as error:
            wire.abort()
            raise VnetError(f"what answers isn't vnetd: {error}") from None
        if message is None:
            raise await self._way.lost(wire, what)
        self._answered = True
        if "error" in reply:
            raise faults.from_wire(reply)
        return reply, len(message)

    # Streams

    def _open_stream(self, method: Method, *given: Any, **named: Any) -> AsyncIterator[Any]:
        from vnet_tui.client.stream import Stream

        bound = method.signature.bind(self, *given, **named).arguments
        arguments = {name: value for name, value in bound.items() if name != "self"}
        sent = _message(method.wire_name, method.encode_arguments(arguments), more=True)
        stream = Stream(self, method, sent, self._streams)
        self._streams.add(stream)
        return stream

    async def next_item(self, wire: Channel, method: Method) -> tuple[Any, int]:
        """The next item of a stream (None: there is none in this reply), and how many were skipped
        before it. A stream that the daemon ends is as lost as one that breaks off."""
        reply, length = await self._reply(wire, method.wire_name)
        content = _content(reply)
        if not reply.get("continues"):
            wire.abort()
            raise ConnectionLostError(f"the daemon ended {method.wire_name}", START)
        item = await _decoded(wire, method, content[RESULT], length) if RESULT in content else None
        skipped = content.get(SKIPPED)
        return item, skipped if isinstance(skipped, int) else 0


def _message(name: str, arguments: Mapping[str, Json], *, more: bool = False) -> dict[str, Json]:
    made: dict[str, Json] = {"method": f"{INTERFACE}.{name}", "parameters": arguments}
    return made | {"more": True} if more else made


def _content(reply: Mapping[str, Json]) -> Mapping[str, Json]:
    content = reply.get("parameters")
    return content if isinstance(content, dict) else {}


async def _decoded(wire: Channel, method: Method, value: Json, length: int) -> Any:
    try:
        if length < LONG:
            return method.decode_result(value)
        return await wire.beside(method.decode_result, value)
    except WrongTypeError as error:
        raise VnetError(
            f"the daemon's answer to {method.wire_name} isn't understood: {error}",
            "it is of another version: restart it after an upgrade",
        ) from None
