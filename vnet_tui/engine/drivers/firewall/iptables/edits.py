"""The way from one table to another: chains that stay as they are aren't touched, and what was
counted goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vnet_tui.engine.alike import alike
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    Chains,
    Rule,
    Table,
    mark_name,
    owner,
)

Tally = tuple[int, int]
"""Packets and bytes."""

Counted = tuple[str, str]
"""For whom a rule counts: the network's digits, and the key."""


@dataclass(frozen=True, slots=True)
class ChainEdit:
    """What becomes of a chain: ``keep`` of its rules at the beginning and ``keep_end`` at the end
    stay; in their middle there are ``rules`` then. ``counts`` are by place in the chain then."""

    rules: tuple[Rule, ...]
    keep: int = 0
    keep_end: int = 0
    counts: Mapping[int, Tally] = field(default_factory=dict)

    def dump(self) -> list[Any]:
        """For JSON."""
        rules = [rule.dump() for rule in self.rules]
        return [rules, self.keep, self.keep_end, list(self.counts.items())]

    @classmethod
    def load(cls, data: Sequence[Any]) -> ChainEdit:
        """From what JSON brought over."""
        rules, keep, keep_end, counts = data
        found = {at: (packets, size) for at, (packets, size) in counts}
        return cls(tuple(map(Rule.load, rules)), keep, keep_end, found)


@dataclass(frozen=True, slots=True)
class Edit:
    """What to do with one table.

    Chains in ``write`` become what is said there; those in ``delete`` go. ``hooks``, where given,
    are all that lead to us from the built-in chains. With ``anew`` whatever else there is of ours
    goes, and nothing is taken for granted. Marks are no part of it.
    """

    write: Mapping[str, ChainEdit] = field(default_factory=dict)
    delete: tuple[str, ...] = ()
    hooks: Chains | None = None
    anew: bool = False

    def dump(self) -> dict[str, Any]:
        """For JSON."""
        hooks = self.hooks
        return {
            "write": {name: edit.dump() for name, edit in self.write.items()},
            "delete": self.delete,
            "hooks": None
            if hooks is None
            else {name: [rule.dump() for rule in rules] for name, rules in hooks.items()},
            "anew": self.anew,
        }

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Edit:
        """From what JSON brought over."""
        hooks = data["hooks"]
        return cls(
            write={name: ChainEdit.load(edit) for name, edit in data["write"].items()},
            delete=tuple(data["delete"]),
            hooks=None
            if hooks is None
            else {name: tuple(map(Rule.load, rules)) for name, rules in hooks.items()},
            anew=data["anew"],
        )

    def __bool__(self) -> bool:
        return bool(self.write or self.delete or self.hooks is not None or self.anew)

    def touched(self) -> set[str]:
        """The chains that aren't as before."""
        return {*self.write, *self.delete}


def rewrite(after: Table, counts: Mapping[Counted, Tally] | None = None) -> Edit:
    """Leave exactly ``after``, whatever there is; ``counts`` are what it has counted."""
    left = dict(counts or {})
    write = {}
    for name, rules in after.chains.items():
        part = owner(name) or ""
        own = {
            at: left.pop((part, rule.key))
            for at, rule in enumerate(rules)
            if rule.key and (part, rule.key) in left
        }
        write[name] = ChainEdit(rules, counts=own)
    return Edit(write=write, hooks=after.hooks, anew=True)


class Counting(Protocol):
    """What the kernel's rules have counted, by chain and place."""

    def count(self, chain: str, at: int) -> Tally:
        """Of one rule."""


def change(before: Table, after: Table, counting: Counting | None = None) -> Edit:
    """From ``before``, which is there, to ``after``; chains that stay the same are not touched."""
    write: dict[str, ChainEdit] = {}
    lost: dict[Counted, Tally] = {}
    gone = tuple(name for name in before.chains if name not in after.chains)
    for name in gone:
        _lose(lost, name, enumerate(before.chains[name]), counting)
    for name, rules in after.chains.items():
        old = before.chains.get(name)
        if old is rules or old == rules:
            continue
        keep, keep_end = alike(old or (), rules)
        _lose(lost, name, _middle(old or (), keep, keep_end), counting)
        write[name] = ChainEdit(rules[keep : len(rules) - keep_end], keep, keep_end)
    hooks = after.hooks if before.hooks != after.hooks else None
    gone += tuple(mark_name(part) for part in before.networks if part not in after.networks)
    if lost:
        _carry(lost, before, after, write, counting)
    return Edit(write=write, delete=gone, hooks=hooks)


def _middle(rules: Sequence[Rule], keep: int, keep_end: int) -> Iterator[tuple[int, Rule]]:
    return ((at, rules[at]) for at in range(keep, len(rules) - keep_end))


def _lose(
    lost: dict[Counted, Tally],
    chain: str,
    rules: Iterable[tuple[int, Rule]],
    counting: Counting | None,
) -> None:
    """Remember what rules have counted that go."""
    if counting is None:
        return
    for at, rule in rules:
        if rule.key:
            packets, size = counting.count(chain, at)
            if packets:
                who = (owner(chain) or "", rule.key)
                was = lost.get(who, (0, 0))
                lost[who] = (was[0] + packets, was[1] + size)


def _carry(
    lost: dict[Counted, Tally],
    before: Table,
    after: Table,
    write: dict[str, ChainEdit],
    counting: Counting | None,
) -> None:
    """Give it to rules that count for the same: to new ones, else to some that stay."""
    for name, edit in [*write.items()]:
        part = owner(name) or ""
        counts = {
            edit.keep + at: lost.pop((part, rule.key))
            for at, rule in enumerate(edit.rules)
            if rule.key and (part, rule.key) in lost
        }
        if counts:
            write[name] = ChainEdit(edit.rules, edit.keep, edit.keep_end, counts)
    if not lost or counting is None:
        return
    for name, rules in after.chains.items():
        part = owner(name) or ""
        old = before.chains.get(name, ())
        edit = write.get(name) or ChainEdit((), len(rules))
        for at, rule in enumerate(rules):
            stays = at < edit.keep or at >= len(rules) - edit.keep_end
            if rule.key and stays and (part, rule.key) in lost:
                was_at = at if at < edit.keep else at - len(rules) + len(old)
                packets, size = counting.count(name, was_at)
                more = lost.pop((part, rule.key))
                counts = {**edit.counts, at: (packets + more[0], size + more[1])}
                edit = write[name] = ChainEdit(edit.rules, edit.keep, edit.keep_end, counts)
