"""Records of running networks, and the journal of the plan in progress, in the run directory."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_interface
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from vnet_tui.engine.errors import DocumentError, StoreError
from vnet_tui.engine.files import remove_durably, write_atomically
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Interface, Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.steps import AddAddress, AttachPorts, CreateBridge, DeleteBridge, Plan

_Stamp = tuple[int, int, int]
"""A file as it was when it was read: modification time, size and inode."""


class Records:
    """A JSON file a running network. Those that haven't changed aren't read again, nor is what was
    written here. May be used by several threads."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._known: dict[UUID, tuple[_Stamp, RunRecord | StoreError]] = {}

    def load(self) -> Mapping[UUID, RunRecord]:
        """All records that can be read."""
        return {uuid: one for uuid, (_, one) in self._look().items() if isinstance(one, RunRecord)}

    def damaged(self) -> Mapping[UUID, StoreError]:
        """Those that can't be read. What these networks are made of is theirs all the same: to take
        it for debris would be to end a running network."""
        return {uuid: one for uuid, (_, one) in self._look().items() if isinstance(one, StoreError)}

    def _look(self) -> Mapping[UUID, tuple[_Stamp, RunRecord | StoreError]]:
        known: dict[UUID, tuple[_Stamp, RunRecord | StoreError]] = {}
        for path in sorted(self._paths.records.glob("*.json")):
            try:
                uuid = UUID(path.stem)
            except ValueError:
                continue  # a file that somebody put there
            try:
                stamp = _stamp(path.stat())
                earlier = self._known.get(uuid)
                if earlier and earlier[0] == stamp:
                    known[uuid] = earlier
                else:
                    known[uuid] = (stamp, _read(path, uuid))
            except FileNotFoundError:
                continue
            except OSError as error:
                known[uuid] = ((0, 0, 0), _damaged(path, error.strerror or error))
        self._known = known
        return known

    def save(self, record: RunRecord) -> None:
        """Write or replace one."""
        path = self._paths.record_file(record.uuid)
        self._known[record.uuid] = (_stamp(write_atomically(path, _written(record))), record)

    def remove(self, uuid: UUID) -> None:
        """Remove one; gone already is fine."""
        remove_durably(self._paths.record_file(uuid))


class Recorded(Protocol):
    """Where records come from."""

    def load(self) -> Mapping[UUID, RunRecord]: ...
    def damaged(self) -> Mapping[UUID, StoreError]: ...


def recorded(
    records: Recorded, parse: Callable[[str], Network], paths: Paths
) -> tuple[Mapping[UUID, tuple[RunRecord, Network]], Mapping[UUID, StoreError]]:
    """The networks that run, with what runs, and the errors of those whose records can't be read,
    or name nothing that can be run."""
    running, damaged = {}, dict(records.damaged())
    for uuid, record in records.load().items():
        try:
            running[uuid] = (record, _network(record, parse, paths))
        except StoreError as error:
            damaged[uuid] = error
    return running, damaged


