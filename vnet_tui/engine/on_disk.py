"""Definitions that were changed on disk by hand: noticed and told, never applied by themselves.

What the kernel says of files is gathered, so that ten thousand that are put there together are
looked at once or twice, and of the others none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from vnet_tui.engine.catalog import Catalog
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.guard import Guard
from vnet_tui.engine.model import Network
from vnet_tui.engine.on_disk_words import Found, in_words, spoilt
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.store import Damage, StoreContents
from vnet_tui.engine.text import printable
from vnet_tui.engine.views import Event, EventKind

SETTLE_SECONDS = 0.2
"""How long an engine may take from writing a definition to telling of it; and so long nothing more
has to happen before what happened is looked at."""

LONGEST_SECONDS = 3.0
"""After so long it is looked at though there is no end of it."""

_TOLD = frozenset({EventKind.DEFINED, EventKind.UNDEFINED, EventKind.ROLLED_BACK})
"""By which events engines tell what they did to definitions."""


class OnDisk:
    """What the store held when it was last looked at, to be compared with what it holds now."""

    def __init__(self, paths: Paths, catalog: Catalog, bus: EventBus, guard: Guard) -> None:
        self._paths = paths
        self._catalog = catalog
        self._bus = bus
        self._guard = guard
        self._known: dict[UUID, Network] | None = None
        self._damaged: set[tuple[Path, str]] = set()
        self._written: dict[UUID, datetime] = {}
        self._began = self._checked = datetime.now(UTC)
        self._checking = asyncio.Lock()
        self._names: set[str] = set()
        self._all = False
        self._woken = asyncio.Event()

    def heard(self, name: str) -> None:
        """A file of this name changed among the definitions: :meth:`run` looks at it."""
        self._names.add(name)
        self._woken.set()

    def missed(self) -> None:
        """Something changed, and it isn't known what: :meth:`run` looks at all."""
        self._all = True
        self._woken.set()

    async def run(self) -> None:
        """Look at what was heard of, for ever, and tell it.

        Raises :class:`~vnet_tui.engine.errors.StoreError` where the store can't be read; all is
        looked at the next time, then.
        """
        loop = asyncio.get_running_loop()
        while True:
            await self._woken.wait()
            until = loop.time() + LONGEST_SECONDS
            while self._woken.is_set() and loop.time() < until:
                self._woken.clear()
                await asyncio.sleep(SETTLE_SECONDS)
            self._woken.clear()
            await self._check()

    async def check(self) -> None:
        """Tell what others than an engine changed since the last check; the first one only looks.

        Raises :class:`~vnet_tui.engine.errors.StoreError` where the store can't be read.
        """
        self._all = True
        await self._check()

    async def _check(self) -> None:
        """Look at what was heard of, or at all where it is asked for."""
        async with self._checking:
            names = None if self._all or self._known is None else self._names
            self._all, self._names = False, set()
            began = datetime.now(UTC)
            try:
                contents = await asyncio.to_thread(self._look, names)
            except BaseException:
                self.missed()
                raise
            self._compare(contents, names)
            self._checked = began

    def _look(self, names: Collection[str] | None) -> StoreContents:
        store = self._catalog.store
        return store.load() if names is None else store.load_files(names)

    def _compare(self, contents: StoreContents, names: Collection[str] | None) -> None:
        """See what is other than before, of all files or of those with these names."""
        known, now = self._known, contents.networks
        looked_at = (known or {}).keys() | now.keys() if names is None else _uuids(names)
        before = {uuid: known[uuid] for uuid in looked_at & known.keys()} if known else {}
        changed = [uuid for uuid in sorted(looked_at) if before.get(uuid) != now.get(uuid)]
        if known is None or names is None:
            self._known = dict(now)
        else:
            for uuid in looked_at:
                known.pop(uuid, None)
            known.update(now)
        damaged = self._new_damage(contents.damaged, names)
        if known is not None:
            self._tell_changes(changed, before, now, damaged, self._checked)

    def _new_damage(
        self, damaged: Collection[Damage], names: Collection[str] | None
    ) -> list[Damage]:
        """Those of the damaged files that weren't there, or in that way, before."""
        new = [one for one in damaged if (one.kept, one.reason) not in self._damaged]
        if names is None:
            self._damaged.clear()
        else:
            mended = {self._paths.definitions / name for name in names}
            self._damaged = {one for one in self._damaged if one[0] not in mended}
        self._damaged.update((one.kept, one.reason) for one in damaged)
        return new

    def _tell_changes(
        self,
        changed: list[UUID],
        before: Mapping[UUID, Network],
        now: Mapping[UUID, Network],
        damaged: list[Damage],
        since: datetime,
    ) -> None:
        acts = self._guard.acts()
        told = self._told_by_engines() if changed else {}
        running = self._catalog.running() if acts and (changed or damaged) else {}
        broken = {_stem(one) for one in damaged}
        found = []
        for uuid in changed:
            if not self._told(uuid, told, since) and str(uuid) not in broken:
                runs = running[uuid][1] if uuid in running else None
                found.append(Found(uuid, before.get(uuid), now.get(uuid), runs))
        if acts:
            spoils = [spoilt(one, _stem(one), before, running) for one in damaged]
            for network, name, message in in_words(found, spoils):
                self._bus.tell(EventKind.CHANGED_ON_DISK, network, name, printable(message))

    def _told_by_engines(self) -> Mapping[UUID | None, Event]:
        """What engines last said that they did to definitions; None: to all of them."""
        found: dict[UUID | None, Event] = {}
        for event in self._bus.past():
            if event.kind in _TOLD:
                of_all = event.kind is EventKind.ROLLED_BACK
                found[None if of_all else event.network] = event
        return found

    def _told(self, uuid: UUID, told: Mapping[UUID | None, Event], since: datetime) -> bool:
        """Whether an engine said that it wrote, or removed, what is there now; ``since`` is when
        others were last looked for."""
        one, of_all = told.get(uuid), told.get(None)
        try:
            status = (self._paths.definitions / f"{uuid}.xml").stat()
        except OSError:
            written = self._written.pop(uuid, self._began)
            removed = one is not None and one.kind is EventKind.UNDEFINED and one.time >= written
            return removed or (of_all is not None and of_all.time >= since)
        # Times of files are behind, never ahead (CLOCK_REALTIME_COARSE).
        written = self._written[uuid] = datetime.fromtimestamp(status.st_ctime, UTC)
        return any(event is not None and event.time >= written for event in (one, of_all))


def _uuids(names: Collection[str]) -> set[UUID]:
    """The networks that files are named for."""
    found = set()
    for name in names:
        try:
            found.add(UUID(name.removesuffix(".xml")))
        except ValueError:
            continue
    return found


def _stem(one: Damage) -> str:
    """What a damaged file was named; where it lies now, a number may follow."""
    return one.path.name.partition(".")[0]
