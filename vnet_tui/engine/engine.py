"""The engine: networks defined, run, changed and watched on one host. Knows none of its callers.

>>> engine = Engine(Paths.choose())  # doctest: +SKIP
>>> foo = await engine.define(Path("foo.xml").read_text())
>>> await engine.start([foo.uuid])

Reading definitions and what runs needs no rights and touches nothing. The first change, and the
first look at live data, opens the drivers; that needs root, or a user namespace of one's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from vnet_tui.engine import audit, definitions, requests
from vnet_tui.engine.apply import BeforeStep
from vnet_tui.engine.asked import Asked
from vnet_tui.engine.catalog import Catalog, Listing
from vnet_tui.engine.changes import OnProgress
from vnet_tui.engine.checkpoint import Checkpoints
from vnet_tui.engine.describe import preview
from vnet_tui.engine.doubts import doubts
from vnet_tui.engine.edits import Edits, accept
from vnet_tui.engine.errors import (
    NotPermittedError,
    Problem,
    Severity,
    StateError,
    VnetError,
)
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.leases import read_leases
from vnet_tui.engine.live import Live
from vnet_tui.engine.model import Subnet
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.requests import NamedChange
from vnet_tui.engine.subnets import in_use, suggest_subnet
from vnet_tui.engine.views import (
    Checkpoint,
    Event,
    EventKind,
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


def firewall_preference(environ: Mapping[str, str] = os.environ) -> str:
    """The firewall driver that VNET_FIREWALL names; ``auto`` takes what the host has."""
    return environ.get("VNET_FIREWALL") or "auto"


def repair_wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether what others change of running networks is mended: not where VNET_REPAIR is
    ``report``."""
    wish = environ.get("VNET_REPAIR") or "mend"
    if wish not in ("mend", "report"):
        raise StateError(f"VNET_REPAIR can't be {wish!r}", "use mend or report")
    return wish == "mend"