def _network(record: RunRecord, parse: Callable[[str], Network], paths: Paths) -> Network:
    """The network that a record says is running."""
    path = paths.record_file(record.uuid)
    try:
        network = parse(record.definition)
    except DocumentError as error:
        raise _damaged(path, error) from error
    if network.bridge is None or network.bridge.name is None:
        raise _damaged(path, "it names no bridge")
    return network


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A plan that never ended.

    ``bridges`` are those that it made or was about to make, each with its MAC, ``addresses`` what
    it gave to which bridge, ``ports`` what was attached to those that it deleted, or was to be
    attached to those that it made. ``commit`` holds, when all but the records was done and
    verified, the records to write (and, with None, to remove).
    """

    bridges: tuple[tuple[str, str], ...] = ()
    addresses: tuple[tuple[str, Interface], ...] = ()
    ports: tuple[tuple[str, tuple[str, ...]], ...] = ()
    commit: Mapping[UUID, RunRecord | None] | None = None


class Journal:
    """Says that a plan is being run, so that the next engine can end what a killed one began.

    A bridge gets its mark only after it was made; the names and MACs written here before tell a
    bridge of ours without a mark from one that somebody else made since, and addresses that an
    unfinished edit added from an administrator's. Records of a batch are written one by one; the
    commit written here before makes them one.
    """

    def __init__(self, paths: Paths) -> None:
        self._path = paths.run / "journal.json"

    def begin(self, plan: Plan) -> None:
        """Before the first step of a plan: from here on a crash means going back."""
        bridges = [
            [step.spec.name, step.spec.settings.mac]
            for step in plan.steps
            if isinstance(step, CreateBridge)
        ]
        addresses = [
            [step.bridge, str(step.address)] for step in plan.steps if isinstance(step, AddAddress)
        ]
        ports = [
            [step.spec.name, step.ports] for step in plan.steps if isinstance(step, DeleteBridge)
        ] + [[step.bridge, step.ports] for step in plan.steps if isinstance(step, AttachPorts)]
        entry = {"bridges": bridges, "addresses": addresses, "ports": ports}
        self._write(json.dumps(entry))

    def commit(self, records: Mapping[UUID, RunRecord | None]) -> None:
        """Before the first record is written: from here on a crash means going on."""
        written = (
            f'"{uuid}": {"null" if record is None else _written(record)}'
            for uuid, record in records.items()
        )
        self._write(f'{{"commit": {{{", ".join(written)}}}}}')

    def _write(self, entry: str) -> None:
        try:
            write_atomically(self._path, entry)
        except OSError as error:
            raise StoreError(
                f"can't write {self._path}: {error.strerror}",
                "make room there" if error.errno == errno.ENOSPC else "",
            ) from error

    def end(self) -> None:
        """When the plan is done, or wholly undone."""
        self._path.unlink(missing_ok=True)

    def interrupted(self) -> Interrupted | None:
        """The plan that never ended, or None when there was none."""
        try:
            entry = json.loads(self._path.read_text())
            commit = entry.get("commit")
            return Interrupted(
                bridges=tuple((str(name), str(mac)) for name, mac in entry.get("bridges", ())),
                addresses=tuple(
                    (str(bridge), ip_interface(address))
                    for bridge, address in entry.get("addresses", ())
                ),
                ports=tuple(
                    (str(bridge), tuple(map(str, ports)))
                    for bridge, ports in entry.get("ports", ())
                ),
                commit=commit
                and {UUID(uuid): fields and record_from(fields) for uuid, fields in commit.items()},
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Interrupted()


def record_fields(record: RunRecord) -> dict[str, object]:
    """A record as JSON has it."""
    return {**asdict(record), "uuid": str(record.uuid)}


_written: Memo[RunRecord, str] = Memo(lambda record: json.dumps(record_fields(record)), size=1)
"""A record as JSON text. It is written twice: to the journal, and then to its file."""


def record_from(fields: Mapping[str, Any]) -> RunRecord:
    """The record that was written so. Raises ValueError, TypeError or KeyError for another."""
    record = RunRecord(**{**fields, "uuid": UUID(fields["uuid"])})
    texts = isinstance(record.name, str) and isinstance(record.definition, str)
    if not texts or type(record.id) is not int or not isinstance(record.started, int | float):
        raise TypeError("a field isn't of its kind")
    return record


def _stamp(found: os.stat_result) -> _Stamp:
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path, uuid: UUID) -> RunRecord | StoreError:
    """The record in a file, or why there is none. Raises OSError."""
    try:
        record = record_from(json.loads(path.read_bytes()))
        if record.uuid != uuid or path.stem != str(uuid):
            raise ValueError(f"it is that of {record.uuid}")
    except (ValueError, TypeError, KeyError) as error:
        return _damaged(path, error)
    return record


def _damaged(path: Path, reason: object) -> StoreError:
    return StoreError(
        f"the record of a running network in {path} can't be read: {reason}",
        "what it made is left alone; start it to take it up again as it is defined, or remove the "
        "file, and it is taken down with the next change",
    )
