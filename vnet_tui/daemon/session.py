"""One client: its calls, one after the other, as varlink has it (varlink.org/Method-Call)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from vnet_tui import __version__
from vnet_tui.daemon.outlet import Outlet
from vnet_tui.daemon.rights import Peer, Role
from vnet_tui.engine.caller import CALLER, Caller
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.views import Progress
from vnet_tui.protocol import INTERFACE, faults
from vnet_tui.protocol.codec import WrongTypeError, encoder
from vnet_tui.protocol.messages import BadMessageError, Json, pack, unpack
from vnet_tui.protocol.methods import JOIN, NEWEST_ONLY, PROGRESS, RESULT, Method
from vnet_tui.protocol.wire import Wire

if TYPE_CHECKING:
    from vnet_tui.daemon.server import Server

T = TypeVar("T")

Reply = Mapping[str, Json] | bytes
"""A message, or one that is packed already."""

_LONGEST_NAME = 100
_URL = "https://varlink.org"

_log = logging.getLogger("vnet.daemon")


class Session:
    """A client from its connecting to its end. ``waiting_since`` is when it began to wait for the
    next call, None while it works on one; ``served`` counts the calls."""

    def __init__(self, server: Server, number: int, wire: Wire, peer: Peer, role: Role) -> None:
        self.wire = wire
        self.peer = peer
        self.waiting_since: float | None = None
        self.served = 0
        self._server = server
        self._role = role
        self._name = f"vnetd-{os.getpid()}-{number}"
        self._who = ""
        self._ending = False
        self._part: asyncio.Future[Any] | None = None

    def end(self) -> None:
        """Part with the client when what it asked for is answered; streams end now."""
        self._ending = True
        self._break_off()

    async def run(self) -> None:
        """Answer until the client goes, or sends what is no varlink."""
        loop = asyncio.get_running_loop()
        try:
            while not self._ending:
                self.waiting_since = loop.time()
                message = await self._until_end(self.wire.receive())
                self.waiting_since = None
                if message is None:
                    return
                await self._answer(unpack(message))
                self.served += 1
                await self.wire.room()
        except BadMessageError as error:
            _log.debug("pid %d of uid %d is cut off: %s", self.peer.pid, self.peer.uid, error)
        finally:
            self.wire.close()

    async def _until_end(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of something that :meth:`end` breaks off; None then."""
        self._part = task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task})
        finally:
            self._part = None
            task.cancel()
        return None if task.cancelled() else task.result()

    async def _answer(self, call: Mapping[str, Json]) -> None:
        reply: Reply
        try:
            reply = await self._reply(*_parts(call))
        except WrongTypeError as error:
            reply = faults.invalid_parameter(error.where, error.message)
        except VnetError as error:
            reply = faults.to_wire(error)
        except Exception as error:
            _log.exception("a call of %s failed inside the daemon", call.get("method"))
            kind = type(error).__name__
            told = VnetError(f"something is wrong in the daemon: {kind}", "its log has details")
            reply = faults.to_wire(told)
        if not call.get("oneway"):
            self.wire.write(reply if isinstance(reply, bytes) else pack(reply))

    async def _reply(self, name: str, parameters: Mapping[str, Json], more: bool) -> Reply:
        interface, _, member = name.rpartition(".")
        if interface == faults.SERVICE:
            return self._service(member, parameters)
        if interface != INTERFACE:
            return _service_error("InterfaceNotFound", interface=interface[:_LONGEST_NAME])
        if self._role is Role.NOTHING:
            raise self._server.rights.refusal(self._role, member)
        if member == JOIN:
            return self._join(parameters)
        method = self._server.methods.get(member)
        if method is None:
            return _service_error("MethodNotFound", method=name[:_LONGEST_NAME])
        if method.changes and self._role is not Role.CHANGE:
            raise self._server.rights.refusal(self._role, member)
        arguments = method.decode_arguments(parameters)
        if method.streams:
            return await self._stream(method, arguments, more)
        return await self._call(method, arguments, more)

    def _service(self, member: str, parameters: Mapping[str, Json]) -> Mapping[str, Json]:
        """The interface that every service has (varlink.org/Service)."""
        if member == "GetInfo":
            about = {
                "vendor": "vnet-tui",
                "product": "vnetd",
                "version": __version__,
                "url": _URL,
                "interfaces": [faults.SERVICE, INTERFACE],
            }
            return {"parameters": about}
        if member == "GetInterfaceDescription":
            wanted = parameters.get("interface")
            if not isinstance(wanted, str):
                raise WrongTypeError("it has to be a string", "interface")
            text = self._server.descriptions().get(wanted)
            if text is None:
                return _service_error("InterfaceNotFound", interface=wanted[:_LONGEST_NAME])
            return {"parameters": {"description": text}}
        return _service_error("MethodNotFound", method=f"{faults.SERVICE}.{member[:_LONGEST_NAME]}")

    def _join(self, parameters: Mapping[str, Json]) -> Mapping[str, Json]:
        name = parameters.get("session")
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
            raise WrongTypeError(f"it has to be a string of 1 to {_LONGEST_NAME}", "session")
        self._name = f"{self.peer.uid}:{name}"
        return {"parameters": {}}

    async def _call(self, method: Method, arguments: dict[str, Any], more: bool) -> Reply:
        given = bool(arguments)
        if method.tells_progress and more:
            arguments["on_progress"] = self._tell_progress
        api = self._server.api
        if method.changes:
            await self._become_caller()
            result = await self._server.to_its_end(method.call(api, arguments))
        else:
            async with self._server.turn(self.peer.uid):
                result = await method.call(api, arguments)
        if method.result is None or result is None:
            return {"parameters": {}}
        if given:
            return {"parameters": {RESULT: method.encode_result(result)}}
        # Everybody is told the same, and a list of a thousand networks takes 6 ms to encode.
        encoded = self._server.encoded(method, result)
        return b'{"parameters":{"%s":%s}}\0' % (RESULT.encode(), encoded)

    def _tell_progress(self, progress: Progress) -> None:
        if not self.wire.behind:  # who reads slowly hears of fewer steps
            content = {PROGRESS: encoder(Progress)(progress)}
            self.wire.write(pack({"continues": True, "parameters": content}))

    async def _become_caller(self) -> None:
        if not self._who:
            self._who = await asyncio.to_thread(self.peer.told)
        CALLER.set(Caller(self._who, self._name))

    async def _stream(
        self, method: Method, arguments: dict[str, Any], more: bool
    ) -> Mapping[str, Json]:
        if not more:
            return _service_error("ExpectedMore")
        items = method.call(self._server.api, arguments)
        outlet = Outlet(self.wire, 1) if method.name in NEWEST_ONLY else Outlet(self.wire)
        self.wire.write(pack({"continues": True, "parameters": {}}))
        self.wire.on_end = self._break_off
        try:
            if not self.wire.ended:
                await self._until_end(self._pump(method, items, outlet))
        finally:
            self.wire.on_end = None
            outlet.close()
        return {"parameters": {}}

    def _break_off(self) -> None:
        if self._part is not None:
            self._part.cancel()

    async def _pump(self, method: Method, items: AsyncIterator[Any], outlet: Outlet) -> None:
        try:
            async for item in items:
                outlet.put(self._server.encoded(method, item))
        finally:
            if (close := getattr(items, "aclose", None)) is not None:
                with contextlib.suppress(VnetError):
                    await close()


def _parts(call: Mapping[str, Json]) -> tuple[str, Mapping[str, Json], bool]:
    """Method, parameters and whether several replies are wanted.

    Raises :class:`~vnet_tui.protocol.codec.WrongTypeError` for what is no call.
    """
    method, parameters = call.get("method"), call.get("parameters")
    if not isinstance(method, str):
        raise WrongTypeError("it has to be a string", "method")
    if parameters is not None and not isinstance(parameters, dict):
        raise WrongTypeError("it has to be an object", "parameters")
    for flag in ("more", "oneway", "upgrade"):
        if not isinstance(call.get(flag), bool | None):
            raise WrongTypeError("it has to be true or false", flag)
    if call.get("upgrade"):
        raise WrongTypeError("no method here leads to another protocol", "upgrade")
    return method, parameters or {}, bool(call.get("more"))


def _service_error(name: str, **parameters: str) -> Mapping[str, Json]:
    return {"error": f"{faults.SERVICE}.{name}", "parameters": parameters}
