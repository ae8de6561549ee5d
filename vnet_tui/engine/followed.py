"""Which guests the rules of networks follow, and how many rules each.

Counted again only for rules that have come or gone since the network was last asked about.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping

from vnet_tui.engine.alike import alike
from vnet_tui.engine.model import Mode, Network, Rule

_KEPT = 1 << 8
"""The policies that are remembered."""

_counted: OrderedDict[object, tuple[tuple[Rule, ...], Counter[str]]] = OrderedDict()


def followed(network: Network) -> Mapping[str, int]:
    """The guests that rules name which aren't switched off, and by how many rules."""
    if network.mode is Mode.ISOLATED:
        return {}
    incoming = _of_policy(network.incoming.rules, (network.uuid, network.name, "incoming"))
    outgoing = _of_policy(network.outgoing.rules, (network.uuid, network.name, "outgoing"))
    return incoming + outgoing


def _of_policy(rules: tuple[Rule, ...], of: object) -> Counter[str]:
    before, counts = _counted.get(of, ((), Counter[str]()))
    if before is not rules:
        first, last = alike(before, rules)
        gone = Counter(_names(before[first : len(before) - last]))
        counts = counts + Counter(_names(rules[first : len(rules) - last])) - gone
        _counted[of] = rules, counts
        if len(_counted) > _KEPT:
            _counted.popitem(last=False)
    return counts


def _names(rules: Iterable[Rule]) -> list[str]:
    return [rule.domain for rule in rules if rule.enabled and rule.domain is not None]
