"""What there is on one host, and what happens there: nothing here changes anything."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from vnet_tui.engine import definitions, requests
from vnet_tui.engine.catalog import Catalog, Listing
from vnet_tui.engine.describe import preview
from vnet_tui.engine.doubts import doubts
from vnet_tui.engine.edits import accept
from vnet_tui.engine.errors import NotPermittedError, Problem, Severity, StateError
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.leases import read_leases
from vnet_tui.engine.live import Live
from vnet_tui.engine.model import Subnet
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.requests import NamedChange
from vnet_tui.engine.subnets import in_use, suggest_subnet
from vnet_tui.engine.views import (
    Event,
    Flows,
    Guest,
    HistoryPoint,
    Lease,
    NetworkInfo,
    Preview,
    Ref,
    RuleStatus,
    Sample,
    Verb,
)
from vnet_tui.engine.xml import write

if TYPE_CHECKING:
    from vnet_tui.engine.doctor.explain import Explanation, Query
    from vnet_tui.engine.doctor.findings import Finding
    from vnet_tui.engine.doctor.subject import Subject


class Inquiries:
    """What an engine can be asked. All methods raise
    :class:`~vnet_tui.engine.errors.VnetError`."""

    def __init__(self, paths: Paths, catalog: Catalog, bus: EventBus, live: Live) -> None:
        self.paths = paths
        self.catalog = catalog
        self.bus = bus
        self._live = live

    # What there is

    async def networks(self) -> tuple[NetworkInfo, ...]:
        """All networks, by name; as recorded, and as last seen where live data is watched."""
        return await asyncio.to_thread(self._seen)

    async def network(self, ref: Ref) -> NetworkInfo:
        """One network."""
        listing = await asyncio.to_thread(self.catalog.look_at, ref)
        return self._live.seen([listing.info(listing.find(ref))], listing.running)[0]

    async def damaged(self) -> tuple[str, ...]:
        """Definitions that couldn't be read when networks were last listed, each with the reason
        and where it was set aside."""
        return (await self._look()).damaged if self.catalog.store.doubtful else ()

    async def xml(self, ref: Ref, *, inactive: bool = False) -> str:
        """A network's document: as it runs (with ``id``); as defined when ``inactive``."""
        listing = await asyncio.to_thread(self.catalog.look_at, ref)
        uuid = listing.find(ref)
        running = listing.running.get(uuid)
        if running and not inactive:
            return write(running[1], id=running[0].id)
        definition = listing.definitions.get(uuid)
        if definition is None:
            raise StateError(
                f"{listing.name(uuid)} is transient: it has no definition beside what runs"
            )
        return write(definition)

    async def validate(self, text: str, *, beside: Sequence[str] = ()) -> tuple[Problem, ...]:
        """Everything wrong with a document, alone, beside the definitions, and on this host now.

        ``beside`` are documents that count in place of the definitions of their networks.
        """
        return await self._problems(text, await self._look(beside), starts=False)

    async def warnings(self, ref: Ref) -> tuple[Problem, ...]:
        """What of a definition (of a transient network: of what runs) deserves a look as it starts.

        As :meth:`validate` tells it, but for guests that are yet to come.
        """
        listing = await self._look()
        text = write(listing.known[listing.find(ref)])
        problems = await self._problems(text, listing, starts=True)
        return tuple(problem for problem in problems if problem.severity is Severity.WARNING)

    # Plans

    async def plan(self, verb: Verb, refs: Sequence[Ref]) -> Preview:
        """What :meth:`start`, :meth:`stop`, :meth:`restart` or :meth:`apply` would do."""
        listing = await self._look()
        return await self._preview(requests.asked(verb, listing.distinct(refs), listing))

    async def plan_document(self, text: str, *, beside: Sequence[str] = ()) -> Preview:
        """What it would take to have a document's network run as it says, ``beside`` others."""
        listing = await self._look(beside)
        network, uuid = await asyncio.to_thread(accept, text, listing)
        listing = replace(listing, definitions={**listing.definitions, uuid: network})
        verb: Verb = "apply" if uuid in listing.running else "start"
        return await self._preview(requests.asked(verb, [uuid], listing))

    # What happens

    async def firewall(self) -> tuple[str, str]:
        """The firewall driver at work, and why it was chosen."""
        return await self._live.firewall()

    async def guests(self, ref: Ref) -> tuple[Guest, ...]:
        """Who is on a running network, and which reservations wait for their guest."""
        listing = await self._look()
        return await self._live.guests(listing.find(ref), listing)

    async def leases(self, ref: Ref) -> tuple[Lease, ...]:
        """Every lease of a network that dnsmasq keeps, by address."""
        uuid = (await self._look()).find(ref)
        return await asyncio.to_thread(read_leases, self.paths, uuid)

    async def flows(self, ref: Ref, most: int = 200) -> Flows:
        """The connections of a running network's guests beyond it, the ``most`` busiest."""
        listing = await self._look()
        return await self._live.flows(listing.find(ref), listing, most)

    async def rules(self, ref: Ref) -> tuple[RuleStatus, ...]:
        """The forwarding rules in document order, incoming first."""
        listing = await self._look()
        return self._live.rules(listing.find(ref), listing)

    async def suggest_subnet(self, prefix: int = 24, family: int = 4) -> Subnet:
        """A private subnet that neither the host nor any definition uses."""
        listing = await self._look()
        defined = [ip.subnet for network in listing.known.values() for ip in network.ips]
        return suggest_subnet([*in_use(await self._live.links()), *defined], prefix, family)

    async def samples(self, detailed: Sequence[UUID] | None = None) -> AsyncIterator[Sample]:
        """Statistics of all running networks, once a second; the ports, rules and guests of some
        of them only, if those are named."""
        async for sample in await self._live.samples(detailed):
            yield sample

    async def history(self, ref: Ref | None, port: str | None = None) -> tuple[HistoryPoint, ...]:
        """The last ten minutes of a network or of one of its ports, oldest first; without a
        network, of the host's own link of that name."""
        uuid = None if ref is None else (await self._look()).find(ref)
        return await self._live.history(uuid, port)

    def events(self) -> AsyncIterator[Event]:
        """What happens from now on, whoever does it."""
        return self.bus.subscribe()

    async def past_events(self, ref: Ref | None = None) -> tuple[Event, ...]:
        """What happened, oldest first, as far back as is kept."""
        return self.bus.past(None if ref is None else (await self._look()).find(ref))

    async def doctor(self, ref: Ref, *, patience: float | None = None) -> tuple[Finding, ...]:
        """What on this host stands in a running network's way, worst first; empty: all is well.

        Where the network serves DHCP, its bridge is asked for other servers, for ``patience``
        seconds (3.5 unless given, so that slow ones answer too; 0: it isn't asked).
        """
        from vnet_tui.engine.doctor.dhcp_servers import PATIENCE
        from vnet_tui.engine.doctor.visit import examine

        subject = await self._subject(ref)
        return await examine(subject, PATIENCE if patience is None else patience)

    async def explain(self, query: Query) -> Explanation:
        """Whether one machine reaches another over a running network, and who decides that."""
        from vnet_tui.engine.doctor.visit import answer

        return answer(query, await self._subject(query.network), self.paths)

    # How

    async def _subject(self, ref: Ref) -> Subject:
        """A running network and the host around it, as the doctor sees them."""
        from vnet_tui.engine.doctor.visit import look

        self._permitted("examine a network")
        listing = await self._look()
        uuid = listing.find(ref)
        return await look(self.paths, uuid, listing, await self._live.links())

    def _seen(self) -> tuple[NetworkInfo, ...]:
        return self._live.seen(self.catalog.infos(), self.catalog.running())

    async def _look(self, beside: Sequence[str] = ()) -> Listing:
        """All networks; as those documents define them, where some are given."""
        listing = await asyncio.to_thread(self.catalog.look)
        if not beside:
            return listing
        read = await asyncio.to_thread(definitions.read_beside, beside, listing.known)
        return replace(listing, definitions={**listing.definitions, **read})

    async def _preview(self, change: NamedChange) -> Preview:
        return preview(await (await self._live.changes()).preview(change.prepare))

    async def _problems(self, text: str, listing: Listing, *, starts: bool) -> tuple[Problem, ...]:
        network, problems = await asyncio.to_thread(definitions.examined, text, listing.known)
        if network is None:
            return problems
        later = (replace(one, severity=Severity.WARNING) for one in requests.unrunnable(network))
        running = [as_run for _, as_run in listing.running.values()]
        now = await asyncio.to_thread(doubts, network, running, self.paths, starts=starts)
        wrong = {one.line for one in problems if one.severity is Severity.ERROR}
        more = [one for one in (*later, *now) if not one.line or one.line not in wrong]
        return (*problems, *sorted(more, key=lambda problem: problem.line))

    async def _infos(self, refs: Sequence[Ref]) -> tuple[NetworkInfo, ...]:
        listing = await self._look()
        found = [listing.info(uuid) for uuid in listing.distinct(refs)]
        return self._live.seen(found, listing.running)

    def _permitted(self, what: str) -> None:
        if os.geteuid() != 0:
            raise NotPermittedError(
                f"to {what} needs root", "use sudo, or try it out in: vnet-tui --sandbox"
            )
