"""Which networks there are: the definitions in the store and the records of what runs."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

from vnet_tui.engine.changes import Running
from vnet_tui.engine.errors import NotFoundError
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.records import Records
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.store import Store
from vnet_tui.engine.views import NetworkInfo, Ref, State
from vnet_tui.engine.xml import parse

parse_cached = lru_cache(maxsize=4096)(parse)
"""Records of running networks are read at every change; most say what they said before."""


class Catalog:
    """Networks by UUID, name and runtime id. Touches nothing but files."""

    def __init__(self, paths: Paths) -> None:
        self.store = Store(paths)
        self._records = Records(paths)

    def definitions(self) -> Mapping[UUID, Network]:
        """The networks in the store."""
        return self.store.load().networks

    def damaged(self) -> tuple[str, ...]:
        """What could not be read in the store, each with the reason."""
        return tuple(str(one) for one in self.store.load().damaged)

    def running(self) -> Running:
        """The networks that run, as they run."""
        return {
            uuid: (record, parse_cached(record.definition))
            for uuid, record in self._records.load().items()
        }

    def known(self) -> Mapping[UUID, Network]:
        """All networks; as defined where they are defined, else as they run."""
        return {
            **{uuid: network for uuid, (_, network) in self.running().items()},
            **self.definitions(),
        }

    def by_name(self, name: str) -> UUID | None:
        """The network of exactly this name."""
        return next((uuid for uuid, one in self.known().items() if one.name == name), None)

    def find(self, ref: Ref) -> UUID:
        """The network that is meant. Raises :class:`~vnet_tui.engine.errors.NotFoundError`."""
        known = self.known()
        if isinstance(ref, UUID):
            if ref in known:
                return ref
            raise NotFoundError(f"no network has the UUID {ref}")
        for uuid, network in known.items():
            if network.name == ref:
                return uuid
        for uuid, (record, _) in self.running().items():
            if ref in (record.name, str(record.id)):
                return uuid
        with contextlib.suppress(ValueError):
            if (uuid := UUID(ref)) in known:
                return uuid
        names = sorted(network.name for network in known.values())
        close = difflib.get_close_matches(ref, names, n=1)
        remedy = f"did you mean {close[0]}?" if close else "vnet network-list --all lists them"
        raise NotFoundError(f"there is no network {ref!r}", remedy)

    def name(self, uuid: UUID, default: str | None = None) -> str:
        """A network's name."""
        network = self.known().get(uuid)
        if network is not None:
            return network.name
        if default is not None:
            return default
        raise NotFoundError(f"no network has the UUID {uuid}")

    def infos(self) -> tuple[NetworkInfo, ...]:
        """All networks, by name."""
        definitions, running = self.definitions(), self.running()
        autostart = self.store.autostarts()
        infos = [
            _info(uuid, definitions.get(uuid), running.get(uuid), uuid in autostart)
            for uuid in definitions.keys() | running.keys()
        ]
        return tuple(sorted(infos, key=lambda info: (info.name.casefold(), info.uuid)))

    def info(self, uuid: UUID) -> NetworkInfo:
        """One network."""
        return _info(
            uuid,
            self.definitions().get(uuid),
            self.running().get(uuid),
            self.store.autostart(uuid),
        )


def _info(
    uuid: UUID,
    definition: Network | None,
    running: tuple[RunRecord, Network] | None,
    autostart: bool,
) -> NetworkInfo:
    network = running[1] if running else definition
    if network is None:
        raise NotFoundError(f"no network has the UUID {uuid}")
    return NetworkInfo(
        uuid=uuid,
        name=network.name,
        state=State.ACTIVE if running else State.DEFINED,
        mode=network.mode,
        id=running[0].id if running else None,
        title=network.title or "",
        bridge=network.bridge.name if running and network.bridge else None,
        addresses=tuple(ip.interface for ip in network.ips),
        persistent=definition is not None,
        autostart=autostart,
        pending=bool(running and definition and definition != running[1]),
        started=running[0].started if running else None,
    )
