"""Definitions that were changed on disk by hand: noticed and told, never applied by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from vnet_tui.engine.catalog import Catalog
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.guard import Guard
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.store import Damage, StoreContents
from vnet_tui.engine.text import printable
from vnet_tui.engine.views import EventKind

SETTLE_SECONDS = 0.2
"""How long an engine may take from writing a definition to telling of it."""

_TOLD = frozenset({EventKind.DEFINED, EventKind.UNDEFINED, EventKind.ROLLED_BACK})
"""By which events engines tell what they did to definitions."""


class OnDisk:
    """What the store held when it was last looked at, to be compared with what it holds now."""

    def __init__(self, paths: Paths, catalog: Catalog, bus: EventBus, guard: Guard) -> None:
        self._paths = paths
        self._catalog = catalog
        self._bus = bus
        self._guard = guard
        self._known: Mapping[UUID, Network] | None = None
        self._damaged: frozenset[str] = frozenset()
        self._checked = datetime.now(UTC)
        self._checking = asyncio.Lock()

    async def check(self) -> None:
        """Tell what others than an engine changed since the last check; the first one only looks.

        Raises :class:`~vnet_tui.engine.errors.StoreError` where the store can't be read.
        """
        async with self._checking:
            began = datetime.now(UTC)
            contents = await asyncio.to_thread(self._catalog.store.load)
            known, self._known = self._known, contents.networks
            damaged, self._damaged = self._damaged, frozenset(map(str, contents.damaged))
            if known is not None and self._guard.acts():
                self._tell_changes(known, contents)
                for one in contents.damaged:
                    if str(one) not in damaged:
                        self._tell_damage(one, known)
            self._checked = began

    def _tell_changes(self, known: Mapping[UUID, Network], contents: StoreContents) -> None:
        running = self._catalog.running()
        now = contents.networks
        broken = {one.path.stem for one in contents.damaged}
        for uuid in sorted(known.keys() | now.keys()):
            before, after = known.get(uuid), now.get(uuid)
            if before == after or str(uuid) in broken or self._told_by_an_engine(uuid):
                continue
            runs = running[uuid][1] if uuid in running else None
            name = (after or before or runs or _NOBODY).name
            self._tell(uuid, name, _change(before, after, runs))

    def _tell_damage(self, one: Damage, known: Mapping[UUID, Network]) -> None:
        try:
            uuid = UUID(one.path.stem)
        except ValueError:
            uuid = None
        network = known.get(uuid) if uuid else None
        kept = "" if one.kept == one.path else f"; it was set aside as {one.kept}"
        goes_on = (
            "; the network goes on as a transient one" if uuid in self._catalog.running() else ""
        )
        message = f"{one.path} can't be read: {one.reason}{kept}{goes_on}"
        self._tell(uuid, network.name if network else "", message)

    def _told_by_an_engine(self, uuid: UUID) -> bool:
        """Whether an engine said that it wrote, or removed, what is there now."""
        try:
            written = (self._paths.definitions / f"{uuid}.xml").stat().st_ctime
        except OSError:
            since = self._checked
        else:
            # Times of files are behind, never ahead (CLOCK_REALTIME_COARSE).
            since = datetime.fromtimestamp(written, UTC)
        return any(
            event.kind in _TOLD and event.time >= since
            for event in self._bus.past()
            if event.network in (uuid, None) or event.kind is EventKind.ROLLED_BACK
        )

    def _tell(self, uuid: UUID | None, name: str, message: str) -> None:
        self._bus.tell(EventKind.CHANGED_ON_DISK, uuid, name, printable(message))


_NOBODY = Network(name="")


def _change(before: Network | None, after: Network | None, runs: Network | None) -> str:
    """What somebody did to a definition, in words; ``runs`` is the network as it runs."""
    if after is None:
        goes_on = ": the network goes on as a transient one" if runs else ""
        return f"its definition was removed from disk{goes_on}"
    what = "its definition was changed on disk" if before else "its definition was put on disk"
    if runs is None:
        return what
    if runs == after:
        return f"{what}, to what runs"
    return f"{what}: pending, vnet network-apply {after.name} puts it into force"
