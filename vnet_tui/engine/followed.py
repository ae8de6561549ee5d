"""Which guests the rules of networks follow, and how many rules each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from vnet_tui.engine.census import Census
from vnet_tui.engine.model import Mode, Network, Rule

_guests: Census[Rule, str | None] = Census(lambda rule: rule.domain if rule.enabled else None)


def followed(network: Network) -> Mapping[str, int]:
    """The guests that rules name which aren't switched off, and by how many rules."""
    if network.mode is Mode.ISOLATED:
        return {}
    found: Counter[str] = Counter()
    for direction, policy in (("incoming", network.incoming), ("outgoing", network.outgoing)):
        named = _guests(policy.rules, (network.uuid, network.name, direction))
        found.update({guest: count for guest, count in named.items() if guest is not None})
    return found
