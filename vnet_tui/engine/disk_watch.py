"""Hearing that files of ours changed: definitions, records of what runs, those of services."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vnet_tui.engine.errors import StoreError
from vnet_tui.engine.paths import SWITCH_SOCKETS, Paths

if TYPE_CHECKING:
    from asyncinotify import Event, Inotify, Mask

AGAIN_SECONDS = 0.5
"""How long to leave directories alone that somebody removed: he may still be at it."""


class Place(Enum):
    """Where something changed."""

    DEFINITIONS = auto()
    RECORDS = auto()
    SERVICES = auto()
    EVERYWHERE = auto()


@dataclass(frozen=True, slots=True)
class Change:
    """One change, and the name of the file that it is about where it is a definition."""

    place: Place
    name: str = ""


class DiskWatch:
    """Tells where files changed, whoever did it; what changed has to be looked at.

    The directories are made where they aren't there, and again where somebody removes them. Raises
    :class:`~vnet_tui.engine.errors.StoreError` where that can't be done. A file that is still being
    written hasn't changed yet.
    """

    def __init__(self, paths: Paths) -> None:
        self._places = {
            paths.definitions: Place.DEFINITIONS,
            paths.records: Place.RECORDS,
            paths.dnsmasq: Place.SERVICES,
            paths.vde: Place.SERVICES,
        }
        self._services = (paths.dnsmasq, paths.vde)
        self._inotify: Inotify | None = None

    def __enter__(self) -> Self:
        self._watch()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    async def changed(self) -> Change:
        """Wait for the next change."""
        from asyncinotify import Mask

        while True:
            inotify = self._inotify or self._watch()
            event = await inotify.get()
            if event.mask & Mask.Q_OVERFLOW:
                return Change(Place.EVERYWHERE)
            if event.mask & (Mask.IGNORED | Mask.MOVE_SELF):
                return Change(await self._gone(event))
            name = event.name.name if event.name is not None else ""
            if name.startswith("."):
                continue  # it is about to take another name
            place = self._place(event)
            if place is Place.SERVICES:
                self._watch_services(inotify)
            elif event.mask & Mask.CREATE:
                continue  # it is told once it is written
            return Change(place, name)

    def _watch(self) -> Inotify:
        from asyncinotify import Inotify, Mask

        try:
            inotify = Inotify()
            for directory in self._places:
                directory.mkdir(parents=True, exist_ok=True)
                inotify.add_watch(directory, _mask() | Mask.MOVE_SELF)
        except OSError as error:
            raise StoreError(
                f"can't watch {error.filename or 'files'}: {error.strerror}",
                "raise fs.inotify.max_user_instances" if error.filename is None else "",
            ) from error
        self._inotify = inotify
        self._watch_services(inotify)
        return inotify

    def _watch_services(self, inotify: Inotify) -> None:
        """Watch the directories of all services too, and those of sockets in them; watching one
        again changes nothing."""
        for root in self._services:
            for directory in (*root.glob("*"), *root.glob(f"*/{SWITCH_SOCKETS}")):
                with contextlib.suppress(OSError):  # it is no directory, or went meanwhile
                    inotify.add_watch(directory, _mask())

    def _place(self, event: Event) -> Place:
        directory = event.watch.path if event.watch else None
        return self._places.get(directory or Path(), Place.SERVICES)

    async def _gone(self, event: Event) -> Place:
        """A directory isn't watched any more: that of a service, or all has to begin anew."""
        if event.watch is not None and event.watch.path not in self._places:
            return Place.SERVICES
        self._close()
        await asyncio.sleep(AGAIN_SECONDS)
        self._watch()
        return Place.EVERYWHERE

    def _close(self) -> None:
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None


def _mask() -> Mask:
    from asyncinotify import Mask

    return (
        Mask.CLOSE_WRITE
        | Mask.CREATE
        | Mask.MOVED_TO
        | Mask.MOVED_FROM
        | Mask.DELETE
        | Mask.ONLYDIR
    )
