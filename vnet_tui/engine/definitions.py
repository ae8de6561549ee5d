"""The definitions in the store, and what is settled when a document becomes one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID, uuid4

from vnet_tui.engine.check import check, check_together
from vnet_tui.engine.errors import DocumentError, Problem, Severity, StateError
from vnet_tui.engine.model import Bridge, Network
from vnet_tui.engine.naming import derive_bridge_name
from vnet_tui.engine.xml import parse


def problems_of(network: Network, others: Iterable[Network]) -> tuple[Problem, ...]:
    """Everything wrong with a network, alone and beside others, in the order of its lines."""
    found = [*check(network), *check_together(network, others)]
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))


def accept(text: str, known: Mapping[UUID, Network], interfaces: Iterable[str] = ()) -> Network:
    """The network that a document describes, with UUID and bridge name settled.

    One without a UUID is the known one of its name, or a new one. One without a bridge name keeps
    the name that it has had; a new name avoids those of ``interfaces``.

    Raises :class:`~vnet_tui.engine.errors.DocumentError` with every problem at once, or
    :class:`~vnet_tui.engine.errors.StateError` where its name and its UUID belong to two different
    networks.
    """
    network = parse(text)
    named = next((uuid for uuid, other in known.items() if other.name == network.name), None)
    uuid = network.uuid or named or uuid4()
    if named is not None and named != uuid:
        raise StateError(
            f"there is a network {network.name} already, with the UUID {named}",
            "use that UUID (or none) to change it, or give the new network another name",
        )
    others = [other for key, other in known.items() if key != uuid]
    errors = [p for p in problems_of(network, others) if p.severity is Severity.ERROR]
    if errors:
        count = "one problem" if len(errors) == 1 else f"{len(errors)} problems"
        raise DocumentError(f"the document of {network.name} has {count}", errors)
    return _settled(network, uuid, known.get(uuid), others, interfaces)


def _settled(
    network: Network,
    uuid: UUID,
    earlier: Network | None,
    others: Iterable[Network],
    interfaces: Iterable[str],
) -> Network:
    bridge = network.bridge or Bridge()
    if bridge.name is None:
        kept = earlier.bridge.name if earlier and earlier.bridge else None
        taken = set(interfaces) | {
            other.bridge.name for other in others if other.bridge and other.bridge.name
        }
        bridge = replace(bridge, name=kept or derive_bridge_name(network.name, taken))
    return replace(network, uuid=uuid, bridge=bridge)
