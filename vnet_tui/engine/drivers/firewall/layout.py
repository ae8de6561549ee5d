"""What a table holds, as values: named maps and chains, before they become nft's words.

The structure of a part (its chains with the tags of their rules, how much its lookups hold) is
hashed into the part's mark, and hashed again from what the kernel lists: they are equal as long as
nobody took a rule away, put one in, or replaced one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

FAMILY = "inet"
TABLE = "vnet"
"""Our one table; nothing outside it is ever touched."""

VERSION = 4
"""Counts up when the same rules are laid out otherwise, so that a table of an older engine is
written anew by a newer one."""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a base chain hangs, as nft lists it; ``priority`` as in ``linux/netfilter_ipv4.h``."""

    type: str
    hook: str
    priority: int

    def __str__(self) -> str:
        return f"type {self.type} hook {self.hook} priority {self.priority}; policy accept;"


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in order, each without its tag; a base chain has a ``hook``."""

    rules: tuple[str, ...]
    hook: Hook | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """A named set (``values`` empty) or map: the types of its keys and values, and what it holds.

    ``interval`` allows ranges in keys; ``counted`` has every element count what it matches. One
    that is ``dynamic`` is filled by rules, and what it holds is none of a layout's business. A
    set's elements can have a comment for a value.
    """

    keys: str
    values: str = ""
    interval: bool = False
    counted: bool = False
    dynamic: bool = False
    elements: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """nft's word for it."""
        return "map" if self.values else "set"

    @property
    def declaration(self) -> str:
        """What stands between the braces when it is made."""
        values = f" : {self.values}" if self.values else ""
        flags = " flags interval;" if self.interval else ""
        if self.dynamic:
            flags = f" flags dynamic,timeout; timeout {DYNAMIC_TIMEOUT}; size {DYNAMIC_SIZE};"
        return f"type {self.keys}{values};{flags}" + (" counter;" if self.counted else "")


DYNAMIC_TIMEOUT = "1d"
"""How long what a rule put into a set is kept after it was last seen."""

DYNAMIC_SIZE = 4096
"""How many elements rules may put into one set, so that nobody fills the kernel's memory."""


@dataclass(frozen=True, slots=True)
class Object:
    """A named counter (without ``body``) or limit: it keeps its state while rules around it are
    written anew."""

    kind: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything in the table, or in one network's part of it, by name."""

    chains: Mapping[str, Chain]
    lookups: Mapping[str, Lookup]
    objects: Mapping[str, Object] = field(default_factory=dict)


EMPTY = Layout({}, {})


def tag(rule: str) -> str:
    """Eight hex digits by which a rule of ours is known: the kernel keeps them as its comment."""
    return hashlib.blake2s(rule.encode(), digest_size=4).hexdigest()


class Names:
    """Names for the lookups of one chain.

    They say what a lookup is about and count only within that, so that an edit leaves the lookups
    beside it what they are.
    """

    def __init__(self, chain: str) -> None:
        self._chain = chain
        self._counts: dict[str, int] = {}

    def next(self, about: str, match: str = "") -> str:
        """The next name for lookups about that, used under ``match`` (nft's words)."""
        kind = f"{about}_{tag(match)}" if match else about
        number = self._counts[kind] = self._counts.get(kind, -1) + 1
        return f"{self._chain}_{kind}_{number}"


def structure(
    chains: Iterable[tuple[str, Hook | None, Sequence[str]]],
    sizes: Iterable[tuple[str, int]],
    entries: Iterable[tuple[str, str, str]] = (),
) -> str:
    """Twelve hex digits for chains (name, hook, tags of the rules), how many elements lookups have
    (of dynamic ones, and of objects, 0), and single elements (lookup, key, value)."""
    chain_text = sorted(f"{name} {hook or ''} {' '.join(tags)}" for name, hook, tags in chains)
    size_text = sorted(f"{name} {size}" for name, size in sizes)
    entry_text = sorted(f"{name} {key} {value}" for name, key, value in entries)
    text = "\n".join([*chain_text, "", *size_text, "", *entry_text])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def part_structure(
    chains: Mapping[str, Chain],
    lookups: Mapping[str, Lookup],
    entries: Sequence[tuple[str, str, str]] = (),
    objects: Mapping[str, Object] | None = None,
) -> str:
    """The structure of a network's part, or of what all share, as it is to be."""
    sizes = {name: len(lookup.elements) for name, lookup in lookups.items()}
    return structure(
        ((name, chain.hook, [tag(rule) for rule in chain.rules]) for name, chain in chains.items()),
        (sizes | dict.fromkeys(objects or (), 0)).items(),
        entries,
    )
