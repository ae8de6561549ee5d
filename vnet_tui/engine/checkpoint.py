"""Changes on trial: a checkpoint is opened, then confirmed, or everything since is rolled back."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from vnet_tui.engine import audit, roll_back
from vnet_tui.engine.caller import Caller, caller
from vnet_tui.engine.catalog import Catalog
from vnet_tui.engine.change_request import Prepare, Request, Running
from vnet_tui.engine.changes import Changes
from vnet_tui.engine.checkpoint_file import CheckpointFiles, Ended, Pending, Ran, boottime
from vnet_tui.engine.checkpoint_keeper import Keeper
from vnet_tui.engine.describe import describe
from vnet_tui.engine.errors import NotFoundError, StateError, VnetError
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.lock import ChangeLock
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import LinkSnapshot
from vnet_tui.engine.roll_back import Difference
from vnet_tui.engine.steps import Plan
from vnet_tui.engine.unbroken import unbroken
from vnet_tui.engine.views import Checkpoint, EventKind

SHORTEST, LONGEST = 1.0, 86_400.0
"""Seconds that one may ask to have for confirming."""


_NOBODY = Caller(who="the engine itself (nobody confirmed it)", session="")


class _EndedError(StateError):
    """The checkpoint was confirmed or rolled back already."""


class Checkpoints:
    """The checkpoint of one host, as one engine sees it.

    ``changes`` and ``links`` give the way to change the host and the look at its interfaces;
    ``settled`` is called after a roll-back, and told whether the machine was booted since.
    """

    def __init__(
        self,
        paths: Paths,
        catalog: Catalog,
        bus: EventBus,
        *,
        changes: Callable[[], Awaitable[Changes]],
        links: Callable[[], Awaitable[LinkSnapshot]],
        settled: Callable[[bool], Awaitable[None]],
    ) -> None:
        self._paths = paths
        self._catalog = catalog
        self._bus = bus
        self._changes = changes
        self._links = links
        self._settled = settled
        self._files = CheckpointFiles(paths)
        self._lock = ChangeLock(paths)
        self._rolling = asyncio.Lock()
        self._keeper = Keeper(self._remaining, self._when_due)
        self._trouble = ""

    async def close(self) -> None:
        """Leave the deadline to other engines, or to the next one."""
        await self._keeper.close()

    def keep(self) -> None:
        """Keep the deadlines of all checkpoints from now on, whoever opens them."""
        self._keeper.start(forever=True)

    async def adopt(self) -> None:
        """Take over what a killed engine left: roll back what is due, keep what isn't yet."""
        if await self._lock.alone(self._known_in_this_boot) is not None:
            await self.end_overdue()
            self._keeper.start()

    async def end_overdue(self) -> None:
        """Roll back a checkpoint whose time has run out; before every change, in case that nobody
        was there to do it. One that is under way is waited for; what failed is the keeper's."""
        async with self._rolling:
            pending = self._files.pending()
        if pending is not None and pending.due and not self._keeper.keeps:
            with contextlib.suppress(VnetError):  # it was told; what isn't done is refused later
                await self._when_due()

    async def open(self, confirm_within: float) -> Checkpoint:
        """Open one. Raises StateError where one is open, and VnetError for too short a time."""
        if not SHORTEST <= confirm_within <= LONGEST:
            raise VnetError(
                f"{confirm_within:g} s to confirm a change",
                f"from {SHORTEST:.0f} s to a day ({LONGEST:.0f} s) make sense",
            )
        await self.end_overdue()
        by = caller()
        with audit.logged("open a checkpoint", {}, f"confirm within {confirm_within:g} s"):
            pending = await (await self._changes()).alone(partial(self._open, confirm_within, by))
        self._keeper.start()
        self._bus.tell(
            EventKind.CHECKPOINT_OPENED,
            None,
            "",
            f"{by.who} has {confirm_within:g} s to confirm changes (checkpoint {pending.id})",
        )
        return self._view(pending)

    async def current(self) -> Checkpoint | None:
        """The one that is open."""
        return await asyncio.to_thread(self._current)

    async def confirm(self, id_: str) -> None:
        """Keep what was changed."""
        await self.end_overdue()
        with audit.logged("confirm", {}, f"checkpoint {id_}"):
            await self._lock.alone(partial(self._confirm, id_, caller()))
        self._bus.tell(
            EventKind.CHECKPOINT_CONFIRMED,
            None,
            "",
            f"{caller().who} confirmed the changes since checkpoint {id_}",
        )

    async def roll_back(self, id_: str) -> None:
        """Bring everything back, now. It comes to its end when the caller is cancelled."""
        await unbroken(asyncio.ensure_future(self._roll_back(id_, caller())))

    def allow(self, *, by_itself: bool = False) -> None:
        """Whether a change may be made now, asked under the change lock. Raises StateError.

        ``by_itself``: it is a start with the host, which is part of a trial that a reboot is.
        """
        pending = self._files.pending()
        if pending is None:
            return
        if pending.due:
            raise StateError(
                f"what {pending.who} changed wasn't confirmed and is being rolled back",
                f"try again when it is; to do it now: vnet network-rollback {pending.id}",
            )
        if pending.ran is None and by_itself:
            return
        if pending.ran is not None and caller().session == pending.session:
            return
        raise StateError(
            f"{pending.who} has changes on trial, for another {pending.remaining():.0f} s at most; "
            f"until then nobody else changes anything",
            f"to keep them now: vnet network-confirm {pending.id}; "
            f"to take them back: vnet network-rollback {pending.id}",
        )

    def forget_leases(self, uuid: UUID) -> None:
        """Remove the leases of a network that is gone, as soon as it can't be brought back."""
        pending = self._files.pending()
        if pending is None or uuid not in pending.saved:
            self._paths.lease_file(uuid).unlink(missing_ok=True)

    # Under the change lock

    def _known_in_this_boot(self) -> Pending | None:
        """The one that is open, with a deadline by the clock of this boot."""
        pending = self._files.pending()
        if pending is None:
            self._files.tidy()
        elif pending.deadline is None:
            left = pending.remaining()
            pending = replace(pending, deadline=boottime() + left)
            self._files.save_here(pending)
        return pending

    async def _open(self, within: float, by: Caller) -> Pending:
        links = (await self._links()).links

        def saved() -> Pending:
            already = self._files.pending()
            if already is not None:
                raise StateError(
                    f"{already.who} has opened checkpoint {already.id}, "
                    f"and has another {max(0.0, already.remaining()):.0f} s to confirm it",
                    f"to keep its changes: vnet network-confirm {already.id}; "
                    f"to take them back: vnet network-rollback {already.id}",
                )
            listing = self._catalog.look()
            ran = {}
            for uuid, (record, network) in listing.running.items():
                bridge = network.bridge.name if network.bridge else None
                ports = [one for one in links.values() if bridge and one.master == bridge]
                ran[uuid] = Ran(record=record, ports=tuple((one.name, one.index) for one in ports))
            pending = Pending(
                id=secrets.token_hex(4),
                opened=time.time(),
                within=within,
                who=by.who,
                session=by.session,
                definitions=self._catalog.store.texts(),
                autostart=listing.autostart,
                deadline=boottime() + within,
                ran=ran,
            )
            self._files.save(pending)
            return pending

        return await asyncio.to_thread(saved)

    def _asked(self, id_: str) -> Pending:
        """The open checkpoint that is meant."""
        pending = self._files.pending()
        if pending is not None and pending.id == id_:
            return pending
        ended = self._files.ended(id_)
        if ended is not None:
            when = datetime.fromtimestamp(ended.when).astimezone()
            raise _EndedError(
                f"checkpoint {id_} was {ended.how} by {ended.who} "
                f"at {when.isoformat(sep=' ', timespec='seconds')}"
            )
        remedy = f"the one that is open is {pending.id}" if pending else "none is open"
        raise NotFoundError(f"there is no checkpoint {id_}", remedy)

    def _confirm(self, id_: str, by: Caller) -> None:
        pending = self._asked(id_)
        if pending.due:
            raise StateError(f"too late: checkpoint {id_} is being rolled back")
        self._files.end(Ended(id=id_, how="confirmed", who=by.who, when=time.time()))
        self._sweep_leases(pending.saved)

    def _decide(self, id_: str) -> Pending:
        """From here on there is no way but back. A deadline that has passed says so by itself,
        also where nothing can be written any more."""
        pending = self._asked(id_)
        if not pending.due:
            pending = replace(pending, rolling_back=True)
            self._files.save(pending)
        return pending

    def _restore(self, pending: Pending) -> tuple[Path, ...]:
        self._asked(pending.id)  # others may have ended it, and defined something since
        return roll_back.restore(pending, self._catalog.store, self._files.aside(pending.id))

    def _end(self, pending: Pending, by: Caller, about: Iterable[UUID]) -> bool:
        """Whether this was what ended it; others may have rolled it back at the same time."""
        if self._files.ended(pending.id) is not None:
            return False
        self._files.end(Ended(id=pending.id, how="rolled back", who=by.who, when=time.time()))
        self._sweep_leases(pending.saved.union(about))
        return True

    def _sweep_leases(self, uuids: frozenset[UUID]) -> None:
        """Remove the leases of those of these networks that are gone now."""
        for uuid in uuids - self._catalog.look().known.keys():
            self._paths.lease_file(uuid).unlink(missing_ok=True)

    # Rolling back

    def _remaining(self) -> float | None:
        pending = self._files.pending()
        if pending is None:
            return None
        return 0.0 if pending.due else pending.remaining()

    async def _when_due(self) -> None:
        pending = self._files.pending()
        if pending is not None:
            with contextlib.suppress(_EndedError):  # another engine was quicker
                await unbroken(asyncio.ensure_future(self._roll_back(pending.id, _NOBODY)))

    async def _roll_back(self, id_: str, by: Caller) -> None:
        async with self._rolling:
            changes = await self._changes()
            pending = await self._lock.alone(partial(self._decide, id_))
            undone = await asyncio.to_thread(self._differences, pending)
            about = {one.network: one.name for one in undone}
            steps: list[str] = []
            try:
                await self._bring_back(changes, pending, undone, steps)
            except _EndedError:
                return  # another engine rolled it back meanwhile
            except VnetError as error:
                self._trouble = audit.reason(error)
                audit.log("roll back", about, steps=steps, error=error, by=by)
                message = f"checkpoint {id_} can't be rolled back yet: {self._trouble}"
                self._bus.tell(EventKind.FAILED, None, "", message)
                self._keeper.start()
                raise
            self._trouble = ""
            if await self._lock.alone(partial(self._end, pending, by, about.keys())):
                audit.log("roll back", about, steps=steps, by=by)
                message = f"all is as it was when checkpoint {id_} was opened, by {by.who}"
                self._bus.tell(EventKind.ROLLED_BACK, None, "", message)
        await self._settled(pending.ran is None)

    async def _bring_back(
        self,
        changes: Changes,
        pending: Pending,
        undone: tuple[Difference, ...],
        steps: list[str],
    ) -> None:
        """What ran and what was defined, each as far as that is possible; then look whether it
        all is. Raises the first thing that went wrong."""
        trouble = await self._run_again(changes, pending, steps)
        await self._lock.alone(partial(self._restore, pending))
        left_over = await asyncio.to_thread(self._differences, pending)
        self._tell_taken_back([one for one in undone if one not in left_over])
        if trouble is not None:
            raise trouble
        missing = await changes.preview(self._as_it_ran(pending))
        left = [describe(step) for step in missing.steps]
        if await asyncio.to_thread(self._stored_otherwise, pending):
            left.append("definitions are others than then")
        if left:
            raise VnetError(
                f"after the roll-back not all is as it was: {'; '.join(left[:3])}",
                "another program may be changing the same things",
            )

    async def _run_again(
        self, changes: Changes, pending: Pending, steps: list[str]
    ) -> VnetError | None:
        """Bring what runs to what ran, at once; where that fails, each network by itself, so that
        one that can't be brought back doesn't keep the others cut off."""

        def note(plan: Plan, error: VnetError | None) -> None:
            if error is None:
                steps.extend(describe(step) for step in plan.steps)

        whole = self._as_it_ran(pending)
        try:
            await changes.run(whole, on_end=note)
        except _EndedError:
            raise
        except VnetError as error:
            running = await asyncio.to_thread(self._catalog.running)
            wanted = whole(running)
            if len(wanted.scope) < 2:
                return error
        else:
            return None
        trouble = None
        for uuid in sorted(wanted.scope, key=wanted.records.__contains__):  # the stops first
            try:
                await changes.run(partial(self._only, uuid, whole), on_end=note)
            except _EndedError:
                raise
            except VnetError as error:
                trouble = trouble or error
        return trouble

    def _as_it_ran(self, pending: Pending) -> Prepare:
        def prepare(running: Running) -> Request:
            self._asked(pending.id)
            return roll_back.as_it_ran(pending, running)

        return prepare

    @staticmethod
    def _only(uuid: UUID, whole: Prepare, running: Running) -> Request:
        return roll_back.only(uuid, whole(running), running)

    def _stored_otherwise(self, pending: Pending) -> bool:
        store = self._catalog.store
        return store.texts() != pending.definitions or store.autostarts() != pending.autostart

    # What is told

    def _current(self) -> Checkpoint | None:
        pending = self._files.pending()
        return None if pending is None else self._view(pending)

    def _view(self, pending: Pending) -> Checkpoint:
        return Checkpoint(
            id=pending.id,
            opened=pending.opened,
            deadline=time.time() + pending.remaining(),
            who=pending.who,
            changes=tuple(str(one) for one in self._differences(pending)),
            note=self._trouble,
        )

    def _tell_taken_back(self, undone: list[Difference]) -> None:
        for uuid, name in {one.network: one.name for one in undone}.items():
            what = ", ".join(one.what for one in undone if one.network == uuid)
            self._bus.tell(EventKind.ROLLED_BACK, uuid, name, f"taken back: {what}")

    def _differences(self, pending: Pending) -> tuple[Difference, ...]:
        store = self._catalog.store
        return roll_back.differences(
            pending, store.texts(), store.autostarts(), self._catalog.running()
        )
