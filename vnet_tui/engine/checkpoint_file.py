"""An open checkpoint at rest: what there was when it was opened, and how long it stays open.

It is kept in two files, each for as long as what it tells has a meaning. The one in the state
directory holds the definitions and says that there is a checkpoint; it survives a reboot. The one
in the run directory holds what ran and the deadline by this boot's clock, and is gone with both.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import is_
from pathlib import Path
from typing import Any
from uuid import UUID

from vnet_tui.engine.errors import StoreError
from vnet_tui.engine.files import remove_durably, write_atomically
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.records import record_fields, record_from
from vnet_tui.engine.resources import RunRecord

REMEMBERED = 100
"""How many checkpoints that ended are remembered, to tell what became of them."""

SET_ASIDE = 20
"""Of how many roll-backs the definitions that they replaced are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A network that ran. ``ports`` are those of its bridge, by name and interface index."""

    record: RunRecord
    ports: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A checkpoint that is open, or being rolled back.

    ``opened`` is seconds since 1970, ``within`` the seconds from there to its deadline;
    ``deadline`` the same by this boot's clock (:func:`boottime`), None until that was worked out.
    ``ran`` is None after a reboot: what ran then is gone. ``rolling_back``: that was decided, and
    can't be undecided any more.
    """

    id: str
    opened: float
    within: float
    who: str
    session: str
    definitions: Mapping[UUID, str]
    autostart: frozenset[UUID]
    rolling_back: bool = False
    deadline: float | None = None
    ran: Mapping[UUID, Ran] | None = None

    def remaining(self) -> float:
        """Seconds until its deadline; fewer than none where that has passed."""
        if self.deadline is not None:
            return self.deadline - boottime()
        # The machine was booted since. Its clock may not be right yet: never wait for longer
        # than was asked for.
        return min(self.opened + self.within - time.time(), self.within)

    @property
    def due(self) -> bool:
        """Whether it has to be rolled back now."""
        return self.rolling_back or self.remaining() <= 0

    @property
    def saved(self) -> frozenset[UUID]:
        """Every network that there was."""
        return frozenset(self.definitions) | frozenset(self.ran or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a checkpoint: ``how`` is ``confirmed`` or ``rolled back``."""

    id: str
    how: str
    who: str
    when: float


def boottime() -> float:
    """Seconds since the machine was booted, those asleep included: no clock that is set moves it
    (clock_gettime(2), CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Which boot of the machine this is (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class CheckpointFiles:
    """The open checkpoint, and what became of earlier ones. Whoever writes holds the change lock.

    Raise :class:`~vnet_tui.engine.errors.StoreError` when the system refuses, or a file is damaged.
    """

    def __init__(self, paths: Paths) -> None:
        self._stored = paths.checkpoints / "open.json"
        self._running = paths.run / "checkpoint.json"
        self._ended = paths.checkpoints / "ended.json"
        self._directory = paths.checkpoints
        self._read: dict[Path, tuple[tuple[int, int, int], Any]] = {}
        self._known: tuple[tuple[Any, ...], Pending | None] = ((), None)

    def pending(self) -> Pending | None:
        """The checkpoint that is open; microseconds where none is, or it was read before."""
        stored = self._json(self._stored)
        if stored is None:
            return None
        read = (stored, self._json(self._running), self._json(self._ended))
        known, pending = self._known
        if len(known) == len(read) and all(map(is_, known, read)):
            return pending
        try:
            pending = _with_what_ran(_pending(stored), read[1])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unreadable(self._stored, error) from error
        if self.ended(pending.id) is not None:
            pending = None  # whoever ended it was killed before the file was gone
        self._known = (read, pending)
        return pending

    def ended(self, id_: str) -> Ended | None:
        """What became of an earlier one."""
        for entry in self._json(self._ended) or ():
            if entry["id"] == id_:
                return Ended(**entry)
        return None

    def save(self, pending: Pending) -> None:
        """Write a checkpoint, new or changed. It is there when the stored part is."""
        self.save_here(pending)
        self._write(self._stored, _stored_fields(pending))

    def save_here(self, pending: Pending) -> None:
        """Write only what holds for this boot."""
        self._write(self._running, _running_fields(pending))

    def end(self, ended: Ended) -> None:
        """A checkpoint came to its end. From the first of these writes on it has."""
        earlier = [entry for entry in self._json(self._ended) or () if entry["id"] != ended.id]
        last = {"id": ended.id, "how": ended.how, "who": ended.who, "when": ended.when}
        self._write(self._ended, [*earlier[1 - REMEMBERED :], last])
        self.tidy()

    def tidy(self) -> None:
        """Remove what belongs to no checkpoint that is open, when none is; also what a killed
        engine was writing."""
        unfinished = [
            *self._directory.glob(".*.tmp"),
            *self._running.parent.glob(f".{self._running.name}.*.tmp"),
        ]
        try:
            for path in (self._stored, self._running, *unfinished):
                if path.exists():
                    remove_durably(path)
        except OSError as error:
            raise _refused(self._stored, error) from error

    def aside(self, id_: str) -> Path:
        """Where the definitions are kept that a roll-back replaces; of old ones none are."""
        kept = sorted(
            (path for path in self._directory.glob("*/") if path.name != id_),
            key=lambda path: path.stat().st_mtime,
        )
        for old in kept[: max(0, len(kept) - SET_ASIDE + 1)]:
            shutil.rmtree(old, ignore_errors=True)
        return self._directory / id_

    def _json(self, path: Path) -> Any:
        """What a file holds, parsed only when it changed; None where there is none."""
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._read.get(path)
            if known is None or known[0] != stamp:
                known = self._read[path] = (stamp, json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(path, error) from error
        except ValueError as error:
            raise _unreadable(path, error) from error
        return known[1]

    def _write(self, path: Path, content: object) -> None:
        try:
            write_atomically(path, json.dumps(content))
        except OSError as error:
            raise _refused(path, error) from error


def _stored_fields(pending: Pending) -> dict[str, object]:
    return {
        "id": pending.id,
        "opened": pending.opened,
        "within": pending.within,
        "who": pending.who,
        "session": pending.session,
        "rolling_back": pending.rolling_back,
        "definitions": {str(uuid): text for uuid, text in pending.definitions.items()},
        "autostart": sorted(map(str, pending.autostart)),
    }


def _pending(fields: Mapping[str, Any]) -> Pending:
    return Pending(
        id=str(fields["id"]),
        opened=float(fields["opened"]),
        within=float(fields["within"]),
        who=str(fields["who"]),
        session=str(fields["session"]),
        rolling_back=bool(fields["rolling_back"]),
        definitions={UUID(uuid): str(text) for uuid, text in fields["definitions"].items()},
        autostart=frozenset(map(UUID, fields["autostart"])),
    )


def _running_fields(pending: Pending) -> dict[str, object]:
    ran = pending.ran
    return {
        "id": pending.id,
        "boot": boot_id(),
        "deadline": pending.deadline,
        "ran": None
        if ran is None
        else [{"record": record_fields(one.record), "ports": one.ports} for one in ran.values()],
    }


def _with_what_ran(pending: Pending, fields: Mapping[str, Any] | None) -> Pending:
    """A checkpoint with what the run directory has of it, where that is of this boot."""
    if fields is None or (fields["id"], fields["boot"]) != (pending.id, boot_id()):
        return pending
    ran = None
    if fields["ran"] is not None:
        found = [
            Ran(
                record=record_from(one["record"]),
                ports=tuple((str(name), int(index)) for name, index in one["ports"]),
            )
            for one in fields["ran"]
        ]
        ran = {one.record.uuid: one for one in found}
    return replace(pending, deadline=float(fields["deadline"]), ran=ran)


def _unreadable(path: Path, error: object) -> StoreError:
    return StoreError(
        f"the checkpoint in {path} can't be read: {error}",
        "remove the file to keep all changes that were made since it was opened",
    )


def _refused(path: Path, error: OSError) -> StoreError:
    what = os.strerror(error.errno) if error.errno else str(error)
    return StoreError(f"can't use {path}: {what}")
