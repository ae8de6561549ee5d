"""What can be asked of running networks: to start, to stop, to be as they are defined.

Where documents are large these functions take a while; what they prepare doesn't.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from vnet_tui.engine import conflicts, dnsmasq_check, policy_check
from vnet_tui.engine.catalog import Listing
from vnet_tui.engine.change_request import Prepare, Request, Running
from vnet_tui.engine.errors import Problem, StateError, UnsupportedError
from vnet_tui.engine.model import Network
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.views import Verb
from vnet_tui.engine.xml import kept, write


@dataclass(frozen=True, slots=True)
class NamedChange:
    """A change, and the networks that it is about, by name."""

    names: Mapping[UUID, str]
    prepare: Prepare


def start(networks: Mapping[UUID, Network]) -> NamedChange:
    """That these networks run. Raises :class:`~vnet_tui.engine.errors.UnsupportedError` for what
    this engine can't run, and when prepared StateError for what runs already."""
    _runnable(networks)
    # What is in the way is told with the lines of the document that was given.
    settled = {uuid: (kept(network)[0], network) for uuid, network in networks.items()}

    def prepare(running: Running) -> Request:
        already = sorted(net.name for uuid, net in networks.items() if uuid in running)
        if already:
            raise StateError(f"running already: {', '.join(already)}")
        first = 1 + max((record.id for record, _ in running.values()), default=0)
        started = {
            uuid: _running_as(uuid, as_kept, first + position, time.time())
            for position, (uuid, as_kept) in enumerate(settled.items())
        }
        return Request(records={**running, **started}, scope=frozenset(started))

    return NamedChange({uuid: network.name for uuid, network in networks.items()}, prepare)


def stop(uuids: frozenset[UUID], listing: Listing) -> NamedChange:
    """That these networks don't run any more."""
    names = {uuid: listing.name(uuid) for uuid in uuids}

    def prepare(running: Running) -> Request:
        _must_run(names, running)
        rest = {uuid: one for uuid, one in running.items() if uuid not in uuids}
        return Request(records=rest, scope=uuids)

    return NamedChange(names, prepare)


def as_defined(uuids: Collection[UUID], listing: Listing, *, anew: bool = False) -> NamedChange:
    """That running networks be as their definitions say now; ``anew``: made again from nothing."""
    networks = {uuid: listing.known[uuid] for uuid in uuids}
    _runnable(networks)
    names = {uuid: listing.name(uuid) for uuid in uuids}
    settled = {uuid: kept(network) for uuid, network in networks.items()}

    def prepare(running: Running) -> Request:
        _must_run(names, running)
        scope = frozenset(networks)
        changed = {}
        for uuid, as_kept in settled.items():
            record = running[uuid][0]
            since = time.time() if anew else record.started
            changed[uuid] = _running_as(uuid, as_kept, record.id, since)
        return Request(
            records={**running, **changed},
            scope=scope,
            recreate=scope if anew else frozenset(),
            services=None if anew else scope,
        )

    return NamedChange(names, prepare)


def otherwise(uuid: UUID, network: Network, listing: Listing, replacing: str | None) -> NamedChange:
    """That a running network run as ``network`` says, whatever its definition.

    ``replacing`` is the document, with its id, that it has to run as now, when prepared; else
    StateError is raised. None: whichever.
    """
    change = as_defined([uuid], replace(listing, definitions={uuid: network}))

    def prepare(running: Running) -> Request:
        names = {uuid: network.name}
        _must_run(names, running)
        record, now = running[uuid]
        if record.name != network.name:
            raise StateError(
                f"{record.name} runs and can't be renamed to {network.name} now",
                f"stop it first: vnet network-stop {record.name}",
            )
        if replacing is not None and write(now, id=record.id) != replacing:
            raise StateError(
                f"{network.name} was changed since you read how it runs",
                "read it again, and make your change on that",
            )
        return change.prepare(running)

    return NamedChange(change.names, prepare)


def asked(verb: Verb, uuids: Collection[UUID], listing: Listing) -> NamedChange:
    """The change that a verb means for these networks."""
    match verb:
        case "start":
            return start({uuid: listing.known[uuid] for uuid in uuids})
        case "stop":
            return stop(frozenset(uuids), listing)
        case "restart":
            return as_defined(uuids, listing, anew=True)
        case "apply":
            return as_defined(uuids, listing)


def unrunnable(network: Network) -> tuple[Problem, ...]:
    """Everything in a sound document that this engine can't do yet, or its tools can't express."""
    return (
        *conflicts.unsupported(network),
        *dnsmasq_check.unsupported(network),
        *policy_check.unsupported(network),
    )


def _must_run(names: Mapping[UUID, str], running: Running) -> None:
    idle = sorted(name for uuid, name in names.items() if uuid not in running)
    if idle:
        raise StateError(f"not running: {', '.join(idle)}")


def _runnable(networks: Mapping[UUID, Network]) -> None:
    problems = [
        replace(problem, message=f"{network.name}: {problem.message}")
        for network in networks.values()
        for problem in unrunnable(network)
    ]
    if problems:
        names = ", ".join(network.name for network in networks.values())
        raise UnsupportedError(f"{names} can't be started by this version", problems)


def _running_as(
    uuid: UUID, as_kept: tuple[str, Network], id_: int, started: float
) -> tuple[RunRecord, Network]:
    text, network = as_kept
    record = RunRecord(uuid=uuid, name=network.name, id=id_, started=started, definition=text)
    return record, network
