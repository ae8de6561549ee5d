"""The definitions in the store, and what is settled when a document becomes one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID, uuid4

from vnet_tui.engine.check import check_together
from vnet_tui.engine.errors import DocumentError, Problem, Severity, StateError
from vnet_tui.engine.model import Bridge, Network
from vnet_tui.engine.naming import derive_bridge_name
from vnet_tui.engine.text import printable
from vnet_tui.engine.xml import examine, write


def examined(
    text: str, known: Mapping[UUID, Network]
) -> tuple[Network | None, tuple[Problem, ...]]:
    """The network that a document describes, with its UUID, and everything wrong with it.

    One without a UUID is the known one of its name, or a new one. The network is None where the
    document's form is broken; then it is not compared with the others.
    """
    network, problems = examine(text)
    if network is None:
        return None, problems
    named = next((uuid for uuid, other in known.items() if other.name == network.name), None)
    network = replace(network, uuid=network.uuid or named or uuid4())
    others = [other for uuid, other in known.items() if uuid != network.uuid]
    together = check_together(network, others)
    found = sorted((*problems, *together), key=lambda problem: (problem.line, problem.column))
    return network, tuple(found)


def read_beside(documents: Iterable[str], known: Mapping[UUID, Network]) -> dict[UUID, Network]:
    """The networks of documents that are about to be stored, too. Those whose form is broken can't
    be, and are passed over."""
    read = (examined(document, known)[0] for document in documents)
    return {network.uuid: network for network in read if network is not None and network.uuid}


def accept(text: str, known: Mapping[UUID, Network], interfaces: Iterable[str] = ()) -> Network:
    """The network that a document describes, with UUID and bridge name settled.

    One without a bridge name keeps the name that it has had; a new name avoids those of
    ``interfaces``. Raises :class:`~vnet_tui.engine.errors.DocumentError` with every problem.
    """
    network, problems = examined(text, known)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if network is None or errors:
        name = printable(network.name) if network else ""
        what = f"the document of {name}" if name else "the document"
        count = "one problem" if len(errors) == 1 else f"{len(errors)} problems"
        raise DocumentError(f"{what} has {count}", errors)
    others = [other for uuid, other in known.items() if uuid != network.uuid]
    earlier = known.get(network.uuid) if network.uuid else None
    return _settled(network, earlier, others, interfaces)


def unchanged(name: str, stored: Network | None, expected: str) -> None:
    """Make sure that ``expected`` is still what is stored. Raises
    :class:`~vnet_tui.engine.errors.StateError` where somebody changed or removed it."""
    if stored is None:
        raise StateError(
            f"the definition of {name} was removed since you read it",
            "define it again without comparing, if it shall be there",
        )
    if write(stored) != expected:
        raise StateError(
            f"the definition of {name} was changed since you read it",
            "read it again, and make your change on that",
        )


def _settled(
    network: Network,
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
    return replace(network, bridge=bridge)
