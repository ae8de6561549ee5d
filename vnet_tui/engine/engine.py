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
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self
from uuid import UUID

from vnet_tui.engine import audit, requests
from vnet_tui.engine.apply import BeforeStep
from vnet_tui.engine.asked import Asked
from vnet_tui.engine.catalog import Catalog, Listing
from vnet_tui.engine.checkpoint import Checkpoints
from vnet_tui.engine.edits import Edits, accept
from vnet_tui.engine.errors import (
    StateError,
    VnetError,
)
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.inquiries import Inquiries
from vnet_tui.engine.live import Live
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.settings import settings
from vnet_tui.engine.views import (
    Checkpoint,
    EventKind,
    NetworkInfo,
    OnProgress,
    Ref,
    Verb,
)

if TYPE_CHECKING:
    from vnet_tui.engine.doctor.findings import Finding


class Engine(Inquiries):
    """One host's networks. All methods raise :class:`~vnet_tui.engine.errors.VnetError`.

    Several engines may share the directories of ``paths`` (a command line beside an interface):
    each looks at what is there, and changes are made one at a time. ``firewall`` is ``auto`` or a
    driver's name; with ``repair`` False, what others change of running networks is told and not
    mended. Where they aren't given, :func:`~vnet_tui.engine.settings.settings` decides.
    ``before_step`` is called before each step of each plan, for injecting
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
        catalog, bus = Catalog(paths), EventBus(paths)
        wishes = settings()
        self.repairs = wishes.mends if repair is None else repair
        firewall = firewall or wishes.firewall
        live = Live(paths, catalog, bus, firewall, before_step, mends=self.repairs)
        super().__init__(paths, catalog, bus, live)
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
        change = await asyncio.to_thread(requests.start, {uuid: network})
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
        change = await asyncio.to_thread(requests.otherwise, uuid, network, listing, replacing)
        await self._asked.change("apply", change, on_progress)
        return await self.network(uuid)

    async def adopt(self) -> None:
        """End what a killed engine left half-done, and take over the deadline of a checkpoint.

        Every change does the former too, before it begins.
        """
        self._permitted("manage networks")
        await (await self._live.changes()).recover()
        await self._checkpoints.adopt()

    # What happens

    async def watch(self) -> None:
        """Begin to keep history and to tell of leases and ports, as :meth:`samples` does too."""
        await self._live.watch()
        self._checkpoints.keep()

    async def cancel(self, uuids: Sequence[UUID]) -> None:
        """Have changes under way of any of these networks given up: no further step of theirs is
        begun, and what was done is undone, as after a failure; who asked for them is told so.

        StateError where there is none, or no more.
        """
        self._permitted("cancel a change")
        self._asked.under_way.cancel(uuids)

    async def reload(self) -> None:
        """Look at the definitions on disk and at the host anew, and tell what others changed; as
        happens by itself where it is watched."""
        await self._live.reload()

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

    # How

    async def _ask(
        self, verb: Verb, refs: Sequence[Ref], on_progress: OnProgress | None
    ) -> Listing:
        """Make a change that is asked of defined networks; what there was before it."""
        self._permitted(f"{verb} a network")

        def prepared() -> tuple[Listing, requests.NamedChange]:
            listing = self.catalog.look()
            return listing, requests.asked(verb, listing.distinct(refs), listing)

        listing, change = await asyncio.to_thread(prepared)
        await self._asked.change(verb, change, on_progress)
        return listing

    async def _settled(self, rebooted: bool) -> None:
        """After a roll-back; where the machine was booted since, what starts by itself is what
        shall run."""
        if rebooted:
            with contextlib.suppress(VnetError):
                await self._asked.start_autostart()
        await self._live.refresh()
