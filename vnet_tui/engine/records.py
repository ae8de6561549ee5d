"""Records of running networks, and the journal of the plan in progress, in the run directory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from vnet_tui.engine.errors import StoreError
from vnet_tui.engine.files import remove_durably, write_atomically
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import RunRecord


class Records:
    """One small JSON file a running network."""

    def __init__(self, paths: Paths) -> None:
        self._directory = paths.records

    def load(self) -> Mapping[UUID, RunRecord]:
        """All records. Raises :class:`~vnet_tui.engine.errors.StoreError` for a damaged one:
        to go on without it would take a running network for debris."""
        found = {}
        for path in sorted(self._directory.glob("*.json")):
            try:
                fields = json.loads(path.read_text())
                record = RunRecord(**{**fields, "uuid": UUID(fields["uuid"])})
            except FileNotFoundError:
                continue
            except (OSError, ValueError, TypeError, KeyError) as error:
                raise StoreError(
                    f"the record of a running network in {path} can't be read: {error}",
                    "if the network isn't needed any more, remove the file; what it made is then "
                    "taken down at the next start of the engine",
                ) from error
            found[record.uuid] = record
        return found

    def save(self, record: RunRecord) -> None:
        """Write or replace one."""
        text = json.dumps({**asdict(record), "uuid": str(record.uuid)}, indent=1)
        write_atomically(self._directory / f"{record.uuid}.json", text)

    def remove(self, uuid: UUID) -> None:
        """Remove one; gone already is fine."""
        remove_durably(self._directory / f"{uuid}.json")


class Journal:
    """Says that a plan is being run, and which bridges it makes.

    A bridge gets its mark only after it was made; the names written here before tell a bridge of
    ours without a mark from somebody else's.
    """

    def __init__(self, paths: Paths) -> None:
        self._path = paths.run / "journal.json"

    def begin(self, bridges: Sequence[str]) -> None:
        """Before the first step of a plan."""
        write_atomically(self._path, json.dumps({"bridges": list(bridges)}))

    def end(self) -> None:
        """When the plan is done, or wholly undone."""
        self._path.unlink(missing_ok=True)

    def interrupted(self) -> tuple[str, ...] | None:
        """The bridges of a plan that never ended, or None when there was none."""
        try:
            return tuple(json.loads(self._path.read_text())["bridges"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            return ()
