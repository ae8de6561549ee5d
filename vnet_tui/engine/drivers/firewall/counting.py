"""What the table has counted, sorted by network, rule and guest."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from uuid import UUID

from vnet_tui.engine.drivers.firewall.nft_dump import Element, TableReader
from vnet_tui.engine.drivers.firewall.tallies import Counted, counted, tallied
from vnet_tui.engine.model import Address
from vnet_tui.engine.rule_counters import (
    NOTHING,
    Count,
    Counters,
    GuestCount,
    NetworkCounters,
)

_RULES = re.compile(r"(?:in|out|cut_in|cut_out|back_in|back_out)_([0-9a-f]{32})_.*")
_GUESTS = re.compile(r"(?P<kind>sent|got)_(?P<network>[0-9a-f]{32})_[46]")


@dataclass(slots=True)
class OwnSets:
    """The names of one network's sets that count: rules, and guests by ``sent`` or ``got``."""

    rules: list[str] = field(default_factory=list)
    guests: list[tuple[str, str]] = field(default_factory=list)


_NO_SETS = OwnSets()

CountingSets = Mapping[UUID, OwnSets]


def counting_sets(names: Iterable[str]) -> CountingSets:
    """Those among a table's sets that count, by network."""
    found: dict[str, OwnSets] = {}
    for name in names:
        if (of := _RULES.fullmatch(name)) is not None:
            found.setdefault(of[1], OwnSets()).rules.append(name)
        elif (of := _GUESTS.fullmatch(name)) is not None:
            found.setdefault(of["network"], OwnSets()).guests.append((of["kind"], name))
    return {UUID(network): own for network, own in found.items()}


def rule_counts(reader: TableReader, names: Iterable[str]) -> dict[Counted, Count]:
    """What the elements of these sets have counted, by network and rule."""
    found: dict[Counted, Count] = {}
    for name in names:
        if (of := _RULES.fullmatch(name)) is not None:
            _add(found, of[1], reader.elements(name))
    return found


def counters(
    reader: TableReader, sets: CountingSets, networks: Collection[UUID] | None = None
) -> Counters:
    """Everything that these networks counted, ``sets`` being all that count; without names, all
    networks."""
    tallies: dict[UUID, dict[str, Count]] = {}
    for name, count in reader.counters():
        if (who := tallied(name)) is not None:
            tallies.setdefault(UUID(who[0]), {})[who[1]] = count
    counting = sets.keys() | tallies.keys()
    found = {}
    for network in sorted(counting if networks is None else counting & {*networks}):
        known, own = sets.get(network, _NO_SETS), tallies.get(network, {})
        for (_, key), count in rule_counts(reader, known.rules).items():
            own[key] = own.get(key, NOTHING) + count
        guests: dict[Address, dict[str, Count]] = {}
        for kind, name in known.guests:
            for element in reader.elements(name):
                guests.setdefault(ip_address(element.key), {})[kind] = element.count
        found[network] = NetworkCounters(rules=own, guests=_guests(guests))
    return Counters(networks=found)


def _add(found: dict[Counted, Count], network: str, elements: Iterable[Element]) -> None:
    for element in elements:
        who = (network, element.comment)
        known = found.get(who)
        found[who] = element.count if known is None else known + element.count


def _guests(found: Mapping[Address, Mapping[str, Count]]) -> dict[Address, GuestCount]:
    return {
        address: GuestCount(into=kinds.get("got", NOTHING), out=kinds.get("sent", NOTHING))
        for address, kinds in found.items()
    }


def tally_counts(reader: TableReader, names: Collection[str]) -> dict[Counted, Count]:
    """What counters of these names have counted, by network and rule."""
    if not names:
        return {}
    return {
        who: count
        for name, count in reader.counters()
        if name in names and (who := tallied(name)) is not None
    }


def lost_counts(reader: TableReader, lost: Mapping[str, Mapping[str, str]]) -> dict[Counted, Count]:
    """What these elements have counted: sets by name, in each elements with their comments."""
    found: dict[Counted, Count] = {}
    for name, elements in lost.items():
        counts = {element.key: element.count for element in reader.elements(name)}
        for words, comment in elements.items():
            count = counts.get(raw_key(words), NOTHING)
            if count != NOTHING:
                who = counted(name, comment)
                found[who] = found.get(who, NOTHING) + count
    return found


def raw_key(words: str) -> bytes:
    """An element's key as the kernel keeps it: fields padded to four bytes; of a range, where it
    begins."""
    return b"".join(map(_field, words.split(" . ")))


def _field(word: str) -> bytes:
    if word in _PROTOCOLS:
        return bytes((_PROTOCOLS[word], 0, 0, 0))
    if ":" in word or "." in word:
        return ip_address(word.partition("/")[0]).packed
    return int(word.partition("-")[0]).to_bytes(2, "big") + b"\0\0"


_PROTOCOLS = {"tcp": 6, "udp": 17}
