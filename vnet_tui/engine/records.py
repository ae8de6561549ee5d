"""Records of running networks, and the journal of the plan in progress, in the run directory."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_interface
from pathlib import Path
from typing import Any
from uuid import UUID

from vnet_tui.engine.errors import DocumentError, StoreError
from vnet_tui.engine.files import remove_durably, write_atomically
from vnet_tui.engine.model import Interface, Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.steps import AddAddress, AttachPorts, CreateBridge, DeleteBridge, Plan


class Records:
    """One small JSON file a running network."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def load(self) -> Mapping[UUID, RunRecord]:
        """All records. Raises :class:`~vnet_tui.engine.errors.StoreError` for a damaged one:
        to go on without it would take a running network for debris."""
        found = {}
        for path in sorted(self._paths.records.glob("*.json")):
            try:
                record = record_from(json.loads(path.read_text()))
                if path.stem != str(record.uuid):
                    raise ValueError(f"it is that of {record.uuid}")
            except FileNotFoundError:
                continue
            except (OSError, ValueError, TypeError, KeyError) as error:
                raise _damaged(path, error) from error
            found[record.uuid] = record
        return found

    def save(self, record: RunRecord) -> None:
        """Write or replace one."""
        write_atomically(
            self._paths.record_file(record.uuid), json.dumps(record_fields(record), indent=1)
        )

    def remove(self, uuid: UUID) -> None:
        """Remove one; gone already is fine."""
        remove_durably(self._paths.record_file(uuid))


def recorded_network(record: RunRecord, parse: Callable[[str], Network], paths: Paths) -> Network:
    """The network that a record says is running. Raises StoreError as :meth:`Records.load` does."""
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
        self._write(entry)

    def commit(self, records: Mapping[UUID, RunRecord | None]) -> None:
        """Before the first record is written: from here on a crash means going on."""
        written = {str(uuid): record and record_fields(record) for uuid, record in records.items()}
        self._write({"commit": written})

    def _write(self, entry: object) -> None:
        try:
            write_atomically(self._path, json.dumps(entry))
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


def record_from(fields: Mapping[str, Any]) -> RunRecord:
    """The record that was written so. Raises ValueError, TypeError or KeyError for another."""
    record = RunRecord(**{**fields, "uuid": UUID(fields["uuid"])})
    texts = isinstance(record.name, str) and isinstance(record.definition, str)
    if not texts or type(record.id) is not int or not isinstance(record.started, int | float):
        raise TypeError("a field isn't of its kind")
    return record


def _damaged(path: Path, reason: object) -> StoreError:
    return StoreError(
        f"the record of a running network in {path} can't be read: {reason}",
        "if the network isn't needed any more, remove the file; what it made is then taken down "
        "with the next change",
    )
