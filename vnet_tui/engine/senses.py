"""What an engine hears of its host: each source in a task of its own, told to whom it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from vnet_tui.engine.disk_watch import DiskWatch, Place
from vnet_tui.engine.drivers.firewall.protocol import watch as watch_rules
from vnet_tui.engine.drivers.links import Happened, LinkChange
from vnet_tui.engine.drivers.sysctl_watch import SettingsWatch
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.observe import Part
from vnet_tui.engine.on_disk import OnDisk
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.plan import needed_sysctls
from vnet_tui.engine.resources import DnsmasqProcess, SwitchProcess
from vnet_tui.engine.system import System
from vnet_tui.engine.upkeep import Looked

AGAIN_SECONDS = 5.0
"""How long to wait before listening again to what failed."""


class Senses:
    """Listens, and says which parts of the host have to be looked at.

    ``disturbed`` is told the parts, ``heard`` every change of an interface, ``warn`` what can't be
    listened to.
    """

    def __init__(
        self,
        paths: Paths,
        system: System,
        on_disk: OnDisk,
        *,
        disturbed: Callable[[Part], None],
        heard: Callable[[LinkChange], None],
        warn: Callable[[str], None],
    ) -> None:
        self._paths = paths
        self._system = system
        self._on_disk = on_disk
        self._disturbed = disturbed
        self._heard = heard
        self._warn = warn
        self._bridges: Mapping[str, UUID] = {}
        self._strangers: set[str] = set()
        self._advertised = False
        self._services: dict[int, asyncio.Task[None]] = {}
        self._settings: SettingsWatch | None = None
        self._followed: frozenset[tuple[str, int]] = frozenset()

    async def run(self) -> None:
        """Listen for ever. What can't be listened to is told once, and tried again."""
        try:
            await asyncio.gather(
                *map(
                    self._persist,
                    (self._links, self._rules, self._sysctls, self._files, self._on_disk.run),
                )
            )
        finally:
            for task in self._services.values():
                task.cancel()
            await asyncio.gather(*self._services.values(), return_exceptions=True)

    async def _persist(self, listen: Callable[[], Awaitable[None]]) -> None:
        said = ""
        while True:
            try:
                await listen()
            except (VnetError, OSError) as error:
                message = error.message if isinstance(error, VnetError) else str(error)
                if message != said:
                    said = message
                    self._warn(f"some changes of the host aren't noticed: {message}")
            await asyncio.sleep(AGAIN_SECONDS)
            self._disturbed(Part.ALL)

    async def looked(self, found: Looked) -> None:
        """Follow what runs now."""
        running = found.running
        self._bridges = {one.bridge.name: uuid for uuid, one in running.networks.items()}
        # What happened to a bridge that wasn't known to be ours may have been after it was seen.
        if self._strangers & self._bridges.keys():
            self._disturbed(Part.LINKS)
        self._strangers.clear()
        self._advertised = running.forwards(6)
        links = found.links.links
        made = frozenset((name, links[name].index) for name in self._bridges if name in links)
        if self._settings is not None and made != self._followed:
            self._followed = made
            self._settings.follow(needed_sysctls(running, running.networks.keys()))
        for one in found.services:
            if one.pid not in self._services:
                self._services[one.pid] = asyncio.create_task(self._service(one))

    async def _service(self, one: DnsmasqProcess | SwitchProcess) -> None:
        """Say when a process of ours has ended."""
        try:
            if isinstance(one, SwitchProcess):
                await (await self._system.vde()).wait_exit(one)
            else:
                await (await self._system.dnsmasq()).wait_exit(one)
        finally:
            self._services.pop(one.pid, None)
        self._disturbed(Part.SERVICES)

    async def _links(self) -> None:
        links = await self._system.links()
        async with await links.watch() as changes:
            self._disturbed(Part.LINKS)  # what happened before was heard by nobody
            async for change in changes:
                self._heard(change)
                if change.happened is Happened.MISSED:
                    self._disturbed(Part.ALL)
                elif self._concerns_us(change):
                    self._disturbed(Part.LINKS)

    def _concerns_us(self, change: LinkChange) -> bool:
        """Whether an interface is a bridge of ours or at one, or may be one by which the host hears
        router advertisements."""
        if change.name in self._bridges or change.master in self._bridges:
            return True
        self._strangers.add(change.name)
        return self._advertised and change.happened is Happened.ADDRESSES

    async def _rules(self) -> None:
        with watch_rules(await self._system.firewall()) as rules:
            self._disturbed(Part.RULES)
            while True:
                await rules.changed()
                self._disturbed(Part.RULES)

    async def _sysctls(self) -> None:
        with SettingsWatch() as self._settings:
            while True:
                await self._settings.changed()
                self._disturbed(Part.SETTINGS)

    async def _files(self) -> None:
        """Definitions are compared with what they were; other files are a part of the host."""
        with DiskWatch(self._paths) as files:
            self._disturbed(Part.ALL)
            await self._on_disk.check()
            while True:
                change = await files.changed()
                place = change.place
                if place in (Place.RECORDS, Place.EVERYWHERE):
                    self._disturbed(Part.ALL)
                elif place is Place.SERVICES:
                    self._disturbed(Part.SERVICES)
                if place is Place.DEFINITIONS:
                    self._on_disk.heard(change.name)
                elif place is Place.EVERYWHERE:
                    self._on_disk.missed()
