"""Where rules reach, as subnets, and whether they can share a set.

A set has no order. Rules of which no packet can match two may be looked up in one whatever their
order; so may those of one scope, once their ports are told apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet_tui.engine.model import Subnet

Scope = tuple[Subnet, ...]
"""One subnet for each field of a key."""


def host(subnet: Subnet) -> bool:
    """Whether it is a single address, which needs no interval."""
    return subnet.prefixlen == subnet.max_prefixlen


class Prefixes:
    """Subnets of one family, to ask whether another has an address in common with any."""

    def __init__(self) -> None:
        self._lengths: dict[int, set[int]] = {}
        self._shadows: dict[int, set[int]] = {}

    def add(self, subnet: Subnet) -> None:
        """One more."""
        value, length, width = _bits(subnet)
        self._lengths.setdefault(length, set()).add(value >> (width - length))
        for shorter, shadow in self._shadows.items():
            if shorter < length:
                shadow.add(value >> (width - shorter))

    def overlap(self, subnet: Subnet) -> bool:
        """Whether any of them does."""
        value, length, width = _bits(subnet)
        covering = (
            value >> (width - shorter) in values
            for shorter, values in self._lengths.items()
            if shorter <= length
        )
        return any(covering) or value >> (width - length) in self._shadow(length)

    def _shadow(self, length: int) -> set[int]:
        """What all longer prefixes begin with, cut to that length."""
        if length not in self._shadows:
            self._shadows[length] = {
                value >> (longer - length)
                for longer, values in self._lengths.items()
                if longer > length
                for value in values
            }
        return self._shadows[length]


class ScopeIndex:
    """Scopes of one family, any two of them equal or without a common packet.

    It looks at one field after the other: two scopes have to be apart in a field, or equal in it
    and apart in those after it. What is apart in another way may be turned away.
    """

    def __init__(self) -> None:
        self._known = Prefixes()
        self._below: dict[Subnet, ScopeIndex] = {}

    def admit(self, scope: Scope) -> bool:
        """Add a scope; False, and nothing added, where it overlaps one that is there."""
        if not scope:
            return True
        first, rest = scope[0], scope[1:]
        below = self._below.get(first)
        if below is None:
            if self._known.overlap(first):
                return False
            below = self._below[first] = ScopeIndex()
            self._known.add(first)
        return below.admit(rest)


def _bits(subnet: Subnet) -> tuple[int, int, int]:
    """The address as a number, the prefix length, and the width of an address."""
    return int(subnet.network_address), subnet.prefixlen, subnet.max_prefixlen


def words(scope: Scope) -> Iterator[str]:
    """A scope's fields as nft writes them in a key."""
    for subnet in scope:
        yield str(subnet.network_address) if host(subnet) else str(subnet)
