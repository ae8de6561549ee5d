"""Firewall tables as values, whichever tool made them: chains, rules, and what they match."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from vnet_tui.engine.doctor.packet import Layer, Packet

Match = Callable[[Packet], bool | None]
"""Whether a packet matches; None where that can't be told on paper."""


class Kind(StrEnum):
    """What a rule does with the packets that match; ``DOUBT``: that isn't known."""

    ACCEPT = "accept"
    DROP = "drop"
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"
    TRANSLATE = "translate"
    MARK = "mark"
    NEXT = "next"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``target`` is the chain of a jump, ``value`` the mark that is set (None: not known)."""

    kind: Kind
    target: str = ""
    value: int | None = None


NEXT = Verdict(Kind.NEXT)


@dataclass(frozen=True, slots=True)
class Rule:
    """``text`` is the rule as its tool prints it. All of ``matches`` must hold."""

    text: str
    matches: tuple[Match, ...] = ()
    verdict: Verdict = NEXT

    def holds(self, packet: Packet) -> bool | None:
        """Whether a packet matches; None where that can't be told."""
        doubt = False
        for match in self.matches:
            found = match(packet)
            if found is False:
                return False
            doubt = doubt or found is None
        return None if doubt else True


@dataclass(frozen=True, slots=True)
class Base:
    """Where a base chain hangs, and what becomes of packets that no rule decided on.

    ``devices`` are the interfaces of a chain that hangs at interfaces.
    """

    type: str
    hook: str
    priority: int
    policy: Kind = Kind.ACCEPT
    devices: frozenset[str] = frozenset()

    def meets(self, packet: Packet, hook: str) -> bool:
        """Whether a packet comes here at a hook; chains of type nat see new connections."""
        if self.hook != hook or (self.type == "nat" and packet.state != "new"):
            return False
        at = packet.oif if hook == "egress" else packet.iif
        return packet.layer is not Layer.DEVICE or at in self.devices


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in order."""

    rules: tuple[Rule, ...] = ()
    base: Base | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of somebody else's.

    ``family`` is nft's (``ip``, ``ip6``, ``inet``, ``arp``, ``bridge``, ``netdev``); ``tool`` the
    program that it is changed with; ``owned``: the kernel lets nobody but its maker change it.
    """

    family: str
    name: str
    tool: str
    chains: Mapping[str, Chain] = field(default_factory=dict)
    owned: bool = False

    @property
    def by_nft(self) -> bool:
        """Whether nft changes it, and not one of the iptables programs."""
        return self.tool == "nft"

    def sees(self, packet: Packet) -> bool:
        """Whether packets of that address family come here, where on its way this one is."""
        if packet.layer is Layer.BRIDGE:
            return self.family == "bridge"
        if packet.layer is Layer.DEVICE:
            return self.family == "netdev" or (self.family == "inet" and packet.protocol != "arp")
        if packet.protocol == "arp":
            return self.family == "arp"
        return self.family == "inet" or self.family == ("ip" if packet.version == 4 else "ip6")

    def with_first(self, chain: str, rule: Rule) -> Table:
        """The table with another rule before all others of a chain."""
        before = self.chains[chain]
        after = replace(before, rules=(rule, *before.rules))
        return replace(self, chains={**self.chains, chain: after})


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a table something is decided; without a rule it is the chain's policy."""

    table: Table
    base: str
    chain: str
    rule: str = ""

    def __str__(self) -> str:
        if self.table.by_nft:
            words = f"table {self.table.family} {self.table.name}, chain {self.chain}"
        else:
            words = f"{self.table.tool} table {self.table.name}, chain {self.chain}"
        return f"{words}: {self.rule or 'policy drop'}"
