"""What the kernel's tables tell: whose they are, and which parts are as they were made.

Each network has a mark in each table, and so has what all share: the comment of the only rule of a
chain to which nothing leads, ``vnet:INSTANCE:OF:DIGEST:STRUCTURE``. The structure is that of the
part's chains in this table. In the first table the digest is that of the rules that were installed,
with one of the structures in the other tables: so these needn't change with every edit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from vnet_tui.engine.drivers.firewall.iptables.edits import Edit
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    MAIN,
    MARK,
    VERSION,
    Place,
    digits,
    is_mark,
    mark_name,
    owner,
    structure,
)
from vnet_tui.engine.drivers.firewall.iptables.tables import FoundTable
from vnet_tui.engine.drivers.firewall.iptables.transaction import Marks, Sums as Written
from vnet_tui.engine.errors import ConflictError, Problem
from vnet_tui.engine.resources import FirewallState

_MARK = re.compile(
    r"vnet:(?P<instance>[^:]*):(?P<of>shared|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):"
    r"(?P<digest>[^:]*):(?P<structure>[^:]*)"
)


Tables = Mapping[Place, FoundTable | None]


@dataclass(frozen=True, slots=True)
class Marking:
    """How tables are marked in which certain networks are installed, each with the digest of its
    rules; ``tables`` are as they were read."""

    instance: str
    digests: Mapping[UUID, str]
    tables: Tables

    def marks(self, edits: Mapping[Place, Edit]) -> Callable[[Written], Marks]:
        """What has to be marked after these edits, once it is known what they wrote."""

        def made(written: Written) -> Marks:
            sums = {place: self._sums(place, edits, written) for place in self.tables}
            wanted = self._wanted(sums)
            return {place: self._missing(place, edits[place], wanted[place]) for place in edits}

        return made

    def _sums(self, place: Place, edits: Mapping[Place, Edit], written: Written) -> dict[str, int]:
        """The sums of digests that a table then has."""
        edit, found = edits.get(place), self.tables[place]
        sums = dict(written.get(place, {}))
        if found is None or (edit is not None and edit.anew):
            return sums
        touched = edit.touched() if edit is not None else set()
        kept = replace(
            found,
            chains={name: own for name, own in found.chains.items() if name not in touched},
            hooks={} if edit is not None and edit.hooks is not None else found.hooks,
        )
        for part, sum_ in kept.sums().items():
            sums[part] = sums.get(part, 0) + sum_
        return sums

    def _wanted(self, sums: Mapping[Place, Mapping[str, int]]) -> dict[Place, dict[str, str]]:
        """All marks, by the chains that they are in."""
        made: dict[Place, dict[str, str]] = {place: {} for place in sums}
        if not self.digests:
            return made
        of = {"": ("shared", str(VERSION))}
        of |= {digits(uuid): (f"{uuid}", digest) for uuid, digest in self.digests.items()}
        for part, (name, digest) in of.items():
            found = {place: structure([own.get(part, 0)]) for place, own in sums.items()}
            for place, own_structure in found.items():
                says = f"{digest}.{_others(found)}" if place == MAIN else "-"
                text = f"vnet:{self.instance}:{name}:{says}:{own_structure}"
                made[place][mark_name(part)] = text
        return made

    def _missing(self, place: Place, edit: Edit, wanted: Mapping[str, str]) -> dict[str, str]:
        """Those that aren't there in just this way."""
        found = self.tables[place]
        if found is None or edit.anew:
            return dict(wanted)
        return {
            name: text
            for name, text in wanted.items()
            if name not in found.chains or found.mark(name) != text
        }


def installed(table: FoundTable | None) -> dict[str, UUID]:
    """The networks that have a mark in a table, by the digits in the names of their chains."""
    if table is None:
        return {}
    found = (_MARK.fullmatch(table.mark(name)) for name in table.chains if is_mark(name))
    uuids = [UUID(mark["of"]) for mark in found if mark is not None and mark["of"] != "shared"]
    return {digits(uuid): uuid for uuid in uuids}


def _others(structures: Mapping[Place, str]) -> str:
    text = " ".join(f"{place} {structures[place]}" for place in sorted(structures) if place != MAIN)
    return hashlib.blake2s(text.encode(), digest_size=4).hexdigest()


def read_state(tables: Tables, instance: str) -> FirewallState:
    """The state that these tables tell together; None: there is no such table.

    A network counts as installed where every table says so. Raises ConflictError where a table
    has chains of an engine with another run directory, or of somebody else altogether.
    """
    parts = {place: _read_parts(place, table, instance) for place, table in tables.items()}
    present = [
        place
        for place, table in tables.items()
        if table is not None and (table.chains or table.hooks)
    ]
    if not present:
        return FirewallState(present=False, intact=True, digests={})
    whole = all(own.intact for own in parts.values())
    main = parts[MAIN].of
    digests: dict[UUID, str] = {}
    shared = False
    for name, (of, says) in main.items():
        if not all(name in own.of for own in parts.values()):
            continue
        digest, _, others = says.partition(".")
        if others != _others({place: own.structures[name] for place, own in parts.items()}):
            continue
        if not name:
            shared = of == "shared" and digest == str(VERSION)
        elif of != "shared" and name == digits(UUID(of)):
            digests[UUID(of)] = digest
    return FirewallState(present=True, intact=whole and shared, digests=digests)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Of the parts of one table that are as they were made what their marks say (of, digest), and
    their structures; ``intact``: there are no others."""

    of: Mapping[str, tuple[str, str]]
    structures: Mapping[str, str]
    intact: bool


def _read_parts(place: Place, table: FoundTable | None, instance: str) -> _Parts:
    if table is None:
        return _Parts({}, {}, intact=False)
    found = {
        owner(name) or "": mark
        for name in table.chains
        if is_mark(name) and (mark := _MARK.fullmatch(table.mark(name)))
    }
    _check_owner(place, table, found.values(), instance)
    sums = table.sums()
    structures = {part: structure([sums.pop(part, 0)]) for part in found}
    right = {
        part: (mark["of"], mark["digest"])
        for part, mark in found.items()
        if mark["structure"] == structures[part]
    }
    # A part that is left over has lost its mark: nobody could tell what it should be.
    return _Parts(right, structures, intact=not sums)


def _check_owner(
    place: Place, table: FoundTable, found: Iterable[re.Match[str]], instance: str
) -> None:
    family, name = place
    owners = {mark["instance"] for mark in found}
    filled = [chain for chain, rules in table.chains.items() if rules.places]
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
