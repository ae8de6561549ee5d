"""From rules of networks to the tables of one address family.

``filter``: ``VNET-GUARD`` keeps guests from the host's loopback addresses; ``VNET-FORWARD``, first
in FORWARD, leads established connections past the policies (to ``VNET-EST``, where any network
ends some) and asks of others

- ``VNET-OUT-ID``, by the bridge that a packet came from: what guests open beyond their network;
- ``VNET-IN-ID``, by the bridge that it goes to: what reaches guests from beyond it.

Both lead to ``VNET-REFOUT-ID`` and ``VNET-REFIN-ID``, where what is denied is told of and refused,
or return: then ``VNET-COUNT`` counts what guests send and get, and FORWARD goes on.

``nat``: ``VNET-HOST`` leads ports of the host's own addresses to ``VNET-DNAT-ID``;
``VNET-HAIRPIN`` to ``VNET-HAIR-ID``, which lets replies come back through the host; ``VNET-POST``
to ``VNET-NAT-ID``, which masquerades. All of them see the first packet of a connection only.

Policies see a connection as it reaches the guest, after translation.
"""

from __future__ import annotations

from dataclasses import dataclass

from vnet_tui.engine.drivers.firewall.iptables.network import ALL, Abilities, compiling
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    NOTHING,
    Table,
)
from vnet_tui.engine.drivers.firewall.iptables.sets import GuestSet
from vnet_tui.engine.drivers.firewall.iptables.shared import shared_filter, shared_nat
from vnet_tui.engine.resources import Ruleset


@dataclass(frozen=True, slots=True)
class Compiled:
    """Both tables of one address family, and the sets that they use."""

    filter: Table = NOTHING
    nat: Table = NOTHING
    sets: tuple[GuestSet, ...] = ()

    def table(self, name: str) -> Table:
        """``filter`` or ``nat``."""
        return self.filter if name == "filter" else self.nat


def compile_tables(ruleset: Ruleset, family: int, abilities: Abilities = ALL) -> Compiled:
    """The tables for a ruleset; empty ones when there is no network."""
    networks = ruleset.networks
    if not networks:
        return Compiled()
    one = compiling(family, abilities)
    parts = [one(networks[uuid]) for uuid in sorted(networks)]
    marked = {part.digits: uuid for part, uuid in zip(parts, sorted(networks), strict=True)}
    filters, nats = shared_filter(parts, family), shared_nat(parts, family)
    for part in parts:
        filters.chains.update(part.filter)
        nats.chains.update(part.nat)
    return Compiled(
        filter=Table(filters.chains, filters.hooks, marked),
        nat=Table(nats.chains, nats.hooks, marked),
        sets=tuple(one for part in parts for one in part.sets),
    )
