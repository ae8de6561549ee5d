"""What legacy tables hold of ours, read from the kernel's entries.

Reading is done in few steps for each entry, since there may be tens of thousands; and a table in
which only counters have changed since it was read isn't looked into again.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vnet_tui.engine.drivers.firewall.iptables import entries, kernel
from vnet_tui.engine.drivers.firewall.iptables.edits import Counted, Tally
from vnet_tui.engine.drivers.firewall.iptables.rules import Place, digest, is_mark, owner

_VERDICTS = {-1: b"DROP", -2: b"ACCEPT", -4: b"QUEUE", -5: b"RETURN"}
_COMMENT_SIZE = 288  # XT_ALIGN of struct xt_comment_info, with the header of a match
_COMMENT = b"comment\0"
_NO_COUNT = bytes(16)
_PARTS = struct.Struct("=HH")
_VERDICT = struct.Struct("=i")


@dataclass(frozen=True, slots=True)
class FoundChain:
    """A chain of ours, or of a built-in chain those rules that lead to us: its digest, and where
    its entries begin."""

    digest: int
    places: Sequence[int]


@dataclass(frozen=True, slots=True)
class FoundTable:
    """What is ours of one table."""

    family: int
    blob: bytes
    chains: Mapping[str, FoundChain]
    hooks: Mapping[str, FoundChain]
    counting: list[tuple[Counted, int]] = field(default_factory=list, repr=False)
    """Found out when somebody asks, and kept for as long as only counters change."""

    def count(self, chain: str, at: int) -> Tally:
        """What the rule at that place of a chain has counted."""
        return self._tally(self.chains[chain].places[at])

    def counts(self) -> dict[Counted, Tally]:
        """What was counted, by network and key."""
        unpack, blob = entries.COUNTERS.unpack_from, self.blob
        found: dict[Counted, Tally] = {}
        for who, at in self._counting():
            packets, size = unpack(blob, at)
            was = found.get(who)
            found[who] = (packets, size) if was is None else (was[0] + packets, was[1] + size)
        return found

    def _counting(self) -> list[tuple[Counted, int]]:
        """Who counts, and where; one may be there several times."""
        if not self.counting:
            counters = entries.LAYOUTS[self.family].counters
            self.counting.extend(
                ((part, key), place + counters)
                for name, chain in self.chains.items()
                if (part := owner(name)) and not is_mark(name)
                for place in chain.places
                if (key := self._comment(place))
            )
        return self.counting

    def mark(self, chain: str) -> str:
        """The comment of the only rule of a chain; empty where it isn't so."""
        places = self.chains[chain].places
        return self._comment(places[0]) if len(places) == 1 else ""

    def sums(self) -> dict[str, int]:
        """The sums of digests by network, and of what all share."""
        found: dict[str, int] = {}
        for name, chain in self.chains.items():
            if not is_mark(name):
                part = owner(name) or ""
                found[part] = found.get(part, 0) + chain.digest
        for chain in self.hooks.values():
            found[""] = found.get("", 0) + chain.digest
        return found

    def _tally(self, place: int) -> Tally:
        at = place + entries.LAYOUTS[self.family].counters
        packets, size = entries.COUNTERS.unpack_from(self.blob, at)
        return packets, size

    def _comment(self, place: int) -> str:
        """The comment of an entry whose last match it is."""
        target, at = entries.LAYOUTS[self.family].target(self.blob, place), 0
        at = target - _COMMENT_SIZE
        if at < place or self.blob[at + 2 : at + 2 + len(_COMMENT)] != _COMMENT:
            return ""
        return self.blob[at + 32 : target].split(b"\0", 1)[0].decode(errors="replace")


@dataclass(frozen=True, slots=True)
class _Known:
    """A table as it was read last: its entries with counters of zero, and where these are."""

    heads: tuple[Mapping[str, int], Mapping[str, int]]
    blob: bytes
    counters: Sequence[int]
    found: FoundTable


class Reader:
    """Reads tables, of the network namespace of the calling thread."""

    def __init__(self) -> None:
        self._known: dict[Place, _Known] = {}

    def read(self, family: int, name: str) -> FoundTable | None:
        """What is ours in a table; None where there is no such table."""
        read = kernel.entries_of(family, name)
        if read is None:
            self._known.pop((family, name), None)
            return None
        known = self._known.get((family, name))
        heads = (read.starts, read.ends)
        if (
            known is not None
            and known.heads == heads
            and len(known.blob) == len(read.blob)
            and known.blob == _zeroed(read.blob, known.counters)
        ):
            return replace(known.found, blob=read.blob)
        found, counters = _parse(family, read)
        self._known[family, name] = _Known(heads, _zeroed(read.blob, counters), counters, found)
        return found


def _zeroed(blob: bytes, counters: Sequence[int]) -> bytes:
    made = bytearray(blob)
    for at in counters:
        made[at : at + 16] = _NO_COUNT
    return bytes(made)


def _parse(family: int, read: kernel.Entries) -> tuple[FoundTable, Sequence[int]]:
    layout, blob = entries.LAYOUTS[family], read.blob
    unpack, offsets = _PARTS.unpack_from, layout.offsets
    built_in = {at: name for name, at in read.starts.items()}
    policies = set(read.ends.values())
    starts: dict[int, bytes] = {}
    contents: dict[str, list[tuple[int, int, int]]] = {}
    counters: list[int] = []
    content: list[tuple[int, int, int]] = []
    at, end = 0, len(blob)
    while at < end:
        target, size = unpack(blob, at + offsets)
        counters.append(at + layout.counters)
        if at in built_in:
            content = contents[built_in[at]] = []
        if blob[at + target + 2 : at + target + 8] == b"ERROR\0":
            chain_name = blob[at + target + 32 : at + size].split(b"\0", 1)[0]
            starts[at + size] = chain_name
            content = contents[chain_name.decode(errors="replace")] = []
        elif at not in policies:
            content.append((at, target, size))
        at += size

    def jump(place: int, target: int, size: int) -> bytes | None:
        """Where an entry leads; None where its target does something of its own."""
        if blob[place + target + 2]:
            return None
        where = int(_VERDICT.unpack_from(blob, place + target + 32)[0])
        if where < 0:
            return _VERDICTS.get(where, b"")
        return b"" if where == place + size else starts.get(where, b"")

    def chain(name: str, rules: Sequence[tuple[int, int, int]]) -> FoundChain:
        identities = [
            entries.clean_identity(
                layout, blob[place : place + size], target, jump(place, target, size)
            )
            for place, target, size in rules
        ]
        return FoundChain(digest(name, identities), [place for place, _, _ in rules])

    chains: dict[str, FoundChain] = {}
    hooks: dict[str, FoundChain] = {}
    for name, rules in contents.items():
        if name in read.starts:
            ours = [
                rule
                for rule in rules
                if (to := jump(*rule)) and owner(to.decode(errors="replace")) is not None
            ]
            if ours:
                hooks[name] = chain(name, ours)
        elif owner(name) is not None:
            chains[name] = chain(name, rules[:-1])  # the last one is the return
    return FoundTable(family, blob, chains, hooks), counters
