"""A packet's way through the chains of a hook, on paper.

Where a rule can't be evaluated both ways are followed, so that the answer is one of three: it
passes, it is stopped here, or it may be stopped here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from vnet_tui.engine.doctor.packet import Packet
from vnet_tui.engine.doctor.tables import Chain, Kind, Place, Table

_DEEPEST = 32
"""Jumps within jumps that are followed; the kernel allows 16 (NFT_JUMP_STACK_SIZE)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided and where; ``doubt`` is the rule that couldn't be evaluated and on which it
    depends whether it is decided here (it may be the very rule that decides)."""

    kind: Kind
    place: Place
    doubt: Place | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """What becomes of a packet at a hook.

    ``stop`` is where it is stopped, or may be when ``stop.doubt`` is set; None: it passes.
    ``translation`` is where its target is changed, for sure or perhaps.
    """

    packet: Packet
    stop: Decision | None = None
    translation: Decision | None = None

    @property
    def blocked(self) -> bool:
        """Whether it is stopped for sure."""
        return self.stop is not None and self.stop.doubt is None


@dataclass(slots=True)
class _Walk:
    """One packet in one base chain: what might have been decided so far."""

    table: Table
    base: str
    packet: Packet
    possible: list[Decision] = field(default_factory=list)

    def chain(self, name: str, doubt: Place | None = None, depth: int = 0) -> Decision | None:
        """What a chain decides for sure, if anything; ``doubt`` is why it may not be gone
        through at all."""
        chain = self.table.chains.get(name)
        if chain is None or depth > _DEEPEST:
            return None
        for rule in chain.rules:
            holds = rule.holds(self.packet)
            if holds is False:
                continue
            place = Place(self.table, self.base, name, rule.text)
            local = place if holds is None and doubt is None else doubt
            verdict = rule.verdict
            if verdict.kind is Kind.NEXT:
                continue
            if verdict.kind is Kind.MARK:
                mark = verdict.value if local is None else None
                self.packet = replace(self.packet, mark=mark)
            elif verdict.kind is Kind.DOUBT:
                self.possible.append(Decision(Kind.DROP, place, local or place))
            elif verdict.kind is Kind.RETURN:
                if local is None:
                    return None
                doubt = local
            elif verdict.kind in (Kind.JUMP, Kind.GOTO):
                if (decided := self.chain(verdict.target, local, depth + 1)) is not None:
                    return decided
                if verdict.kind is Kind.GOTO:
                    if local is None:
                        return None
                    doubt = local
            else:
                decision = Decision(verdict.kind, place, local)
                if local is None:
                    return decision
                self.possible.append(decision)
        return None


def passage(
    tables: Sequence[Table],
    hook: str,
    packet: Packet,
    *,
    lowest: int = -(1 << 31),
    highest: int = 1 << 31,
) -> Passage:
    """What becomes of a packet at a hook, in the chains of these priorities (both included)."""
    doubt: Decision | None = None
    translation: Decision | None = None
    for table, name, chain in _bases(tables, hook, packet, lowest, highest):
        walk = _Walk(table, name, packet)
        decided = walk.chain(name)
        packet = walk.packet
        assert chain.base is not None  # noqa: S101  (_bases)
        final = decided or Decision(chain.base.policy, Place(table, name, name))
        outcomes = [*walk.possible, final]
        stops = [one for one in outcomes if one.kind is Kind.DROP]
        translation = translation or next(
            (one for one in outcomes if one.kind is Kind.TRANSLATE), None
        )
        if len(stops) == len(outcomes):
            # Whatever the doubtful ones do, it ends here; the sure one is the one to name.
            return Passage(packet, final, translation)
        if stops and doubt is None:
            first = stops[0]
            because = first.doubt or next(one.doubt for one in outcomes if one.doubt is not None)
            doubt = replace(first, doubt=because)
    return Passage(packet, doubt, translation)


def _bases(
    tables: Sequence[Table], hook: str, packet: Packet, lowest: int, highest: int
) -> Iterator[tuple[Table, str, Chain]]:
    """The chains that a packet goes through, in order."""
    found = [
        (chain.base.priority, table, name, chain)
        for table in tables
        if table.sees(packet)
        for name, chain in table.chains.items()
        if chain.base is not None
        and chain.base.meets(packet, hook)
        and lowest <= chain.base.priority <= highest
    ]
    for _, table, name, chain in sorted(found, key=lambda item: item[0]):
        yield table, name, chain
