"""Which networks there are: the definitions in the store and the records of what runs."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from uuid import UUID

from vnet_tui.engine.errors import NotFoundError, StoreError
from vnet_tui.engine.model import Mode, Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.records import Records, recorded
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.store import Store
from vnet_tui.engine.views import NetworkInfo, Ref, State
from vnet_tui.engine.xml import network_in
from vnet_tui.engine.xml.summary import Summary


@dataclass(frozen=True)
class Listing:
    """All networks at one moment, to be asked many things about."""

    definitions: Mapping[UUID, Network]
    running: Mapping[UUID, tuple[RunRecord, Network]]
    autostart: frozenset[UUID]
    damaged: tuple[str, ...]
    unreadable: Mapping[UUID, StoreError] = field(default_factory=dict)
    """Networks that run, or ran, and whose records can't be read."""

    @cached_property
    def known(self) -> Mapping[UUID, Network]:
        """All networks; as defined where they are defined, else as they run."""
        as_run = {uuid: network for uuid, (_, network) in self.running.items()}
        return {**as_run, **self.definitions}

    @cached_property
    def by_name(self) -> Mapping[str, UUID]:
        """Every network by its name, and by the name that it runs with."""
        as_run = {network.name: uuid for uuid, (_, network) in self.running.items()}
        return {**as_run, **{network.name: uuid for uuid, network in self.known.items()}}

    def find(self, ref: Ref) -> UUID:
        """The network that is meant. Raises :class:`~vnet_tui.engine.errors.NotFoundError`."""
        if isinstance(ref, UUID):
            if ref in self.known:
                return ref
            raise NotFoundError(f"no network has the UUID {ref}")
        if ref in self.by_name:
            return self.by_name[ref]
        for uuid, (record, _) in self.running.items():
            if ref == str(record.id):
                return uuid
        with contextlib.suppress(ValueError):
            if (uuid := UUID(ref)) in self.known:
                return uuid
        close = difflib.get_close_matches(ref, self.by_name, n=1)
        remedy = f"did you mean {close[0]}?" if close else "vnet network-list --all lists them"
        raise NotFoundError(f"there is no network {ref!r}", remedy)

    def distinct(self, refs: Iterable[Ref]) -> list[UUID]:
        """The networks that are meant, each once, in order."""
        return list(dict.fromkeys(self.find(ref) for ref in refs))

    def name(self, uuid: UUID) -> str:
        """A network's name; empty where there is no such network any more."""
        network = self.known.get(uuid)
        return network.name if network is not None else ""

    def info(self, uuid: UUID) -> NetworkInfo:
        """One network."""
        definition = self.definitions.get(uuid)
        summary = Summary.of(definition) if definition else None
        info = _info(uuid, summary, definition, self.running.get(uuid), uuid in self.autostart)
        return _spoilt(info, self.unreadable.get(uuid))


def _spoilt(info: NetworkInfo, error: StoreError | None) -> NetworkInfo:
    """A network that can't be looked after where its record can't be read."""
    return info if error is None else replace(info, state=State.DAMAGED, note=str(error))


def _unknown(uuid: UUID, error: StoreError) -> NetworkInfo:
    """A transient network of which nothing is known but that it was started."""
    info = NetworkInfo(
        uuid=uuid, name=str(uuid), state=State.DAMAGED, mode=Mode.ISOLATED, persistent=False
    )
    return _spoilt(info, error)


def _info(
    uuid: UUID,
    summary: Summary | None,
    definition: Network | None,
    running: tuple[RunRecord, Network] | None,
    autostart: bool,
) -> NetworkInfo:
    """``summary`` is that of the definition; the ``definition`` itself matters to what runs."""
    shown = Summary.of(running[1]) if running else summary
    if shown is None:
        raise NotFoundError(f"no network has the UUID {uuid}")
    bridge = running[1].bridge if running else None
    return NetworkInfo(
        uuid=uuid,
        name=shown.name,
        state=State.ACTIVE if running else State.DEFINED,
        mode=shown.mode,
        id=running[0].id if running else None,
        title=shown.title,
        bridge=bridge.name if bridge else None,
        addresses=shown.addresses,
        persistent=summary is not None,
        autostart=autostart,
        pending=bool(running and definition and definition != running[1]),
        started=running[0].started if running else None,
    )


class Catalog:
    """Where listings come from. Touches nothing but files."""

    def __init__(self, paths: Paths) -> None:
        self.store = Store(paths)
        self._paths = paths
        self.records = Records(paths)
        self._last: Listing | None = None
        self._told: Mapping[UUID, tuple[object, NetworkInfo]] = {}

    def look(self) -> Listing:
        """All networks as they are now."""
        contents = self.store.load()
        running, unreadable = self._recorded()
        self._last = Listing(
            definitions=contents.networks,
            running=running,
            autostart=self.store.autostarts(),
            damaged=tuple(str(one) for one in contents.damaged),
            unreadable=unreadable,
        )
        return self._last

    def look_at(self, ref: Ref) -> Listing:
        """One network as it is now: a listing that may have no other definition than its own.

        Where it was is known from the last look at all, and its definition still says that it is
        the one that is meant; else this is a look at all.
        """
        names = {} if self._last is None else self._last.by_name
        uuid = ref if isinstance(ref, UUID) else names.get(ref)
        definition = None if uuid is None else self.store.one(uuid)
        if uuid is None or definition is None or ref not in (uuid, definition.name):
            return self.look()
        running, unreadable = self._recorded()
        return Listing(
            definitions={uuid: definition},
            running=running,
            autostart=frozenset({uuid} if self.store.autostart(uuid) else ()),
            damaged=(),
            unreadable=unreadable,
        )

    def infos(self) -> tuple[NetworkInfo, ...]:
        """All networks, by name; without reading whole what only lies in the store."""
        summaries, (running, unreadable) = self.store.summaries(), self._recorded()
        autostart = self.store.autostarts()
        told = {
            uuid: self._told_again(
                uuid,
                summaries.get(uuid),
                self.store.one(uuid) if uuid in running else None,
                running.get(uuid),
                uuid in autostart,
                unreadable.get(uuid),
            )
            for uuid in summaries.keys() | running.keys()
        }
        self._told = told
        found = [info for _, info in told.values()]
        nameless = unreadable.keys() - summaries.keys()
        found += [_unknown(uuid, unreadable[uuid]) for uuid in nameless]
        return tuple(sorted(found, key=lambda info: (info.name.casefold(), info.uuid)))

    def _told_again(
        self,
        uuid: UUID,
        summary: Summary | None,
        definition: Network | None,
        running: tuple[RunRecord, Network] | None,
        autostart: bool,
        error: StoreError | None,
    ) -> tuple[object, NetworkInfo]:
        """What a network is made of, and the info: the earlier one while that is the same."""
        parts = (summary, definition, running, autostart, error)
        earlier = self._told.get(uuid)
        if earlier is not None and earlier[0] == parts:
            return earlier
        return parts, _spoilt(_info(uuid, summary, definition, running, autostart), error)

    def running(self) -> Mapping[UUID, tuple[RunRecord, Network]]:
        """The networks that run, as they run; cheaper than a whole look."""
        return self._recorded()[0]

    def _recorded(
        self,
    ) -> tuple[Mapping[UUID, tuple[RunRecord, Network]], Mapping[UUID, StoreError]]:
        return recorded(self.records, network_in, self._paths)
