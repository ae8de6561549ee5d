"""What legacy tables and sets have counted, sorted by network, rule and guest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from vnet_tui.engine.drivers.firewall.iptables.sets import Sets
from vnet_tui.engine.drivers.firewall.iptables.tables import FoundTable
from vnet_tui.engine.model import Address
from vnet_tui.engine.rule_counters import NOTHING, Count, Counters, GuestCount, NetworkCounters


def counters(
    tables: Iterable[FoundTable], networks: Mapping[str, UUID], sets: Sets | None
) -> Counters:
    """Of these networks, by the digits in the names of their chains; without ``sets`` nothing of
    guests."""
    rules: dict[str, dict[str, Count]] = {part: {} for part in networks}
    for table in tables:
        for (part, key), tally in table.counts().items():
            if part in rules:
                rules[part][key] = rules[part].get(key, NOTHING) + Count(*tally)
    guests: dict[str, dict[Address, GuestCount]] = {part: {} for part in networks}
    for one in sets.ours() if sets is not None else ():
        own = guests.get(one.network)
        if sets is not None and own is not None:
            for address, count in sets.counts(one).items():
                was = own.get(address, GuestCount())
                own[address] = replace(was, out=count) if one.sent else replace(was, into=count)
    return Counters(
        networks={
            uuid: NetworkCounters(rules=rules[part], guests=guests[part])
            for part, uuid in networks.items()
        }
    )
