"""What the table has counted, sorted by network, rule and guest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from uuid import UUID

from vnet_tui.engine.drivers.firewall.chains import tally
from vnet_tui.engine.drivers.firewall.nft_dump import Element, TableReader
from vnet_tui.engine.drivers.firewall.transaction import Counted, counted
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
_TALLY = re.compile(tally("([0-9a-f]{32})", "(.+)"))


def rule_counts(reader: TableReader, names: Iterable[str]) -> dict[Counted, Count]:
    """What the elements of these sets have counted, by network and rule."""
    found: dict[Counted, Count] = {}
    for name in names:
        if (of := _RULES.fullmatch(name)) is not None:
            _add(found, of[1], reader.elements(name))
    return found


def counters(reader: TableReader, names: Iterable[str]) -> Counters:
    """Everything that was counted, ``names`` being all sets of the table."""
    names = tuple(names)
    rules: dict[str, dict[str, Count]] = {}
    for (network, key), count in rule_counts(reader, names).items():
        rules.setdefault(network, {})[key] = count
    for name, count in reader.counters():
        if (of := _TALLY.fullmatch(name)) is not None:
            own = rules.setdefault(of[1], {})
            own[of[2]] = own.get(of[2], NOTHING) + count
    guests: dict[str, dict[Address, dict[str, Count]]] = {}
    for name in names:
        if (of := _GUESTS.fullmatch(name)) is not None:
            own_guests = guests.setdefault(of["network"], {})
            for element in reader.elements(name):
                own_guests.setdefault(ip_address(element.key), {})[of["kind"]] = element.count
    return Counters(
        networks={
            UUID(network): NetworkCounters(
                rules=rules.get(network, {}), guests=_guests(guests.get(network, {}))
            )
            for network in sorted(rules.keys() | guests.keys())
        }
    )


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
