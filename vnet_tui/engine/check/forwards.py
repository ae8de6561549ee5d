"""Ports of the host that lead to guests: which rules take which, without comparing all with all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

from vnet_tui.engine.model import Action, Policy, PortRange, Protocol, Rule, Subnet


def forwards(policy: Policy) -> list[int]:
    """The places of the rules of ``<incoming>`` that take a port of the host and lead it to a
    guest."""
    return [at for at, rule in enumerate(policy.rules) if rule.enabled and takes_port(rule)]


def takes_port(rule: Rule) -> bool:
    """Whether a rule of ``<incoming>`` takes a port of the host and leads it to a guest."""
    return rule.action is Action.ALLOW and rule.domain is not None and rule.port is not None


def guest_name(rule: Rule) -> str | None:
    """The guest of a rule as names are compared: without regard to case."""
    return None if rule.domain is None else rule.domain.lower().rstrip(".")


def protocols(rule: Rule) -> frozenset[Protocol]:
    """What a rule with a port is about: TCP and UDP when it doesn't say."""
    return frozenset((rule.protocol,) if rule.protocol else (Protocol.TCP, Protocol.UDP))


class PortIndex:
    """Forwards by the ports that they take."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        taken = [
            (rule.port, number, rule) for number, rule in enumerate(rules) if rule.port is not None
        ]
        taken.sort(key=lambda one: (one[0].first, one[0].last, one[1]))
        self._taken = taken
        self._highest = list(accumulate((one[0].last for one in taken), max))

    def overlapping(self, ports: PortRange) -> Iterator[tuple[int, Rule]]:
        """The forwards of any of these ports, each with its number among the rules."""
        for at in range(bisect_left(self._highest, ports.first), len(self._taken)):
            theirs, number, rule = self._taken[at]
            if theirs.first > ports.last:
                return
            if theirs.last >= ports.first:
                yield number, rule


def overlap(one: Subnet | None, other: Subnet | None) -> bool:
    """Whether any address is in both; None is all."""
    return one is None or other is None or one.overlaps(other)


def covers(one: Subnet | None, other: Subnet | None) -> bool:
    """Whether everything in ``other`` is in ``one``; None is all."""
    if one is None or other is None or one.version != other.version:
        return one is None
    return one.prefixlen <= other.prefixlen and other.network_address in one
