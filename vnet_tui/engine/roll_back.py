"""What a roll-back brings about: what ran shall run, what was defined shall be defined."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from vnet_tui.engine.change_request import Request, Running
from vnet_tui.engine.checkpoint_file import Pending, Ran
from vnet_tui.engine.errors import DocumentError
from vnet_tui.engine.files import write_atomically
from vnet_tui.engine.model import Network
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.store import Store
from vnet_tui.engine.xml import network_in, write
from vnet_tui.engine.xml.summary import summarize


def as_it_ran(pending: Pending, running: Running) -> Request:
    """That what ran runs again, as it did and with its ids, and nothing else.

    After a reboot what ran is gone: then that those networks go on which start by themselves, as
    they were defined.
    """
    wanted = _after_reboot(pending, running) if pending.ran is None else _as_recorded(pending)
    records = {uuid: _going_on(one, running.get(uuid)) for uuid, one in wanted.items()}
    differing = {
        uuid
        for uuid in {*wanted, *running}
        if uuid not in wanted or uuid not in running or wanted[uuid][0] != running[uuid][0]
    }
    return Request(
        records=records,
        scope=frozenset(differing),
        ports={uuid: one.ports for uuid, one in (pending.ran or {}).items() if uuid in differing},
    )


def only(uuid: UUID, request: Request, running: Running) -> Request:
    """The part of a request that is about one network; the others go on as they run."""
    records = {other: one for other, one in running.items() if other != uuid}
    if uuid in request.records:
        records[uuid] = request.records[uuid]
    return replace(request, records=records, scope=frozenset({uuid}))


def _as_recorded(pending: Pending) -> dict[UUID, tuple[RunRecord, Network]]:
    return {
        uuid: (one.record, network_in(one.record.definition))
        for uuid, one in (pending.ran or {}).items()
    }


def _after_reboot(pending: Pending, running: Running) -> dict[UUID, tuple[RunRecord, Network]]:
    wanted = {}
    for uuid in running.keys() & pending.autostart & pending.definitions.keys():
        network = network_in(pending.definitions[uuid])
        definition = write(network)
        record = replace(running[uuid][0], name=network.name, definition=definition)
        wanted[uuid] = (record, network)
    return wanted


def _going_on(
    wanted: tuple[RunRecord, Network], running: tuple[RunRecord, Network] | None
) -> tuple[RunRecord, Network]:
    """A network runs since it was started, whatever happened to it before."""
    started = running[0].started if running else time.time()
    return replace(wanted[0], started=started), wanted[1]


def restore(pending: Pending, store: Store, aside: Path) -> tuple[Path, ...]:
    """Bring the store to what it was; the files into which what was there instead was put, so that
    what others wrote is not lost. Whoever calls this holds the change lock."""
    kept = []
    now = store.texts()
    for uuid in sorted(now.keys() | pending.definitions.keys()):
        text = pending.definitions.get(uuid)
        if now.get(uuid) == text:
            continue
        if uuid in now:
            kept.append(aside / f"{uuid}.xml")
            write_atomically(kept[-1], now[uuid].encode(errors="surrogateescape"))
        if text is None:
            store.remove(uuid)
        else:
            store.put(uuid, text)
    marked = store.autostarts()
    for uuid in marked ^ pending.autostart:
        store.set_autostart(uuid, uuid in pending.autostart)
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that happened to a network, in words that go on after its name."""

    network: UUID
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name} {self.what}"


def differences(
    pending: Pending, texts: Mapping[UUID, str], autostart: frozenset[UUID], running: Running
) -> tuple[Difference, ...]:
    """What changed since a checkpoint was opened, by network."""
    found: list[Difference] = []
    ran = pending.ran or {}
    for uuid in texts.keys() | pending.definitions.keys() | running.keys() | ran.keys():
        before, after = pending.definitions.get(uuid), texts.get(uuid)
        happened = []
        if before != after:
            happened.append(_DEFINED[before is not None, after is not None])
        if (uuid in autostart) != (uuid in pending.autostart) and after is not None:
            on = uuid in autostart
            happened.append("set to start by itself" if on else "set not to start by itself")
        if pending.ran is not None and (word := _happened(ran.get(uuid), running.get(uuid))):
            happened.append(word)
        if happened:
            name = _name(uuid, after or before, ran.get(uuid), running.get(uuid))
            found += [Difference(uuid, name, what) for what in happened]
    return tuple(sorted(found, key=lambda one: one.name.casefold()))


_DEFINED = {(False, True): "defined", (True, False): "undefined", (True, True): "defined anew"}


def _happened(before: Ran | None, after: tuple[RunRecord, Network] | None) -> str:
    if before is None:
        return "started" if after is not None else ""
    if after is None:
        return "stopped"
    if before.record.definition != after[0].definition:
        return "edited"
    return "" if before.record == after[0] else "restarted"


def _name(
    uuid: UUID, text: str | None, before: Ran | None, after: tuple[RunRecord, Network] | None
) -> str:
    if text is not None:
        with contextlib.suppress(DocumentError):
            return summarize(text).name
    record = after[0] if after else before.record if before else None
    return record.name if record else str(uuid)
