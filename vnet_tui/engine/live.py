"""What goes on by itself: traffic, leases, ports, drift; followed while somebody watches."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from vnet_tui.engine import audit, policy
from vnet_tui.engine.apply import BeforeStep
from vnet_tui.engine.catalog import Catalog, Listing
from vnet_tui.engine.change_request import Request, Running
from vnet_tui.engine.drivers.links import Happened, LinkChange
from vnet_tui.engine.drivers.linkstats import LinkStats
from vnet_tui.engine.errors import StateError, VnetError
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.flow_reader import FlowReader
from vnet_tui.engine.guard import Guard
from vnet_tui.engine.guests import find_guest, guests, namesake_notes
from vnet_tui.engine.host_links import own_links, with_speed
from vnet_tui.engine.leases import LeaseWatch, read_leases
from vnet_tui.engine.lost_ports import LostPorts
from vnet_tui.engine.model import Address, Network
from vnet_tui.engine.name_watch import NameWatch
from vnet_tui.engine.observe import Part
from vnet_tui.engine.on_disk import OnDisk
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.repair import Repair
from vnet_tui.engine.resources import LinkSnapshot, RunRecord
from vnet_tui.engine.rule_sampler import RuleSampler
from vnet_tui.engine.rule_words import rule_status
from vnet_tui.engine.senses import Senses
from vnet_tui.engine.stats import Sampler, wire
from vnet_tui.engine.steps import Plan
from vnet_tui.engine.system import System
from vnet_tui.engine.upkeep import Looked, Upkeep
from vnet_tui.engine.views import (
    EventKind,
    Flows,
    Guest,
    HistoryPoint,
    Lease,
    NetworkInfo,
    RuleStatus,
    Sample,
)
from vnet_tui.engine.waiting import Waiting

AGAIN = 2.0
"""Seconds after which who watches sees which links of the host lead out now."""

SHARE = 0.01
"""So much of the time may be spent on that, however many interfaces and routes there are."""


class Live:
    """Watches one host for an engine."""

    def __init__(
        self,
        paths: Paths,
        catalog: Catalog,
        bus: EventBus,
        firewall: str,
        before_step: BeforeStep | None,
        *,
        mends: bool = True,
    ) -> None:
        self._paths = paths
        self._catalog = catalog
        self._bus = bus
        self._system = System(paths, catalog.records, firewall, before_step)
        self._names = NameWatch(paths, catalog, bus)
        self._tasks: list[asyncio.Task[None]] = []
        self._sampler: Sampler | None = None
        self._counters: LinkStats | None = None
        self._rules: RuleSampler | None = None
        self._starting = asyncio.Lock()
        self._guard = Guard(paths)
        self._lost_ports = LostPorts()
        self._flows = FlowReader(paths, self.changes)
        self._waiting = Waiting(paths)
        self._on_disk = OnDisk(paths, catalog, bus, self._guard)
        self._repair = Repair(
            self.changes,
            bus,
            self._guard,
            mends=mends,
            lost=self._lost_ports.of,
            looked=self._looked,
        )
        self._senses = Senses(
            paths,
            self._system,
            self._on_disk,
            disturbed=self._repair.disturbed,
            heard=self._heard,
            warn=lambda message: bus.tell(EventKind.WARNING, None, "", message),
        )

    async def changes(self) -> Upkeep:
        """How the host is changed."""
        changes = await self._system.changes()
        changes.on_recovery = self._recovered
        return changes

    def _recovered(self, message: str) -> None:
        audit.log("recover", {}, steps=[message], by=audit.ITSELF)
        self._bus.tell(EventKind.RECOVERED, None, "", message)

    async def links(self) -> LinkSnapshot:
        """The host's interfaces and routes."""
        return await (await self._system.links()).snapshot()

    async def firewall(self) -> tuple[str, str]:
        """The firewall driver at work, and why it was chosen."""
        driver = await self._system.firewall()
        return driver.name, driver.reason

    async def close(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        if self._sampler is not None:
            await self._sampler.close()
            self._sampler = None
        if self._counters is not None:
            self._counters.close()
            self._counters = None
        self._guard.close()
        await self._system.close()

    async def watch(self) -> None:
        """Begin to sample, and to follow leases and links; nothing when that was begun."""
        async with self._starting:
            if self._sampler is not None:
                return
            from vnet_tui.engine.denial_watch import DenialWatch

            changes = await self.changes()
            self._counters = LinkStats()
            self._rules = RuleSampler((await self._system.firewall()).counters)
            self._sampler = Sampler(self._counters.read, rules=self._rules)
            await self._rewire()
            await self._on_disk.check()
            self._sampler.start()
            self._tasks = [
                asyncio.create_task(self._follow_leases()),
                asyncio.create_task(self._follow_links()),
                asyncio.create_task(self._senses.run()),
                asyncio.create_task(self._repair.run()),
                asyncio.create_task(
                    DenialWatch(self._paths, changes.known, self._bus.publish).run()
                ),
            ]
            self._repair.disturbed(Part.ALL)

    async def refresh(self) -> None:
        """Take account of a change that was made."""
        self._repair.disturbed(Part.ALL)
        if self._sampler is not None:
            await self._rewire()

    async def reload(self) -> None:
        """Look at everything anew: at definitions on disk, and at the host."""
        await self._on_disk.check()
        self._repair.disturbed(Part.ALL)

    async def samples(self, detailed: Sequence[UUID] | None) -> AsyncIterator[Sample]:
        """Statistics from now on, with all about some networks, or about all."""
        await self.watch()
        wanted = None if detailed is None else frozenset(detailed)
        return self._running_sampler().samples(wanted)

    async def history(self, uuid: UUID | None, port: str | None) -> tuple[HistoryPoint, ...]:
        """What is kept of the traffic of a network, of a port, or of the host's own links."""
        await self.watch()
        return self._running_sampler().history(uuid, port)

    async def guests(self, uuid: UUID, listing: Listing) -> tuple[Guest, ...]:
        """Who is on a network."""
        self._favour(uuid)
        running = listing.running.get(uuid)
        if running is None:
            return guests(listing.known[uuid], (), {}, time.time())
        network = running[1]
        bridge = network.bridge.name if network.bridge else None
        links = await self._system.links()
        snapshot = await links.snapshot()
        ports: dict[str, set[str]] = {
            link.name: set() for link in snapshot.links.values() if bridge and link.master == bridge
        }
        if bridge and bridge in snapshot.links:
            for mac, port in (await links.forwarding_database(bridge)).items():
                ports.setdefault(port, set()).add(mac)
        return guests(network, self._leases(uuid), ports, time.time())

    async def flows(self, uuid: UUID, listing: Listing, most: int) -> Flows:
        """Who of a network talks with whom beyond it."""
        if (running := listing.running.get(uuid)) is None:
            raise StateError(f"{listing.name(uuid)} doesn't run")
        return await self._flows.read(uuid, running[1], most)

    def rules(self, uuid: UUID, listing: Listing) -> tuple[RuleStatus, ...]:
        """The rules of a network and whether they do their work."""
        self._favour(uuid)
        running = listing.running.get(uuid)
        network = running[1] if running else listing.known[uuid]
        leases = self._leases(uuid) if running else ()
        return rule_status(
            network,
            lambda domain: find_guest(network, leases, domain),
            namesake_notes(network, leases),
        )

    def _favour(self, uuid: UUID) -> None:
        """Somebody looks at this network, and wants to see what it counts."""
        if self._rules is not None:
            self._rules.favour(uuid)

    def seen(
        self, infos: Iterable[NetworkInfo], running: Mapping[UUID, tuple[RunRecord, Network]]
    ) -> tuple[NetworkInfo, ...]:
        """What is known of networks, with what was seen of them; ``running`` are those of them
        that run. Reads their leases."""
        waiting = self._waiting.counts(running)
        return tuple(
            replace(seen, waiting=count) if (count := waiting.get(seen.uuid, 0)) else seen
            for seen in map(self._repair.seen, infos)
        )

    def _name(self, uuid: UUID) -> str:
        running = self._catalog.running().get(uuid)
        return running[0].name if running else ""

    def _leases(self, uuid: UUID) -> tuple[Lease, ...]:
        return read_leases(self._paths, uuid)

    def _running_sampler(self) -> Sampler:
        if self._sampler is None:
            raise StateError("the engine was closed")
        return self._sampler

    def _bridges(self) -> dict[UUID, str]:
        return {
            uuid: network.bridge.name
            for uuid, (_, network) in self._catalog.running().items()
            if network.bridge and network.bridge.name
        }

    async def _rewire(self) -> None:
        """Sample the interfaces that now make up the running networks."""
        if self._sampler is None:
            return
        driver = await self._system.links()
        links, bridges = await driver.snapshot(), self._bridges()
        self._sampler.topology = wire(links, bridges)
        speeds = await driver.speeds(with_speed(links))
        self._sampler.links = own_links(links, bridges.values(), speeds)

    async def _follow_links(self) -> None:
        """Sample the links that the host has now; nobody tells of routes that change."""
        pause = AGAIN
        while True:
            await asyncio.sleep(pause)
            if self._running_sampler().watched:
                began = time.monotonic()
                with contextlib.suppress(VnetError):  # the next time, then
                    await self._rewire()
                pause = max(AGAIN, (time.monotonic() - began) / SHARE)

    async def _looked(self, found: Looked) -> None:
        """Take account of what there is now."""
        if self._sampler is not None:
            running = found.running.networks
            bridges = {uuid: one.bridge.name for uuid, one in running.items()}
            self._sampler.topology = wire(found.links, bridges)
        await self._senses.looked(found)

    def _heard(self, change: LinkChange) -> None:
        """Something happened to an interface."""
        self._lost_ports.heard(change)
        event = _PORT_EVENTS.get(change.happened)
        if event is not None and self._guard.acts():
            self._tell_port(change, *event)

    def _tell_port(self, change: LinkChange, kind: EventKind, verb: str) -> None:
        for uuid, bridge in self._bridges().items():
            if bridge == change.master:
                name = self._name(uuid)
                self._bus.tell(kind, uuid, name, f"port {change.name} {verb}")

    async def _follow_leases(self) -> None:
        known = {uuid: _by_address(self._leases(uuid)) for uuid in self._catalog.running()}
        async with LeaseWatch(self._paths) as watch:
            async for uuid, leases in watch:
                now = _by_address(leases)
                self._tell_leases(uuid, known.get(uuid, {}), now)
                known[uuid] = now
                named = await self._names.remember(uuid, leases)
                await self._follow_guests(uuid)
                await self._names.tell(uuid, named)

    def _tell_leases(
        self, uuid: UUID, before: Mapping[Address, Lease], after: Mapping[Address, Lease]
    ) -> None:
        name = self._name(uuid)
        for address in sorted(after.keys() - before.keys(), key=str):
            self._bus.tell(
                EventKind.LEASE_ADDED, uuid, name, f"{_who(after[address])} took {address}"
            )
        for address in sorted(before.keys() - after.keys(), key=str):
            given_up = f"{_who(before[address])} gave up {address}"
            self._bus.tell(EventKind.LEASE_REMOVED, uuid, name, given_up)

    async def _follow_guests(self, uuid: UUID) -> None:
        """Let the rules of a network lead to where its guests are now."""
        running = self._catalog.running().get(uuid)
        if running is None or not policy.names_guests(running[1]):
            return

        def logged(plan: Plan, error: VnetError | None) -> None:
            if plan:
                names = {uuid: running[0].name}
                audit.log("follow a guest", names, steps=plan, error=error, by=audit.ITSELF)

        try:
            await (await self.changes()).run(_as_it_is, on_end=logged)
        except VnetError as error:
            message = f"rules can't follow a guest: {error.message}"
            self._bus.tell(EventKind.FAILED, uuid, running[0].name, message)


_PORT_EVENTS = {
    Happened.ATTACHED: (EventKind.PORT_ADDED, "attached"),
    Happened.DETACHED: (EventKind.PORT_REMOVED, "detached"),
}


def _as_it_is(running: Running) -> Request:
    """The request that what runs goes on, with guests where they are now."""
    return Request(records=running, scope=frozenset(), services=frozenset())


def _by_address(leases: Iterable[Lease]) -> Mapping[Address, Lease]:
    return {lease.address: lease for lease in leases}


def _who(lease: Lease) -> str:
    return lease.name or lease.mac or "a guest"
