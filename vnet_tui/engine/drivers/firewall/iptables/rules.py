"""What legacy tables hold of ours, as values: chains of rules, and hooks in the built-in chains.

Nothing here knows python-iptables: rules are compiled here and made elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

VERSION = 2
"""Counts up when the same rules are laid out otherwise, so that tables of an older engine are
written anew by a newer one."""

TABLES = ("filter", "nat")
FAMILIES = (4, 6)

Place = tuple[int, str]
"""An address family and the name of a table."""

RETURN = "RETURN"
MARK = "VNET-MARK"
"""No packet passes here: what all networks share has its mark in this chain, and each network in
one of its own. A mark is the comment of the only rule."""

_SHARED = "FORWARD|GUARD|FROM|TO|PRE|OWN|HOST|HAIRPIN|POST|MASQ|MARK"
_PER_NETWORK = "OUT|IN|DNAT|HAIR|NAT|MARK"
_OURS = re.compile(
    rf"VNET-(?:(?:{_SHARED})(?:-[0-9a-f]{{8}}|-[0-9]{{1,5}})?"
    rf"|(?:{_PER_NETWORK})-(?P<network>[0-9a-f]{{12}})(?:-[0-9]{{1,5}})?)"
)


def chain_name(part: str, network: UUID) -> str:
    """A chain of one network. Names have at most 28 bytes (XT_EXTENSION_MAXNAMELEN), so that the
    network is there as a digest; a number may follow."""
    return f"VNET-{part}-{hashlib.blake2s(network.bytes, digest_size=6).hexdigest()}"


def owner(chain: str) -> str | None:
    """Which network a chain belongs to: the digits of its name; "" for what all share; None where
    it isn't one of ours."""
    found = _OURS.fullmatch(chain)
    return (found["network"] or "") if found else None


@dataclass(frozen=True, slots=True)
class Extension:
    """A match with its options, each with its value: ``multiport``, ``dports``, ``25,80:90``."""

    name: str
    options: tuple[tuple[str, str], ...]

    def words(self) -> str:
        """As iptables-save(8) writes it."""
        options = "".join(f" --{key} {value}".rstrip() for key, value in self.options)
        return f"-m {self.name}{options}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Addresses that begin with ``!`` and interfaces that end with ``+`` mean what they
    mean to iptables(8). Without a ``target`` a rule does nothing."""

    target: str = ""
    goto: bool = False
    source: str = ""
    destination: str = ""
    came_in: str = ""
    goes_out: str = ""
    protocol: str = ""
    matches: tuple[Extension, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        words = [
            self._negatable("-s", self.source),
            self._negatable("-d", self.destination),
            f"-i {self.came_in}" if self.came_in else "",
            f"-o {self.goes_out}" if self.goes_out else "",
            f"-p {self.protocol}" if self.protocol else "",
            *(match.words() for match in self.matches),
            f"{'-g' if self.goto else '-j'} {self.target}" if self.target else "",
            *(f"--{key} {value}" for key, value in self.options),
        ]
        return " ".join(filter(None, words))

    @staticmethod
    def _negatable(option: str, value: str) -> str:
        if value.startswith("!"):
            return f"! {option} {value[1:]}"
        return f"{option} {value}" if value else ""

    def dump(self) -> list[Any]:
        """For JSON: its values in order."""
        return [
            *(self.target, self.goto, self.source, self.destination),
            *(self.came_in, self.goes_out, self.protocol),
            [(match.name, match.options) for match in self.matches],
            self.options,
        ]

    @classmethod
    def load(cls, data: Sequence[Any]) -> Rule:
        """From what JSON brought over."""
        target, goto, source, destination, came_in, goes_out, protocol, matches, options = data
        extensions = tuple(Extension(name, _pairs(pairs)) for name, pairs in matches)
        does = _pairs(options)
        ends = (source, destination, came_in, goes_out)
        return cls(target, goto, *ends, protocol, extensions, does)


def _pairs(data: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in data)


Chains = Mapping[str, tuple[Rule, ...]]


def dump_chains(chains: Chains) -> dict[str, Any]:
    """Chains for JSON."""
    return {name: [rule.dump() for rule in rules] for name, rules in chains.items()}


def load_chains(data: Mapping[str, Any]) -> Chains:
    """Chains from what JSON brought over."""
    return {name: tuple(map(Rule.load, rules)) for name, rules in data.items()}


@dataclass(frozen=True, slots=True)
class Mark:
    """What the mark in a chain says, and which chains it vouches for (with ``hooks``: those, too).

    Who writes it adds the structure of these chains."""

    text: str
    chains: tuple[str, ...]
    hooks: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """All of ours in one table: chains, rules in built-in chains that lead there, and marks."""

    chains: Chains = field(default_factory=dict)
    hooks: Chains = field(default_factory=dict)
    marks: Mapping[str, Mark] = field(default_factory=dict)


NOTHING = Table()


@dataclass(frozen=True, slots=True)
class Edit:
    """What to do with one table.

    Chains in ``write`` then have these rules and no others; those in ``delete`` go. ``hooks``,
    where given, are all that lead to us from the built-in chains. With ``anew`` whatever else
    there is of ours goes, and nothing is taken for granted.
    """

    write: Chains
    delete: tuple[str, ...] = ()
    hooks: Chains | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    anew: bool = False

    def dump(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "write": dump_chains(self.write),
            "delete": self.delete,
            "hooks": None if self.hooks is None else dump_chains(self.hooks),
            "marks": {name: asdict(mark) for name, mark in self.marks.items()},
            "anew": self.anew,
        }

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Edit:
        """From what JSON brought over."""
        return cls(
            write=load_chains(data["write"]),
            delete=tuple(data["delete"]),
            hooks=None if data["hooks"] is None else load_chains(data["hooks"]),
            marks={name: Mark(**mark) for name, mark in data["marks"].items()},
            anew=data["anew"],
        )

    def __bool__(self) -> bool:
        return bool(self.write or self.delete or self.hooks is not None or self.marks or self.anew)


def rewrite(after: Table) -> Edit:
    """Leave exactly ``after``, whatever there is."""
    return Edit(write=after.chains, hooks=after.hooks, marks=after.marks, anew=True)


def change(before: Table, after: Table) -> Edit:
    """From ``before`` to ``after``; chains that stay the same are not touched."""
    write = {
        name: rules
        for name, rules in after.chains.items()
        if name not in before.chains or before.chains[name] != rules
    }
    marks = {
        name: mark
        for name, mark in after.marks.items()
        if before.marks.get(name) != mark
        or not write.keys().isdisjoint(mark.chains)
        or (mark.hooks and before.hooks != after.hooks)
    }
    gone = [
        *(name for name in before.chains if name not in after.chains),
        *(name for name in before.marks if name not in after.marks),
    ]
    hooks = after.hooks if before.hooks != after.hooks else None
    return Edit(write=write, delete=tuple(gone), hooks=hooks, marks=marks)


def structure(chains: Iterable[tuple[str, Iterable[bytes]]]) -> str:
    """Twelve hex digits for chains with what identifies each of their rules, in order."""
    digest = hashlib.sha256()
    for name, rules in sorted((name, b"".join(map(_framed, rules))) for name, rules in chains):
        digest.update(_framed(name.encode()) + _framed(rules))
    return digest.hexdigest()[:12]


def _framed(item: bytes) -> bytes:
    return len(item).to_bytes(4, "big") + item
