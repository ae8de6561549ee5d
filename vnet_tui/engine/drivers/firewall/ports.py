"""Arithmetic on ports: rules that overlap become pieces that don't.

Maps and sets of the kernel have no order, so first-match semantics has to be worked out before:
every piece of the port space goes to the first rule that claims it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from vnet_tui.engine.model import PortRange, Protocol

T = TypeVar("T")

BOTH = (Protocol.TCP, Protocol.UDP)
"""What a rule with a port and no protocol is about."""


def protocols(protocol: Protocol | None) -> tuple[Protocol, ...]:
    """The transport protocols that a rule with ports matches."""
    return BOTH if protocol is None else (protocol,)


@dataclass(frozen=True, slots=True)
class Claim(Generic[T]):
    """Who wants which ports of which protocols."""

    protocols: tuple[Protocol, ...]
    ports: PortRange
    value: T


@dataclass(frozen=True, slots=True)
class Piece(Generic[T]):
    """Ports ``first`` to ``last`` of one protocol, overlapping with no other piece."""

    protocol: Protocol
    first: int
    last: int
    value: T

    @property
    def single(self) -> bool:
        """Whether it is one port, for which a hash does; more need intervals."""
        return self.first == self.last

    def __str__(self) -> str:
        """As nft writes it in a concatenation: ``tcp . 25``, ``udp . 100-200``."""
        ports = str(self.first) if self.single else f"{self.first}-{self.last}"
        return f"{self.protocol} . {ports}"


def first_match(claims: Iterable[Claim[T]]) -> list[Piece[T]]:
    """Disjoint pieces, each with the value of the first claim on it; sorted by protocol, port."""
    return overlay(claims, lambda old, _new: old)


def overlay(claims: Iterable[Claim[T]], combine: Callable[[T, T], T]) -> list[Piece[T]]:
    """Disjoint pieces; where claims meet, ``combine(earlier, later)`` is the piece's value."""
    found: dict[Protocol, list[Piece[T]]] = {}
    for claim in claims:
        for protocol in claim.protocols:
            pieces = found.setdefault(protocol, [])
            _insert(
                pieces, Piece(protocol, claim.ports.first, claim.ports.last, claim.value), combine
            )
    return [piece for protocol in sorted(found) for piece in found[protocol]]


def _insert(pieces: list[Piece[T]], new: Piece[T], combine: Callable[[T, T], T]) -> None:
    begin = bisect_right(pieces, new.first, key=lambda piece: piece.first)
    if begin and pieces[begin - 1].last >= new.first:
        begin -= 1
    end, cursor = begin, new.first
    result: list[Piece[T]] = []

    def add(first: int, last: int, value: T) -> None:
        if first <= last:
            result.append(Piece(new.protocol, first, last, value))

    while end < len(pieces) and pieces[end].first <= new.last:
        old = pieces[end]
        add(cursor, old.first - 1, new.value)
        combined = combine(old.value, new.value)
        if combined == old.value:
            result.append(old)
        else:
            first, last = max(old.first, new.first), min(old.last, new.last)
            add(old.first, first - 1, old.value)
            add(first, last, combined)
            add(last + 1, old.last, old.value)
        cursor = old.last + 1
        end += 1
    add(cursor, new.last, new.value)
    pieces[begin:end] = result