class Engine:
    """One host's networks. All methods raise :class:`~vnet_tui.engine.errors.VnetError`.

    Several engines may share the directories of ``paths`` (a command line beside an interface):
    each looks at what is there, and changes are made one at a time. ``firewall`` is ``auto`` or a
    driver's name; :func:`firewall_preference` decides where it isn't given. With ``repair`` False,
    what others change of running networks is told and not mended; :func:`repair_wanted` decides
    where it isn't given. ``before_step`` is called before each step of each plan, for injecting
    faults.
    """

    def __init__(
        self,
        paths: Paths,
        *,
        firewall: str = "",
        repair: bool | None = None,
        before_step: BeforeStep | None = None,
    ) -> None:
        self.paths = paths
        self.catalog = Catalog(paths)
        self.bus = EventBus(paths)
        preference = firewall or firewall_preference()
        self.repairs = repair_wanted() if repair is None else repair
        self._live = Live(
            paths, self.catalog, self.bus, preference, before_step, mends=self.repairs
        )
        self._checkpoints = Checkpoints(
            paths,
            self.catalog,
            self.bus,
            changes=self._live.changes,
            links=self._live.links,
            settled=self._settled,
        )
        self._asked = Asked(self.catalog, self.bus, self._live, self._checkpoints)
        self._edits = Edits(paths, self.catalog, self.bus, self._checkpoints)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the system; what runs goes on."""
        await self._checkpoints.close()
        await self._live.close()
        await self.bus.close()

    # What there is

    async def networks(self) -> tuple[NetworkInfo, ...]:
        """All networks, by name; as recorded, and as last seen where live data is watched."""
        found = await asyncio.to_thread(self.catalog.infos)
        return tuple(self._live.seen(info) for info in found)

    async def network(self, ref: Ref) -> NetworkInfo:
        """One network."""
        listing = await asyncio.to_thread(self.catalog.look_at, ref)
        return self._live.seen(listing.info(listing.find(ref)))

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

    async def validate(self, text: str) -> tuple[Problem, ...]:
        """Everything wrong with a document, alone, beside the definitions, and on this host now."""
        return await self._problems(text, await self._look(), starts=False)

    async def warnings(self, ref: Ref) -> tuple[Problem, ...]:
        """What of a definition (of a transient network: of what runs) deserves a look as it starts.

        As :meth:`validate` tells it, but for guests that are yet to come.
        """
        listing = await self._look()
        text = write(listing.known[listing.find(ref)])
        problems = await self._problems(text, listing, starts=True)
        return tuple(problem for problem in problems if problem.severity is Severity.WARNING)

    # Definitions

    async def define(self, text: str, *, replacing: str | None = None) -> NetworkInfo:
        """Put a definition into the store; a running network goes on as it runs.

        ``replacing``: the definition that this one was made from; StateError where the store has
        another one since.
        """
        self._permitted("define a network")
        return await self.network(await self._edits.define(text, replacing))

    async def undefine(self, ref: Ref) -> None:
        """Take a definition from the store; a running network goes on as a transient one."""
        self._permitted("undefine a network")
        await self._edits.undefine(ref)

    async def set_autostart(self, ref: Ref, on: bool) -> NetworkInfo:
        """Whether a network starts by itself with the host."""
        self._permitted("change autostart")
        return await self.network(await self._edits.set_autostart(ref, on))

    # Changes on trial

    async def open_checkpoint(self, confirm_within: float) -> Checkpoint:
        """From here on changes are on trial: unless confirmed within so many seconds (1 to
        86,400), everything is brought back to what it is now.

        Until then only who opened it (:func:`~vnet_tui.engine.caller.caller`'s session) makes
        changes. The deadline is kept by every engine of these directories that lives then and
        watches, else by the next one that adopts; over a reboot too.
        """
        self._permitted("open a checkpoint")
        return await self._checkpoints.open(confirm_within)

    async def checkpoint(self) -> Checkpoint | None:
        """The checkpoint that is open, if one is."""
        return await self._checkpoints.current()

    async def confirm(self, id: str) -> None:
        """Keep what was changed since a checkpoint was opened."""
        self._permitted("confirm changes")
        await self._checkpoints.confirm(id)

    async def roll_back(self, id: str) -> None:
        """Bring everything back to what it was when a checkpoint was opened, now. Where that fails
        it is tried again by itself, as long as this engine lives or another watches."""
        self._permitted("roll back changes")
        await self._checkpoints.roll_back(id)

    # Changes of what runs

    async def create(self, text: str, *, on_progress: OnProgress | None = None) -> NetworkInfo:
        """Start a transient network."""
        self._permitted("create a network")
        listing = await self._look()
        network, uuid = await asyncio.to_thread(accept, text, listing)
        if uuid in listing.definitions:
            raise StateError(
                f"{network.name} is defined already", f"vnet network-start {network.name} starts it"
            )
        change = requests.start({uuid: network})
        await self._asked.change("start", change, on_progress, logged_as="create")
        return await self.network(uuid)

    async def start(
        self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None
    ) -> tuple[NetworkInfo, ...]:
        """Start defined networks as one batch: all of them run, or none was started."""
        await self._ask("start", refs, on_progress)
        return await self._infos(refs)

    async def start_autostart(self) -> tuple[NetworkInfo, ...]:
        """Start the networks that are to start by themselves and don't run yet.

        As one batch; where that fails each by itself, so that one that can't start doesn't keep
        the others from it. What fails is told as an event. Gives those that were started.
        """
        self._permitted("start networks")
        return await self._infos(await self._asked.start_autostart())

    async def stop(self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None) -> None:
        """Stop networks; transient ones are gone then."""
        listing = await self._ask("stop", refs, on_progress)
        for uuid in frozenset(listing.distinct(refs)) - listing.definitions.keys():
            self._checkpoints.forget_leases(uuid)

    async def restart(
        self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None
    ) -> tuple[NetworkInfo, ...]:
        """Make networks anew from their definitions; guests' ports are attached again."""
        await self._ask("restart", refs, on_progress)
        return await self._infos(refs)

    async def apply(self, ref: Ref, *, on_progress: OnProgress | None = None) -> NetworkInfo:
        """Bring a running network to its definition with the smallest plan."""
        await self._ask("apply", [ref], on_progress)
        return await self.network(ref)

    async def apply_document(
        self,
        text: str,
        *,
        replacing: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> NetworkInfo:
        """Have a running network run as a document says; the store keeps its definition.

        ``replacing``: the document that this one was made from; StateError where it runs otherwise.
        """
        self._permitted("apply a document")
        listing = await self._look()
        network, uuid = await asyncio.to_thread(accept, text, listing)
        change = requests.otherwise(uuid, network, listing, replacing)
        await self._asked.change("apply", change, on_progress)
        return await self.network(uuid)

    async def plan(self, verb: Verb, refs: Sequence[Ref]) -> Preview:
        """What :meth:`start`, :meth:`stop`, :meth:`restart` or :meth:`apply` would do."""
        listing = await self._look()
        return await self._preview(requests.asked(verb, listing.distinct(refs), listing))

    async def plan_document(self, text: str) -> Preview:
        """What it would take to have a document's network run as it says."""
        listing = await self._look()
        network, uuid = await asyncio.to_thread(accept, text, listing)
        listing = replace(listing, definitions={**listing.definitions, uuid: network})
        verb: Verb = "apply" if uuid in listing.running else "start"
        return await self._preview(requests.asked(verb, [uuid], listing))

    async def adopt(self) -> None:
        """End what a killed engine left half-done, and take over the deadline of a checkpoint.

        Every change does the former too, before it begins.
        """
        self._permitted("manage networks")
        await (await self._live.changes()).recover()
        await self._checkpoints.adopt()

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

    async def samples(self) -> AsyncIterator[Sample]:
        """Statistics of all running networks, once a second."""
        async for sample in await self._live.samples():
            yield sample

    async def history(self, ref: Ref, port: str | None = None) -> tuple[HistoryPoint, ...]:
        """The last ten minutes of a network or of one of its ports, oldest first."""
        return await self._live.history((await self._look()).find(ref), port)

    async def watch(self) -> None:
        """Begin to keep history and to tell of leases and ports, as :meth:`samples` does too."""
        await self._live.watch()
        self._checkpoints.keep()

    async def reload(self) -> None:
        """Look at the definitions on disk and at the host anew, and tell what others changed; as
        happens by itself where it is watched."""
        await self._live.reload()

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

    async def mend(self, ref: Ref, finding: Finding) -> tuple[Finding, ...]:
        """Run the commands of one of the doctor's findings, and look again.

        StateError where the doctor doesn't find that any more, DriverError where a command fails.
        """
        from vnet_tui.engine.doctor.mend import agreed, run

        self._permitted("mend a host")
        listing = await self._look()
        uuid = listing.find(ref)
        names = {uuid: listing.name(uuid)}
        agreed(finding, await self.doctor(ref, patience=0))
        with audit.logged("mend", names, *finding.command.splitlines()):
            await run(finding.commands)
        message = f"mended on request: {finding}"
        self.bus.tell(EventKind.RECOVERED, uuid, names[uuid], message)
        return await self.doctor(ref, patience=0)

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

    async def _look(self) -> Listing:
        return await asyncio.to_thread(self.catalog.look)

    async def _preview(self, change: NamedChange) -> Preview:
        return preview(await (await self._live.changes()).preview(change.prepare))

    async def _problems(self, text: str, listing: Listing, *, starts: bool) -> tuple[Problem, ...]:
        network, problems = await asyncio.to_thread(definitions.examined, text, listing.known)
        if network is None:
            return problems
        later = (replace(one, severity=Severity.WARNING) for one in requests.unrunnable(network))
        running = [as_run for _, as_run in listing.running.values()]
        now = await asyncio.to_thread(doubts, network, running, self.paths, starts=starts)
        return (*problems, *sorted((*later, *now), key=lambda problem: problem.line))

    async def _infos(self, refs: Sequence[Ref]) -> tuple[NetworkInfo, ...]:
        listing = await self._look()
        found = [listing.info(uuid) for uuid in listing.distinct(refs)]
        return tuple(self._live.seen(info) for info in found)

    def _permitted(self, what: str) -> None:
        if os.geteuid() != 0:
            raise NotPermittedError(
                f"to {what} needs root", "use sudo, or try it out in: vnet-tui --sandbox"
            )

    async def _ask(
        self, verb: Verb, refs: Sequence[Ref], on_progress: OnProgress | None
    ) -> Listing:
        """Make a change that is asked of defined networks; what there was before it."""
        self._permitted(f"{verb} a network")
        listing = await self._look()
        change = requests.asked(verb, listing.distinct(refs), listing)
        await self._asked.change(verb, change, on_progress)
        return listing

    async def _settled(self, rebooted: bool) -> None:
        """After a roll-back; where the machine was booted since, what starts by itself is what
        shall run."""
        if rebooted:
            with contextlib.suppress(VnetError):
                await self._asked.start_autostart()
        await self._live.refresh()
