"""What legacy tables hold of ours, as values: chains of rules, and hooks in the built-in chains.

Nothing here knows python-iptables: rules are compiled here and made elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

VERSION = 4
"""Counts up when the same rules are laid out otherwise, so that tables of an older engine are
written anew by a newer one."""

TABLES = ("filter", "nat")
FAMILIES = (4, 6)

Place = tuple[int, str]
"""An address family and the name of a table."""

MAIN: Place = (4, "filter")
"""The table whose marks say which rules were installed."""

RETURN = "RETURN"
MARK = "VNET-MARK"
"""No packet passes here: what all networks share has its mark in this chain, and each network in
one of its own. A mark is the comment of the only rule."""

_SHARED = (
    "FORWARD|EST|CUT|BACK|CUTOUT|CUTIN|BACKOUT|BACKIN|GUARD|FROM|TO|COUNT|SENT|GOT|DENY|"
    "PRE|OWN|HOST|HAIRPIN|POST|MASQ|MARK"
)
_PER_NETWORK = "OUT|IN|LED|CUTOUT|CUTIN|REFOUT|REFIN|NOTEOUT|NOTEIN|SENT|GOT|DNAT|HAIR|NAT|MARK"
_OURS = re.compile(
    rf"VNET-(?:(?:{_SHARED})(?:-[0-9a-f]{{8}}|-[0-9a-z]{{1,5}})?"
    rf"|(?:{_PER_NETWORK})-(?P<network>[0-9a-f]{{12}})(?:-[0-9a-z]{{1,5}})?)"
)


NAME_BYTES = 28
"""As many as a chain's name has at most (XT_EXTENSION_MAXNAMELEN in ``linux/netfilter/x_tables.h``,
less one that iptables keeps for itself)."""


def chain_name(part: str, network: UUID) -> str:
    """A chain of one network. The network is there as a digest, so that there is room for it, and
    for some letters after it."""
    return f"VNET-{part}-{digits(network)}"


def digits(network: UUID) -> str:
    """A network in the names of its chains."""
    return hashlib.blake2s(network.bytes, digest_size=6).hexdigest()


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
    mean to iptables(8). Without a ``target`` a rule does nothing. A ``key`` tells for whom it
    counts: it is the rule's comment."""

    target: str = ""
    goto: bool = False
    source: str = ""
    destination: str = ""
    came_in: str = ""
    goes_out: str = ""
    protocol: str = ""
    matches: tuple[Extension, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    key: str = ""

    def __str__(self) -> str:
        words = [
            self._negatable("-s", self.source),
            self._negatable("-d", self.destination),
            f"-i {self.came_in}" if self.came_in else "",
            f"-o {self.goes_out}" if self.goes_out else "",
            f"-p {self.protocol}" if self.protocol else "",
            *(match.words() for match in self.matches),
            f"-m comment --comment {self.key}" if self.key else "",
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
            self.key,
        ]

    @classmethod
    def load(cls, data: Sequence[Any]) -> Rule:
        """From what JSON brought over."""
        target, goto, source, destination, came_in, goes_out, protocol, *more = data
        matches, options, key = more
        extensions = tuple(Extension(name, _pairs(pairs)) for name, pairs in matches)
        ends = (source, destination, came_in, goes_out)
        return cls(target, goto, *ends, protocol, extensions, _pairs(options), key)


def _pairs(data: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in data)


Chains = Mapping[str, tuple[Rule, ...]]


@dataclass(frozen=True, slots=True)
class Table:
    """All of ours in one table: chains, and rules in built-in chains that lead there.

    ``networks`` are those that have a mark there, by the digits in the names of their chains.
    Each mark is in a chain of its own, which is none of ``chains``.
    """

    chains: Chains = field(default_factory=dict)
    hooks: Chains = field(default_factory=dict)
    networks: Mapping[str, UUID] = field(default_factory=dict)


NOTHING = Table()


def mark_name(part: str) -> str:
    """The chain with the mark of a network, or, without digits, of what all share."""
    return f"{MARK}-{part}" if part else MARK


def is_mark(chain: str) -> bool:
    """Whether a chain of ours holds a mark."""
    return chain == MARK or chain.startswith(f"{MARK}-")


def digest(chain: str, rules: Iterable[bytes]) -> int:
    """What tells a chain with these rules (what identifies each, in order) from others.

    The sum of the digests of several chains stands for all of them: so one chain can change
    without looking at the others.
    """
    made = hashlib.blake2b(_framed(chain.encode()), digest_size=8)
    made.update(b"".join(map(_framed, rules)))
    return int.from_bytes(made.digest(), "big")


def structure(digests: Iterable[int]) -> str:
    """The sum of digests, in sixteen hex digits."""
    return f"{sum(digests) % (1 << 64):016x}"


def _framed(item: bytes) -> bytes:
    return len(item).to_bytes(4, "big") + item
