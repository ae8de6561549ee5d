"""What the kernel's tables tell: whose they are, and which parts are as they were made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from uuid import UUID

from vnet_tui.engine.drivers.firewall.iptables.kernel import FoundTable
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    MARK,
    VERSION,
    Place,
    chain_name,
    owner,
    structure,
)
from vnet_tui.engine.errors import ConflictError, Problem
from vnet_tui.engine.resources import FirewallState

_MARK = re.compile(
    r"vnet:(?P<instance>[^:]*):(?P<of>shared|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(?P<digest>[^:]*):(?P<structure>[^:]*)"
)


def read_state(tables: Mapping[Place, FoundTable | None], instance: str) -> FirewallState:
    """The state that these tables tell together; None: there is no such table.

    A network counts as installed where every table says so. Raises ConflictError where a table
    has chains of an engine with another run directory, or of somebody else altogether.
    """
    states = [_table_state(place, table, instance) for place, table in tables.items()]
    present = any(state.present for state in states)
    if not present:
        return FirewallState(present=False, intact=True, digests={})
    first, *others = states
    return FirewallState(
        present=True,
        intact=all(state.present and state.intact for state in states),
        digests={
            network: digest
            for network, digest in first.digests.items()
            if all(state.digests.get(network) == digest for state in others)
        },
    )


def _table_state(place: Place, table: FoundTable | None, instance: str) -> FirewallState:
    if table is None or not (table.chains or table.hooks):
        return FirewallState(present=False, intact=True, digests={})
    marks = {
        name: found
        for name, rules in table.chains.items()
        if len(rules) == 1 and (found := _MARK.fullmatch(rules[0].comment))
    }
    _check_owner(place, table, marks.values(), instance)
    parts: dict[str, list[tuple[str, list[bytes]]]] = {}
    for name, rules in table.chains.items():
        if not _is_mark(name):
            part = parts.setdefault(owner(name) or "", [])
            part.append((name, [rule.identity for rule in rules]))
    for name, rules in table.hooks.items():
        parts.setdefault("", []).append((name, [rule.identity for rule in rules]))
    intact = False
    digests: dict[UUID, str] = {}
    for name, mark in marks.items():
        right = mark["structure"] == structure(parts.pop(owner(name) or "", []))
        if name == MARK:
            intact = right and mark["of"] == "shared" and mark["digest"] == str(VERSION)
        elif right and mark["of"] != "shared" and name == chain_name("MARK", UUID(mark["of"])):
            digests[UUID(mark["of"])] = mark["digest"]
    # A part that is left over has lost its mark: nobody could tell what it should be.
    return FirewallState(present=True, intact=intact and not parts, digests=digests)


def _is_mark(chain: str) -> bool:
    return chain == MARK or chain.startswith(f"{MARK}-")


def _check_owner(
    place: Place, table: FoundTable, marks: Iterable[re.Match[str]], instance: str
) -> None:
    family, name = place
    owners = {mark["instance"] for mark in marks}
    filled = [chain for chain, rules in table.chains.items() if rules]
    if others := owners - {instance}:
        message = (
            f"the VNET chains in the table {name} of IPv{family} belong to another engine "
            f"(instance {min(others)}; this one is {instance})"
        )
        remedy = "stop that engine's networks, or use its run directory"
    elif not owners and filled and MARK not in table.chains:
        message = (
            f"there is a chain {min(filled)} in the table {name} of IPv{family} that no engine "
            "of ours made"
        )
        remedy = "if nobody needs it, flush and delete it with iptables-legacy"
    else:
        return
    raise ConflictError(
        "The firewall's chains are taken:", [Problem(message=message, remedy=remedy)]
    )
