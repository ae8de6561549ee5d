"""The engine: networks defined, run, changed and watched on one host. Knows none of its callers.

>>> engine = Engine(Paths.choose())  # doctest: +SKIP
>>> foo = await engine.define(Path("foo.xml").read_text())
>>> await engine.start([foo.uuid])

Reading definitions and what runs needs no rights and touches nothing. The first change, and the
first look at live data, opens the drivers; that needs root, or a user namespace of one's own.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Self
from uuid import UUID

from vnet_tui.engine import policy
from vnet_tui.engine.apply import BeforeStep
from vnet_tui.engine.catalog import Catalog
from vnet_tui.engine.changes import OnProgress, Request, Running
from vnet_tui.engine.conflicts import unsupported
from vnet_tui.engine.definitions import accept, problems_of
from vnet_tui.engine.errors import (
    DocumentError,
    NotPermittedError,
    Problem,
    StateError,
    UnsupportedError,
    VnetError,
)
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.live import Live
from vnet_tui.engine.model import Network, Subnet
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.steps import Plan
from vnet_tui.engine.subnets import in_use, suggest_subnet
from vnet_tui.engine.views import (
    Event,
    EventKind,
    Guest,
    HistoryPoint,
    NetworkInfo,
    Ref,
    RuleStatus,
    Sample,
)
from vnet_tui.engine.xml import parse, write

AUTO = "auto"
"""The firewall preference that takes what the host has."""


class Engine:
    """One host's networks. All methods raise :class:`~vnet_tui.engine.errors.VnetError`.

    Several engines may share the directories of ``paths`` (a command line beside an interface):
    each looks at what is there, and changes are made one at a time. ``firewall`` is ``auto`` or a
    driver's name. ``before_step`` is called before each step of each plan, for injecting faults.
    """

    def __init__(
        self, paths: Paths, *, firewall: str = AUTO, before_step: BeforeStep | None = None
    ) -> None:
        self.paths = paths
        self.catalog = Catalog(paths)
        self.bus = EventBus(paths)
        self._live = Live(paths, self.catalog, self.bus, firewall, before_step)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the system; what runs goes on."""
        await self._live.close()
        await self.bus.close()

    # What there is

    async def networks(self) -> tuple[NetworkInfo, ...]:
        """All networks, by name; as recorded, and as last seen where live data is watched."""
        found = await asyncio.to_thread(self.catalog.infos)
        return tuple(self._live.seen(info) for info in found)

    async def network(self, ref: Ref) -> NetworkInfo:
        """One network."""
        return self._live.seen(self.catalog.info(self.catalog.find(ref)))

    async def xml(self, ref: Ref, *, inactive: bool = False) -> str:
        """A network's document: as it runs (with ``id``); as defined when ``inactive``."""
        uuid = self.catalog.find(ref)
        running = self.catalog.running().get(uuid)
        if running and not inactive:
            return write(running[1], id=running[0].id)
        definition = self.catalog.definitions().get(uuid)
        if definition is None:
            raise StateError(
                f"{self.catalog.name(uuid)} is transient: it has no definition beside what runs"
            )
        return write(definition)

    async def validate(self, text: str) -> tuple[Problem, ...]:
        """Everything wrong with a document, alone and beside the definitions."""
        try:
            network = parse(text)
        except DocumentError as error:
            return error.problems
        known = await asyncio.to_thread(self.catalog.known)
        same = {network.uuid, self.catalog.by_name(network.name)}
        others = [other for uuid, other in known.items() if uuid not in same]
        return (
            *problems_of(network, others),
            *unsupported(network),
            *policy.unsupported(network),
        )

    @property
    def damaged(self) -> tuple[str, ...]:
        """Definitions that couldn't be read, each with the reason and where it was set aside."""
        return self.catalog.damaged()

    # Definitions

    async def define(self, text: str) -> NetworkInfo:
        """Put a definition into the store; a running network goes on as it runs."""
        self._permitted("define a network")
        network, uuid = self._accept(text)
        earlier = self.catalog.running().get(uuid)
        if earlier and earlier[0].name != network.name:
            raise StateError(
                f"{earlier[0].name} runs and can't be renamed to {network.name} now",
                f"stop it first: vnet network-stop {earlier[0].name}",
            )
        self.catalog.store.save(network)
        self._tell(EventKind.DEFINED, uuid, network.name, "defined")
        return await self.network(uuid)

    async def undefine(self, ref: Ref) -> None:
        """Take a definition from the store; a running network goes on as a transient one."""
        self._permitted("undefine a network")
        uuid = self.catalog.find(ref)
        name = self.catalog.name(uuid)
        if uuid not in self.catalog.definitions():
            raise StateError(f"{name} is transient: it has no definition to remove")
        self.catalog.store.set_autostart(uuid, False)
        self.catalog.store.remove(uuid)
        if uuid not in self.catalog.running():
            self.paths.lease_file(uuid).unlink(missing_ok=True)
        self._tell(EventKind.UNDEFINED, uuid, name, "definition removed")

    async def set_autostart(self, ref: Ref, on: bool) -> NetworkInfo:
        """Whether a network starts by itself with the host."""
        self._permitted("change autostart")
        uuid = self.catalog.find(ref)
        if uuid not in self.catalog.definitions():
            raise StateError(f"{self.catalog.name(uuid)} is transient: it can't start by itself")
        self.catalog.store.set_autostart(uuid, on)
        message = "starts with the host" if on else "no longer starts with the host"
        self._tell(EventKind.AUTOSTART, uuid, self.catalog.name(uuid), message)
        return await self.network(uuid)

    # Changes of what runs

    async def create(self, text: str, *, on_progress: OnProgress | None = None) -> NetworkInfo:
        """Start a transient network."""
        network, uuid = self._accept(text)
        if uuid in self.catalog.definitions():
            raise StateError(
                f"{network.name} is defined already", f"vnet network-start {network.name} starts it"
            )
        await self._start({uuid: network}, on_progress)
        return await self.network(uuid)

    async def start(
        self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None
    ) -> tuple[NetworkInfo, ...]:
        """Start defined networks as one batch: all of them run, or none was started."""
        definitions = self.catalog.definitions()
        uuids = self._distinct(refs)
        await self._start(
            {uuid: definitions[uuid] for uuid in uuids if uuid in definitions}, on_progress
        )
        return tuple([await self.network(uuid) for uuid in uuids])

    async def start_autostart(self) -> tuple[NetworkInfo, ...]:
        """Start, as one batch, the networks that are to start by themselves and don't run yet."""
        running = self.catalog.running()
        chosen = [
            uuid
            for uuid in self.catalog.definitions()
            if uuid not in running and self.catalog.store.autostart(uuid)
        ]
        return await self.start(chosen) if chosen else ()

    async def stop(self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None) -> None:
        """Stop networks; transient ones are gone then."""
        uuids = frozenset(self._distinct(refs))

        def prepare(running: Running) -> Request:
            self._must_run(uuids, running)
            rest = {uuid: one for uuid, one in running.items() if uuid not in uuids}
            return Request(records=rest, scope=uuids)

        await self._change("stop", uuids, prepare, on_progress)
        persistent = self.catalog.definitions()
        for uuid in uuids - persistent.keys():
            self.paths.lease_file(uuid).unlink(missing_ok=True)

    async def restart(
        self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None
    ) -> tuple[NetworkInfo, ...]:
        """Make networks anew from their definitions; guests' ports are attached again."""
        uuids = self._distinct(refs)
        await self._change(
            "restart", frozenset(uuids), self._to_definitions(uuids, anew=True), on_progress
        )
        return tuple([await self.network(uuid) for uuid in uuids])

    async def apply(self, ref: Ref, *, on_progress: OnProgress | None = None) -> NetworkInfo:
        """Bring a running network to its definition with the smallest plan."""
        uuid = self.catalog.find(ref)
        await self._change("edit", frozenset({uuid}), self._to_definitions([uuid]), on_progress)
        return await self.network(uuid)

    async def plan_apply(self, ref: Ref) -> Plan:
        """What :meth:`apply` would do."""
        changes = await self._live.changes()
        return await changes.preview(self._to_definitions([self.catalog.find(ref)]))

    async def adopt(self) -> None:
        """End what a killed engine left half-done. Every change does so too, before it begins."""
        self._permitted("manage networks")
        await (await self._live.changes()).recover()

    # What happens

    async def firewall(self) -> tuple[str, str]:
        """The firewall driver at work, and why it was chosen."""
        return await self._live.firewall()

    async def guests(self, ref: Ref) -> tuple[Guest, ...]:
        """Who is on a running network, and which reservations wait for their guest."""
        return await self._live.guests(self.catalog.find(ref))

    async def rules(self, ref: Ref) -> tuple[RuleStatus, ...]:
        """The forwarding rules in document order, incoming first."""
        return self._live.rules(self.catalog.find(ref))

    async def suggest_subnet(self, prefix: int = 24, family: int = 4) -> Subnet:
        """A private subnet that neither the host nor any definition uses."""
        snapshot = await self._live.links()
        defined = [ip.subnet for net in self.catalog.known().values() for ip in net.ips]
        return suggest_subnet([*in_use(snapshot), *defined], prefix, family)

    async def samples(self) -> AsyncIterator[Sample]:
        """Statistics of all running networks, once a second."""
        async for sample in await self._live.samples():
            yield sample

    async def history(self, ref: Ref, port: str | None = None) -> tuple[HistoryPoint, ...]:
        """The last ten minutes of a network or of one of its ports, oldest first."""
        return await self._live.history(self.catalog.find(ref), port)

    async def watch(self) -> None:
        """Begin to keep history and to tell of leases and ports, as :meth:`samples` does too."""
        await self._live.watch()

    async def events(self) -> AsyncIterator[Event]:
        """What happens from now on, whoever does it."""
        async for event in self.bus.subscribe():
            yield event

    async def past_events(self, ref: Ref | None = None) -> tuple[Event, ...]:
        """What happened, oldest first, as far back as is kept."""
        return self.bus.past(None if ref is None else self.catalog.find(ref))

    # How

    def _accept(self, text: str) -> tuple[Network, UUID]:
        interfaces = [name for _, name in socket.if_nameindex()]
        network = accept(text, self.catalog.known(), interfaces)
        if network.uuid is None:
            raise AssertionError("an accepted network has a UUID")
        return network, network.uuid

    def _permitted(self, what: str) -> None:
        if os.geteuid() != 0:
            raise NotPermittedError(
                f"to {what} needs root", "use sudo, or try it out in: vnet-tui --sandbox"
            )

    def _distinct(self, refs: Sequence[Ref]) -> list[UUID]:
        return list(dict.fromkeys(self.catalog.find(ref) for ref in refs))

    def _must_run(self, uuids: frozenset[UUID], running: Running) -> None:
        idle = sorted(self.catalog.name(uuid) for uuid in uuids if uuid not in running)
        if idle:
            raise StateError(f"not running: {', '.join(idle)}")

    def _runnable(self, networks: Mapping[UUID, Network]) -> None:
        problems = [
            replace(problem, message=f"{network.name}: {problem.message}")
            for network in networks.values()
            for problem in (*unsupported(network), *policy.unsupported(network))
        ]
        if problems:
            names = ", ".join(network.name for network in networks.values())
            raise UnsupportedError(f"{names} can't be started by this version", problems)

    async def _start(
        self, networks: Mapping[UUID, Network], on_progress: OnProgress | None
    ) -> None:
        self._runnable(networks)

        def prepare(running: Running) -> Request:
            already = sorted(net.name for uuid, net in networks.items() if uuid in running)
            if already:
                raise StateError(f"running already: {', '.join(already)}")
            first = 1 + max((record.id for record, _ in running.values()), default=0)
            started = {
                uuid: (_record(uuid, network, first + position), network)
                for position, (uuid, network) in enumerate(networks.items())
            }
            return Request(records={**running, **started}, scope=frozenset(started))

        await self._change("start", frozenset(networks), prepare, on_progress)

    def _to_definitions(
        self, uuids: Sequence[UUID], *, anew: bool = False
    ) -> Callable[[Running], Request]:
        """The request that running networks be as their definitions say now."""
        scope = frozenset(uuids)
        definitions = self.catalog.definitions()
        chosen = {uuid: definitions[uuid] for uuid in uuids if uuid in definitions}
        self._runnable(chosen)

        def prepare(running: Running) -> Request:
            self._must_run(scope, running)
            changed = {}
            for uuid in scope:
                record, network = running[uuid]
                network = chosen.get(uuid, network)
                since = time.time() if anew else record.started
                changed[uuid] = (_record(uuid, network, record.id, since), network)
            return Request(
                records={**running, **changed},
                scope=scope,
                recreate=scope if anew else frozenset(),
            )

        return prepare

    async def _change(
        self,
        verb: str,
        uuids: frozenset[UUID],
        prepare: Callable[[Running], Request],
        on_progress: OnProgress | None,
    ) -> None:
        self._permitted(f"{verb} a network")
        names = {uuid: self.catalog.name(uuid, default="") for uuid in uuids}
        try:
            changes = await self._live.changes()
            after = await changes.run(prepare, on_progress)
        except VnetError as error:
            for uuid in uuids:
                self._tell(EventKind.FAILED, uuid, names[uuid], f"{verb} failed: {error.message}")
            raise
        kind, done = _TOLD[verb]
        for uuid in uuids:
            name = after[uuid][0].name if uuid in after else names[uuid]
            self._tell(kind, uuid, name, done)
        await self._live.refresh()

    def _tell(self, kind: EventKind, uuid: UUID, name: str, message: str) -> None:
        self.bus.tell(kind, uuid, name, message)


_TOLD = {
    "start": (EventKind.STARTED, "started"),
    "stop": (EventKind.STOPPED, "stopped"),
    "restart": (EventKind.STARTED, "restarted"),
    "edit": (EventKind.EDITED, "brought to its definition"),
}


def _record(uuid: UUID, network: Network, id_: int, started: float | None = None) -> RunRecord:
    return RunRecord(
        uuid=uuid,
        name=network.name,
        id=id_,
        started=time.time() if started is None else started,
        definition=write(network),
    )
