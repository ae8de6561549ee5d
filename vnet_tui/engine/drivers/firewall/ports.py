"""Arithmetic on ports: rules that overlap become pieces that don't.

Maps and sets of the kernel have no order, so first-match semantics has to be worked out before:
every piece of the port space goes to the first rule that claims it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from vnet_tui.engine.model import PortRange, Protocol

T = TypeVar("T")

BOTH = (Protocol.TCP, Protocol.UDP)
"""What a rule with a port and no protocol is about."""

_PORTS = 1 << 16


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


def first_match(claims: Sequence[Claim[T]]) -> list[Piece[T]]:
    """Disjoint pieces, each with the value of the first claim on it; sorted by protocol, port."""
    return [
        Piece(protocol, first, last, claims[index].value)
        for protocol, own in _by_protocol(claims)
        for first, last, index in first_runs([claims[index].ports for index in own], own)
    ]


def overlay(claims: Sequence[Claim[T]], combine: Callable[[T, T], T]) -> list[Piece[T]]:
    """Disjoint pieces; where claims meet, ``combine(earlier, later)`` is the piece's value.

    A piece ends where the first claim on it does, even if the next has the same value.
    """
    pieces: list[Piece[T]] = []
    for protocol, own in _by_protocol(claims):
        values: list[T | None] = [None] * _PORTS
        taken = bytearray(_PORTS)
        for index in own:
            claim = claims[index]
            ports = slice(claim.ports.first, claim.ports.last + 1)
            if not any(taken[ports]):
                values[ports] = [claim.value] * len(claim.ports)
                taken[ports] = b"\1" * len(claim.ports)
                continue
            for port in range(claim.ports.first, claim.ports.last + 1):
                old = values[port]
                values[port] = claim.value if old is None else combine(old, claim.value)
                taken[port] = 1
        for first, last, _ in first_runs([claims[index].ports for index in own], own):
            begin = first
            for port in range(first + 1, last + 2):
                if port > last or values[port] != values[begin]:
                    value = values[begin]
                    assert value is not None  # noqa: S101  (a run is of ports that are claimed)
                    pieces.append(Piece(protocol, begin, port - 1, value))
                    begin = port
    return pieces


def _by_protocol(claims: Sequence[Claim[T]]) -> Iterator[tuple[Protocol, list[int]]]:
    for protocol in sorted({protocol for claim in claims for protocol in claim.protocols}):
        yield protocol, [i for i, claim in enumerate(claims) if protocol in claim.protocols]


def first_runs(
    claimed: Sequence[PortRange], indexes: Sequence[int]
) -> Iterator[tuple[int, int, int]]:
    """Runs of ports (first, last, index) for the first that claims them, in ascending order."""
    owner = [-1] * (_PORTS + 1)
    edges = set()
    # The first are painted last, over the others.
    for index, ports in zip(reversed(indexes), reversed(claimed), strict=True):
        begin, end = ports.first, ports.last + 1
        if end - begin == 1:
            owner[begin] = index
        else:
            owner[begin:end] = [index] * (end - begin)
        edges.add(begin)
        edges.add(end)
    run, last_owner = 0, -1
    for edge in sorted(edges):
        if owner[edge] == last_owner:
            continue
        if last_owner >= 0:
            yield run, edge - 1, last_owner
        run, last_owner = edge, owner[edge]
