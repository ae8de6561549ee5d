"""``virConnect``: a connection to a manager of virtual networks, usable from several threads."""

from __future__ import annotations

import itertools
import re
import socket
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from vnet_tui import __version__
from vnet_tui.engine.views import EventKind
from vnet_tui.virnet import constants as c, dispatch
from vnet_tui.virnet.background import Background
from vnet_tui.virnet.errors import failure, translated
from vnet_tui.virnet.network import virNetwork

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.views import Event, NetworkInfo

T = TypeVar("T")

Callback = Callable[["virConnect", virNetwork, int, int, Any], object]
"""Called with the connection, the network, ``VIR_NETWORK_EVENT_*``, a detail (0), the opaque."""

_LIFECYCLE = {
    EventKind.DEFINED: c.VIR_NETWORK_EVENT_DEFINED,
    EventKind.UNDEFINED: c.VIR_NETWORK_EVENT_UNDEFINED,
    EventKind.STARTED: c.VIR_NETWORK_EVENT_STARTED,
    EventKind.STOPPED: c.VIR_NETWORK_EVENT_STOPPED,
}

_HYPERVISOR = re.compile(r"(?:qemu|lxc|xen|vz|bhyve|ch)(\+ssh)?://([^/]*)/.*")


class virConnect:
    """What :func:`vnet_tui.virnet.open` gives. All methods block, and raise libvirtError."""

    def __init__(self, uri: str, *, read_only: bool) -> None:
        self._uri = _meant(uri)
        self._read_only = read_only
        self._background = Background()
        self._ending = threading.Lock()
        self._closed = False
        self._callback_ids = itertools.count()
        self._callbacks: dict[int, tuple[UUID | None, Callback, Any]] = {}
        self._listening = False
        try:
            with translated():
                self._connection = self._background.call(_opened(self._uri))
        except BaseException:
            self._background.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # The connection itself

    def close(self) -> int:
        """Let go; running networks go on. 0. A second time does nothing."""
        with self._ending:
            if not self._closed:
                self._closed = True
                self._background.call(self._connection.close())
                self._background.close()
        return 0

    def isAlive(self) -> int:
        """1 until it is closed."""
        return int(not self._closed)

    def isSecure(self) -> int:
        """1: a socket of this host, or ssh."""
        return 1

    def isEncrypted(self) -> int:
        """1 over ssh."""
        return int(self._uri.startswith("vnet+ssh:"))

    def getURI(self) -> str:
        """The URI, as it was understood."""
        return self._uri or "vnet:///system"

    def getType(self) -> str:
        """What manages the networks."""
        return "VNET"

    def getHostname(self) -> str:
        """The host whose networks these are."""
        if self._uri.startswith("vnet+ssh:"):
            return self.ask(lambda connection: connection.host()).name
        return socket.gethostname()

    def getLibVersion(self) -> int:
        """This library's version, as major * 1,000,000 + minor * 1,000 + release."""
        return version()

    def getVersion(self) -> int:
        """The same: there is no hypervisor that could have another."""
        return self.getLibVersion()

    # What there is

    def numOfNetworks(self) -> int:
        """How many networks run."""
        return len(self._running())

    def listNetworks(self) -> list[str]:
        """The names of those that run."""
        return [info.name for info in self._running()]

    def listNetworksID(self) -> list[int]:
        """The ids of those that run, as ``listDomainsID`` gives those of domains."""
        return [info.id for info in self._running() if info.id is not None]

    def numOfDefinedNetworks(self) -> int:
        """How many networks are defined and don't run."""
        return len(self._idle())

    def listDefinedNetworks(self) -> list[str]:
        """The names of those that are defined and don't run."""
        return [info.name for info in self._idle()]

    def listAllNetworks(self, flags: int = 0) -> list[virNetwork]:
        """All networks that ``VIR_CONNECT_LIST_NETWORKS_*`` let through: of each pair of opposite
        flags, one, or neither for both."""
        return [
            virNetwork(self, info.uuid, info.name)
            for info in self._infos()
            if _wanted(info.active, flags, 2, 1)
            and _wanted(info.persistent, flags, 4, 8)
            and _wanted(info.autostart, flags, 16, 32)
        ]

    def networkLookupByName(self, name: str) -> virNetwork:
        """The network of that name."""
        return self._found(lambda info: info.name == name, f"name {name!r}")

    def networkLookupByID(self, id: int) -> virNetwork:
        """The running network with that id."""
        return self._found(lambda info: info.id == id, f"id {id}")

    def networkLookupByUUID(self, uuid: bytes) -> virNetwork:
        """The network with that UUID, as sixteen bytes."""
        if len(uuid) != 16:
            raise failure(c.VIR_ERR_INVALID_ARG, c.VIR_FROM_NETWORK, "a UUID has 16 bytes")
        return self._by_uuid(UUID(bytes=bytes(uuid)))

    def networkLookupByUUIDString(self, uuidstr: str) -> virNetwork:
        """The network with that UUID, with dashes or without."""
        try:
            uuid = UUID(uuidstr)
        except ValueError:
            message = f"{uuidstr!r} is not a UUID"
            raise failure(c.VIR_ERR_INVALID_ARG, c.VIR_FROM_NETWORK, message) from None
        return self._by_uuid(uuid)

    # New networks

    def networkCreateXML(self, xmlDesc: str) -> virNetwork:
        """Start a transient network."""
        info = self.change(lambda connection: connection.create(xmlDesc))
        return virNetwork(self, info.uuid, info.name)

    def networkCreateXMLFlags(self, xmlDesc: str, flags: int = 0) -> virNetwork:
        """The same; documents are always validated."""
        self.check_flags(flags, c.VIR_NETWORK_CREATE_VALIDATE)
        return self.networkCreateXML(xmlDesc)

    def networkDefineXML(self, xml: str) -> virNetwork:
        """Put a definition into the store, new or in place of an earlier one."""
        info = self.change(lambda connection: connection.define(xml))
        return virNetwork(self, info.uuid, info.name)

    def networkDefineXMLFlags(self, xml: str, flags: int = 0) -> virNetwork:
        """The same; documents are always validated."""
        self.check_flags(flags, c.VIR_NETWORK_DEFINE_VALIDATE)
        return self.networkDefineXML(xml)

    # Events

    def networkEventRegisterAny(
        self, net: virNetwork | None, eventID: int, cb: Callback, opaque: Any
    ) -> int:
        """Call ``cb`` when a network, or with None any, is defined, undefined, started, stopped.

        It runs in the thread that calls ``virEventRunDefaultImpl``. Gives a number for
        :meth:`networkEventDeregisterAny`.
        """
        if eventID != c.VIR_NETWORK_EVENT_ID_LIFECYCLE:
            message = f"there are no events of kind {eventID}"
            raise failure(c.VIR_ERR_INVALID_ARG, c.VIR_FROM_NETWORK, message)
        if not dispatch.registered():
            raise failure(
                c.VIR_ERR_INTERNAL_ERROR,
                c.VIR_FROM_NONE,
                "nothing would run callbacks: call virEventRegisterDefaultImpl() first",
            )
        number = next(self._callback_ids)
        uuid = None if net is None else UUID(bytes=net.UUID())
        self._callbacks[number] = (uuid, cb, opaque)
        with self._ending:
            if not self._listening:
                # Subscribed before this returns, so that no event after it is missed.
                self.ask(self._subscribe)
                self._listening = True
        return number

    def networkEventDeregisterAny(self, callbackID: int) -> None:
        """Call that one no more."""
        if self._callbacks.pop(callbackID, None) is None:
            message = f"there is no callback {callbackID}"
            raise failure(c.VIR_ERR_INVALID_ARG, c.VIR_FROM_NETWORK, message)

    async def _subscribe(self, connection: Connection) -> None:
        events = connection.events()

        async def listen() -> None:
            with translated():
                async for event in events:
                    self._tell(event)

        self._background.begin(listen())

    def _tell(self, event: Event) -> None:
        kind = _LIFECYCLE.get(event.kind)
        if kind is None or event.network is None:
            return
        for number, (uuid, _, _) in tuple(self._callbacks.items()):
            if uuid in (None, event.network):
                network = virNetwork(self, event.network, event.name)
                dispatch.post(partial(self._call, number, network, kind))

    def _call(self, number: int, network: virNetwork, kind: int) -> None:
        if (found := self._callbacks.get(number)) is not None:
            _, callback, opaque = found
            callback(self, network, kind, 0, opaque)

    # For the networks of this connection

    def ask(self, question: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        """What the manager answers."""
        if self._closed:
            raise failure(c.VIR_ERR_INVALID_CONN, c.VIR_FROM_NONE, "the connection is closed")
        with translated():
            return self._background.call(question(self._connection))

    def change(self, request: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        """What comes of a change; refused where the connection is for reading."""
        if self._read_only:
            message = "the connection is for reading only: open() gives one for changes"
            raise failure(c.VIR_ERR_OPERATION_DENIED, c.VIR_FROM_NONE, message)
        return self.ask(request)

    def check_flags(self, flags: int, known: int) -> None:
        """Refuse flags that mean nothing here."""
        if unknown := flags & ~known:
            message = f"unsupported flags (0x{unknown:x})"
            raise failure(c.VIR_ERR_INVALID_ARG, c.VIR_FROM_NETWORK, message)

    def _infos(self) -> tuple[NetworkInfo, ...]:
        return self.ask(lambda connection: connection.networks())

    def _running(self) -> list[NetworkInfo]:
        return [info for info in self._infos() if info.active]

    def _idle(self) -> list[NetworkInfo]:
        return [info for info in self._infos() if not info.active]

    def _by_uuid(self, uuid: UUID) -> virNetwork:
        return self._found(lambda info: info.uuid == uuid, f"UUID {uuid}")

    def _found(self, wanted: Callable[[NetworkInfo], bool], what: str) -> virNetwork:
        """A name that looks like another network's UUID or id is still only a name here."""
        for info in self._infos():
            if wanted(info):
                return virNetwork(self, info.uuid, info.name)
        message = f"Network not found: no network with {what}"
        raise failure(c.VIR_ERR_NO_NETWORK, c.VIR_FROM_NETWORK, message)


def version() -> int:
    """This library's version, as libvirt counts its own."""
    parts = [int(number) for number in re.findall(r"\d+", __version__)[:3]]
    major, minor, release = (*parts, 0, 0, 0)[:3]
    return major * 1_000_000 + minor * 1_000 + release


def _wanted(has: bool, flags: int, yes: int, no: int) -> bool:
    asked = flags & (yes | no)
    return asked in (0, yes | no) or bool(asked & yes) is has


def _meant(uri: str) -> str:
    """A hypervisor's URI means the manager of networks beside it, on that host."""
    if not (found := _HYPERVISOR.fullmatch(uri)):
        return uri
    ssh, host = found.groups()
    if ssh:
        return f"vnet+ssh://{host}/system"
    if host:
        message = f"can't reach {host} as {uri} says: vnet+ssh://{host}/system goes there"
        raise failure(c.VIR_ERR_NO_CONNECT, c.VIR_FROM_NONE, message)
    return ""


async def _opened(uri: str) -> Connection:
    from vnet_tui import client

    return await client.open(uri)
