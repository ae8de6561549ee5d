"""What the firewall has counted: by rule, and by guest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from vnet_tui.engine.terms import Address

DEFAULT_IN = "default-in"
DEFAULT_OUT = "default-out"
"""In the place of a rule's key: what the defaults of the two policies decided."""


@dataclass(frozen=True, slots=True)
class Count:
    """Packets, and their bytes without those of the link layer."""

    packets: int = 0
    bytes: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.packets + other.packets, self.bytes + other.bytes)


NOTHING = Count()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestCount:
    """What passed to a guest (``into``) and from it (``out``), beyond its network."""

    into: Count = NOTHING
    out: Count = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCounters:
    """One network's.

    ``rules`` are by :attr:`~vnet_tui.engine.resources.PolicyRule.key`, and hold what each rule
    *decided*: the first packets of connections that it let pass (the rest of an established one
    asks no rule), every packet that it denied. ``guests`` are by address, and count all packets.
    """

    rules: Mapping[str, Count] = field(default_factory=dict)
    guests: Mapping[Address, GuestCount] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """All networks' that run, since each rule was there and each guest was first seen."""

    networks: Mapping[UUID, NetworkCounters] = field(default_factory=dict)
