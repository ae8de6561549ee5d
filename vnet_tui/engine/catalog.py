"""Which networks there are: the definitions in the store and the records of what runs."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from uuid import UUID

from vnet_tui.engine.errors import NotFoundError
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.records import Records, recorded_network
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.store import Store
from vnet_tui.engine.views import NetworkInfo, Ref, State
from vnet_tui.engine.xml import reread
from vnet_tui.engine.xml.summary import Summary

parse_cached = lru_cache(maxsize=4096)(reread)
"""Records of running networks are read at every change; most say what they said before."""


@dataclass(frozen=True)
class Listing:
    """All networks at one moment, to be asked many things about."""

    definitions: Mapping[UUID, Network]
    running: Mapping[UUID, tuple[RunRecord, Network]]
    autostart: frozenset[UUID]
    damaged: tuple[str, ...]

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
        return _info(uuid, summary, definition, self.running.get(uuid), uuid in self.autostart)


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
        self._records = Records(paths)

    def look(self) -> Listing:
        """All networks as they are now."""
        contents = self.store.load()
        return Listing(
            definitions=contents.networks,
            running=self.running(),
            autostart=self.store.autostarts(),
            damaged=tuple(str(one) for one in contents.damaged),
        )

    def infos(self) -> tuple[NetworkInfo, ...]:
        """All networks, by name; without reading whole what only lies in the store."""
        summaries, running = self.store.summaries(), self.running()
        autostart = self.store.autostarts()
        found = [
            _info(
                uuid,
                summaries.get(uuid),
                self.store.one(uuid) if uuid in running else None,
                running.get(uuid),
                uuid in autostart,
            )
            for uuid in summaries.keys() | running.keys()
        ]
        return tuple(sorted(found, key=lambda info: (info.name.casefold(), info.uuid)))

    def running(self) -> Mapping[UUID, tuple[RunRecord, Network]]:
        """The networks that run, as they run; cheaper than a whole look."""
        return {
            uuid: (record, recorded_network(record, parse_cached, self._paths))
            for uuid, record in self._records.load().items()
        }
