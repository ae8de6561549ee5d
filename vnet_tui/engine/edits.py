"""Changes of what is defined: one at a time, refused while others have changes on trial, logged."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

from vnet_tui.engine import audit, definitions
from vnet_tui.engine.catalog import Catalog, Listing
from vnet_tui.engine.checkpoint import Checkpoints
from vnet_tui.engine.errors import StateError
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.lock import ChangeLock
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import EventKind, Ref

T = TypeVar("T")


def accept(text: str, listing: Listing) -> tuple[Network, UUID]:
    """The network that a document describes, settled beside those that there are."""
    interfaces = [name for _, name in socket.if_nameindex()]
    network = definitions.accept(text, listing.known, interfaces)
    if network.uuid is None:
        raise AssertionError("an accepted network has a UUID")
    return network, network.uuid


class Edits:
    """Changes the store, and which networks start by themselves."""

    def __init__(
        self, paths: Paths, catalog: Catalog, bus: EventBus, checkpoints: Checkpoints
    ) -> None:
        self._catalog = catalog
        self._store = catalog.store
        self._bus = bus
        self._checkpoints = checkpoints
        self._lock = ChangeLock(paths)

    async def define(self, text: str, replacing: str | None) -> UUID:
        """Store a definition, in place of ``replacing`` where one is given."""
        uuid, name = await self._alone(partial(self._define, text, replacing))
        self._bus.tell(EventKind.DEFINED, uuid, name, "definition stored")
        return uuid

    async def undefine(self, ref: Ref) -> None:
        """Remove a definition."""
        uuid, name = await self._alone(partial(self._undefine, ref))
        self._bus.tell(EventKind.UNDEFINED, uuid, name, "definition removed")

    async def set_autostart(self, ref: Ref, on: bool) -> UUID:
        """Whether a network starts by itself."""
        uuid, name = await self._alone(partial(self._set_autostart, ref, on))
        message = "starts with the host" if on else "no longer starts with the host"
        self._bus.tell(EventKind.AUTOSTART, uuid, name, message)
        return uuid

    async def _alone(self, work: Callable[[Listing], T]) -> T:
        def allowed() -> T:
            self._checkpoints.allow()
            return work(self._catalog.look())

        await self._checkpoints.end_overdue()
        return await self._lock.alone(allowed)

    def _define(self, text: str, replacing: str | None, listing: Listing) -> tuple[UUID, str]:
        network, uuid = accept(text, listing)
        with audit.logged("define", {uuid: network.name}):
            if replacing is not None:
                definitions.unchanged(network.name, listing.definitions.get(uuid), replacing)
            earlier = listing.running.get(uuid)
            if earlier and earlier[0].name != network.name:
                raise StateError(
                    f"{earlier[0].name} runs and can't be renamed to {network.name} now",
                    f"stop it first: vnet network-stop {earlier[0].name}",
                )
            self._store.save(network)
        return uuid, network.name

    def _undefine(self, ref: Ref, listing: Listing) -> tuple[UUID, str]:
        uuid, name = _found(ref, listing, "it has no definition to remove")
        with audit.logged("undefine", {uuid: name}):
            self._store.remove(uuid)
            if uuid not in listing.running:
                self._checkpoints.forget_leases(uuid)
        return uuid, name

    def _set_autostart(self, ref: Ref, on: bool, listing: Listing) -> tuple[UUID, str]:
        uuid, name = _found(ref, listing, "it can't start by itself")
        with audit.logged("autostart on" if on else "autostart off", {uuid: name}):
            self._store.set_autostart(uuid, on)
        return uuid, name


def _found(ref: Ref, listing: Listing, otherwise: str) -> tuple[UUID, str]:
    """A network that is defined, and its name."""
    uuid = listing.find(ref)
    name = listing.name(uuid)
    if uuid not in listing.definitions:
        raise StateError(f"{name} is transient: {otherwise}")
    return uuid, name
