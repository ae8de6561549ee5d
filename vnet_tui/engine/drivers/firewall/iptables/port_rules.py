"""Rules about many ports: as few as the format allows.

``multiport`` takes fifteen ports in one rule, a range counting for two. What needs more rules than
``WIDTH`` becomes a tree: ranges lead to chains that hold what lies in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil, sqrt

from vnet_tui.engine.drivers.firewall.iptables.rules import Extension, Rule
from vnet_tui.engine.drivers.firewall.ports import Piece

SLOTS = 15
"""XT_MULTI_PORTS, ``linux/netfilter/xt_multiport.h``."""

WIDTH = 8
"""So many rules are tried one after another; a tree has at most so many branches at a fork."""


class Growing:
    """The chains of one purpose: the first has its name, further ones that and a number."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._chains: dict[str, list[Rule]] = {}

    def chain(self) -> tuple[str, list[Rule]]:
        """One more chain, still empty: its name, and where its rules go."""
        name = f"{self._name}-{len(self._chains)}" if self._chains else self._name
        rules: list[Rule] = []
        self._chains[name] = rules
        return name, rules

    def done(self) -> dict[str, tuple[Rule, ...]]:
        """All chains with their rules."""
        return {name: tuple(rules) for name, rules in self._chains.items()}


def both(head: Rule, rule: Rule) -> Rule:
    """What one rule says and the other, too; the second says what to do."""
    return replace(
        rule,
        source=head.source or rule.source,
        destination=head.destination or rule.destination,
        protocol=head.protocol or rule.protocol,
        matches=head.matches + rule.matches,
    )


def write_ports(
    into: list[Rule],
    pieces: Sequence[Piece[Rule]],
    grow: Growing,
    *,
    heads: Sequence[Rule] = (Rule(),),
    last: Rule | None = None,
    missed: Callable[[], str] | None = None,
) -> None:
    """Write what is to be done with pieces of one protocol's ports, which are in order.

    ``heads`` are what else has to match, each for itself; what does the same as ``last`` comes
    last. Packets in a tree that no rule there is about go to the chain ``missed``; without one
    they come back.
    """
    pieces = merged(pieces)
    flat = list(_flat(pieces, last))
    if len(flat) <= WIDTH:
        into.extend(both(head, rule) for head in heads for rule in flat)
        return
    branches = min(WIDTH, ceil(sqrt(len(flat))))
    width = ceil(len(pieces) / branches)
    for start in range(0, len(pieces), width):
        block = pieces[start : start + width]
        name, rules = grow.chain()
        reach = replace(block[0], last=block[-1].last)
        lead = Rule(
            protocol=str(reach.protocol),
            matches=tuple(destination_ports([reach])),
            target=name,
            goto=missed is not None,
        )
        into.extend(both(head, lead) for head in heads)
        write_ports(rules, block, grow, last=last, missed=missed)
        if missed is not None:
            rules.append(Rule(target=missed(), goto=True))


def merged(pieces: Iterable[Piece[Rule]]) -> list[Piece[Rule]]:
    """Neighbours with which the same is done made one."""
    made: list[Piece[Rule]] = []
    for piece in pieces:
        if made and made[-1].last + 1 == piece.first and made[-1].value == piece.value:
            made[-1] = replace(made[-1], last=piece.last)
        else:
            made.append(piece)
    return made


def destination_ports(pieces: Sequence[Piece[Rule]]) -> Iterator[Extension]:
    """Matches that together are all these ports."""
    slots: list[str] = []
    used = 0
    for piece in pieces:
        needed = 1 if piece.single else 2
        if used + needed > SLOTS:
            yield Extension("multiport", (("dports", ",".join(slots)),))
            slots, used = [], 0
        slots.append(ports(piece))
        used += needed
    if len(slots) == 1:
        yield Extension(str(pieces[0].protocol), (("dport", slots[0]),))
    elif slots:
        yield Extension("multiport", (("dports", ",".join(slots)),))


def ports(piece: Piece[Rule]) -> str:
    """As iptables(8) takes them."""
    return str(piece.first) if piece.single else f"{piece.first}:{piece.last}"


def _flat(pieces: Sequence[Piece[Rule]], last: Rule | None) -> Iterator[Rule]:
    """One rule after another, for each thing to do as few as possible."""
    by_value: dict[Rule, list[Piece[Rule]]] = {}
    for piece in pieces:
        by_value.setdefault(piece.value, []).append(piece)
    for value, own in sorted(by_value.items(), key=lambda item: item[0] == last):
        for match in destination_ports(own):
            yield replace(value, protocol=str(own[0].protocol), matches=(match,))
