"""A change that somebody asked for: allowed, made, told of each network it is about, and logged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from uuid import UUID

from vnet_tui.engine import audit, requests
from vnet_tui.engine.catalog import Catalog
from vnet_tui.engine.change_request import Request, Running
from vnet_tui.engine.checkpoint import Checkpoints
from vnet_tui.engine.doubts import host_ports
from vnet_tui.engine.errors import UnsupportedError, VnetError
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.live import Live
from vnet_tui.engine.requests import NamedChange
from vnet_tui.engine.steps import Plan
from vnet_tui.engine.under_way import UnderWay
from vnet_tui.engine.views import EventKind, OnProgress, Verb


class Asked:
    """Makes the changes that an engine is asked for."""

    def __init__(
        self, catalog: Catalog, bus: EventBus, live: Live, checkpoints: Checkpoints
    ) -> None:
        self._catalog = catalog
        self._bus = bus
        self._live = live
        self._checkpoints = checkpoints
        self.under_way = UnderWay()

    async def change(
        self,
        verb: Verb,
        change: NamedChange,
        on_progress: OnProgress | None = None,
        *,
        logged_as: str = "",
        by_itself: bool = False,
        tell_failure: bool = True,
    ) -> None:
        """Make a change. ``by_itself``: the host makes it as it starts; ``logged_as`` instead of
        as ``verb``.

        How it went is told and logged also when the caller is cancelled meanwhile.
        """
        await self._checkpoints.end_overdue()

        told = False

        def ended(plan: Plan, error: VnetError | None) -> None:
            nonlocal told
            told = True
            audit.log(logged_as or verb, change.names, steps=plan, error=error)
            if error is None:
                kind, done = _TOLD[verb]
                for uuid, name in change.names.items():
                    self._bus.tell(kind, uuid, name, done)
            elif tell_failure:
                self._tell_failure(verb, change.names, error)

        with self.under_way.change(change.names) as go_on:

            def prepare(running: Running) -> Request:
                go_on()
                self._checkpoints.allow(by_itself=by_itself)
                return change.prepare(running)

            try:
                await (await self._live.changes()).run(prepare, on_progress, ended, go_on)
            except VnetError as error:
                if not told:  # it wasn't begun
                    ended(Plan(), error)
                raise
        await self._tell_host_ports(change.names)
        await self._live.refresh()

    async def start_autostart(self) -> list[UUID]:
        """Start what is to start by itself and doesn't run: at once, or each that can. What fails
        is told. Gives those that were started."""
        listing = await asyncio.to_thread(self._catalog.look)
        waiting = listing.autostart - listing.running.keys()
        chosen = {uuid: listing.definitions[uuid] for uuid in waiting & listing.definitions.keys()}
        if not chosen:
            return []
        with contextlib.suppress(VnetError):
            start = requests.start(chosen)
            await self.change("start", start, by_itself=True, tell_failure=False)
            return [*chosen]
        for uuid, network in chosen.items():
            try:
                await self.change("start", requests.start({uuid: network}), by_itself=True)
            except UnsupportedError as error:  # it was refused before anything was tried
                self._tell_failure("start", {uuid: network.name}, error)
            except VnetError:
                continue  # it was told as it failed
        running = await asyncio.to_thread(self._catalog.running)
        return [uuid for uuid in chosen if uuid in running]

    async def _tell_host_ports(self, names: Mapping[UUID, str]) -> None:
        """Tell of services of the host that the forwards of networks that run now keep others
        from."""
        running = {uuid: network for uuid, (_, network) in self._catalog.running().items()}
        changed = [uuid for uuid in names if uuid in running]
        found = await asyncio.to_thread(
            host_ports, [running[uuid] for uuid in changed], [*running.values()]
        )
        for uuid, problems in zip(changed, found, strict=True):
            for problem in problems:
                self._bus.tell(EventKind.WARNING, uuid, names[uuid], str(problem))

    def _tell_failure(self, verb: str, names: Mapping[UUID, str], error: VnetError) -> None:
        message = f"{verb} failed: {audit.reason(error)}"
        for uuid, name in names.items():
            self._bus.tell(EventKind.FAILED, uuid, name, message)


_TOLD = {
    "start": (EventKind.STARTED, "runs"),
    "stop": (EventKind.STOPPED, "no longer runs"),
    "restart": (EventKind.STARTED, "made anew, runs again"),
    "apply": (EventKind.EDITED, "brought to its definition"),
}
