"""From a packet's interface to a network's chain, by as few rules as names allow.

A rule matches one name or all names with one beginning, so many bridges become a tree: each chain
tells apart what begins alike by the next character.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby, takewhile
from typing import Literal

from vnet_tui.engine.drivers.firewall.iptables.rules import RETURN, Chains, Rule
from vnet_tui.engine.errors import DriverError

Side = Literal["came_in", "goes_out"]

WIDTH = 4
"""So many bridges are told apart one after another, before it is worth another chain."""


def checked(bridge: str) -> str:
    """A bridge's name as rules take it; refused where it would mean something else."""
    if not bridge or bridge.startswith("!") or bridge.endswith("+") or not bridge.isascii():
        raise DriverError(
            f"the bridge name {bridge!r} can't be written into firewall rules",
            "choose one in ASCII that doesn't begin with ! or end with +",
        )
    return bridge


def dispatch(chain: str, side: Side, targets: Mapping[str, str], *, missed: str = "") -> Chains:
    """The chain, and those it needs: from each bridge to its target.

    The end of a target is the end of the chain. Packets of no such bridge come back, or go on to
    the chain ``missed``.
    """
    chains: dict[str, list[Rule]] = {}
    _fill(chains, chain, chain, side, dict(sorted(targets.items())))
    if missed:
        for rules in chains.values():
            rules.append(Rule(target=missed, goto=True))
    return {name: tuple(rules) for name, rules in chains.items()}


def _fill(
    chains: dict[str, list[Rule]], root: str, chain: str, side: Side, targets: dict[str, str]
) -> None:
    rules: list[Rule] = []
    chains[chain] = rules
    groups = [[name] for name in targets]
    if len(targets) > WIDTH:
        known = len(_beginning(list(targets)))
        groups = [list(names) for _, names in groupby(targets, lambda name: name[: known + 1])]
    for names in groups:
        if len(names) == 1:
            rules.append(_towards(side, names[0], targets[names[0]]))
            continue
        prefix = _beginning(names)
        inner = f"{root}-{hashlib.blake2s(prefix.encode(), digest_size=4).hexdigest()}"
        rules.append(_towards(side, f"{prefix}+", inner))
        _fill(chains, root, inner, side, {name: targets[name] for name in names})


def _beginning(names: Sequence[str]) -> str:
    """What all these names, which are in order, begin with."""
    first, last = names[0], names[-1]
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return first[: len(list(alike))]


def _towards(side: Side, interface: str, target: str) -> Rule:
    rule = Rule(target=target, goto=target != RETURN)
    if side == "came_in":
        return replace(rule, came_in=interface)
    return replace(rule, goes_out=interface)
