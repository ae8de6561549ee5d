"""What nft lists of our table, read back: whose it is, and which parts are as they were made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from vnet_tui.engine.drivers.firewall.layout import (
    FAMILY,
    TABLE,
    VERSION,
    Chain,
    Hook,
    Layout,
    Lookup,
    Object,
    structure,
)
from vnet_tui.engine.drivers.firewall.shared import DISPATCHES, MARKS, SHARED_CHAINS
from vnet_tui.engine.errors import ConflictError, Problem
from vnet_tui.engine.resources import FirewallState

ABSENT = FirewallState(present=False, intact=True, digests={})

_OF_NETWORK = re.compile(r"[a-z_]+?_([0-9a-f]{32})(?:_.*)?")
OBJECTS = ("counter", "limit")
"""Named objects, by nft's word for their kind."""

_MARK = re.compile(
    r"vnet:(?P<instance>[^:]*):(?P<of>shared|[0-9a-f-]{36}):(?P<digest>[^:]*):(?P<structure>[^:]*)"
)


@dataclass(slots=True)
class _Part:
    """Chains with the comments of their rules, sizes of lookups, elements that lead to it."""

    chains: dict[str, list[str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    entries: list[tuple[str, str, str]] = field(default_factory=list)

    def made(self, hooks: Mapping[str, Hook]) -> str:
        """Its structure, to be compared with that in its mark."""
        chains = ((name, hooks.get(name), comments) for name, comments in self.chains.items())
        return structure(chains, self.sizes.items(), self.entries)


class _Listing:
    """What a listing holds, sorted by the network it belongs to; ``""`` is what all share."""

    def __init__(self, objects: Sequence[Mapping[str, Any]]) -> None:
        self.parts: dict[str, _Part] = {"": _Part()}
        self.hooks: dict[str, Hook] = {}
        self.marks: list[re.Match[str]] = []
        self.awake = True
        self.open = True
        for item in objects:
            for kind, value in item.items():
                self._take(kind, value)

    def _take(self, kind: str, value: Mapping[str, Any]) -> None:
        if kind == "table":
            self.awake = "flags" not in value
        elif kind == "chain":
            self._part(value["name"]).chains[value["name"]] = []
            if (hook := _hook(value)) is not None:
                self.hooks[value["name"]] = hook
                self.open = self.open and value.get("policy") == "accept"
        elif kind == "rule":
            self._part(value["chain"]).chains[value["chain"]].append(value.get("comment", ""))
        elif kind in ("set", "map"):
            elements = value.get("elem", [])
            if value["name"] == MARKS:
                self._take_marks(elements)
                return
            size = 0 if _dynamic(value) else len(elements)
            self._part(value["name"]).sizes[value["name"]] = size
            if value["name"] in DISPATCHES:
                self._take_dispatches(value["name"], elements)
        elif kind in OBJECTS:
            self._part(value["name"]).sizes[value["name"]] = 0

    def _part(self, name: str) -> _Part:
        found = _OF_NETWORK.fullmatch(name)
        return self.parts.setdefault(found[1] if found else "", _Part())

    def _take_marks(self, elements: Sequence[Any]) -> None:
        for element in elements:
            comment = element["elem"].get("comment", "") if isinstance(element, dict) else ""
            if found := _MARK.fullmatch(comment):
                self.marks.append(found)

    def _take_dispatches(self, name: str, elements: Sequence[Any]) -> None:
        for key, verdict in elements:
            for word, value in verdict.items():
                target = value["target"] if value else ""
                self._part(target).entries.append((name, f'"{key}"', f"{word} {target}"))


def read_layout(objects: Sequence[Mapping[str, Any]]) -> Layout:
    """The chains and lookups that there are, without what they hold."""
    chains: dict[str, Chain] = {}
    lookups: dict[str, Lookup] = {}
    named: dict[str, Object] = {}
    for item in objects:
        for kind, value in item.items():
            if kind == "chain":
                chains[value["name"]] = Chain((), _hook(value))
            elif kind in ("set", "map"):
                keys = value["type"]
                lookups[value["name"]] = Lookup(
                    keys if isinstance(keys, str) else " . ".join(map(str, keys)),
                    str(value.get("map", "")),
                    interval="interval" in value.get("flags", ()),
                    counted="stmt" in value,
                    dynamic=_dynamic(value),
                )
            elif kind in OBJECTS:
                named[value["name"]] = Object(kind)
    return Layout(chains, lookups, named)


def _dynamic(value: Mapping[str, Any]) -> bool:
    """Whether rules fill a set: nft 1.0 names only one of its flags, and only such have it."""
    return "timeout" in value.get("flags", ())


def _hook(chain: Mapping[str, Any]) -> Hook | None:
    return Hook(chain["type"], chain["hook"], chain["prio"]) if "hook" in chain else None


def read_state(objects: Sequence[Mapping[str, Any]], instance: str) -> FirewallState:
    """The state that a listing of the table tells (libnftables-json(5)).

    Raises ConflictError where the table belongs to an engine with another run directory, or to
    somebody else altogether.
    """
    listing = _Listing(objects)
    _check_owner(listing, instance)
    shared = listing.parts.pop("")
    intact = False
    digests: dict[UUID, str] = {}
    for mark in listing.marks:
        if mark["of"] == "shared":
            intact = mark["digest"] == str(VERSION) and mark["structure"] == shared.made(
                listing.hooks
            )
            continue
        network = UUID(mark["of"])
        part = listing.parts.pop(network.hex, None)
        if part is not None and mark["structure"] == part.made({}):
            digests[network] = mark["digest"]
    # A part that is left over has lost its mark: nobody could tell what it should be.
    intact = intact and listing.awake and listing.open and not listing.parts
    return FirewallState(present=True, intact=intact, digests=digests)


def _check_owner(listing: _Listing, instance: str) -> None:
    owners = {mark["instance"] for mark in listing.marks}
    shared = listing.parts[""]
    if others := owners - {instance}:
        message = (
            f"the table {FAMILY} {TABLE} belongs to another engine (instance {min(others)}; "
            f"this one is {instance})"
        )
        remedy = "stop that engine's networks, or use its run directory"
    elif (
        not owners
        and (shared.chains or shared.sizes)
        and not shared.chains.keys() >= SHARED_CHAINS.keys()
    ):
        message = f"there is a table {FAMILY} {TABLE} that no engine of ours made"
        remedy = f"if nobody needs it: nft delete table {FAMILY} {TABLE}"
    else:
        return
    problem = Problem(message=message, remedy=remedy)
    raise ConflictError("The firewall's table is taken:", [problem])
