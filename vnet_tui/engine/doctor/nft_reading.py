"""From what nft lists (libnftables-json(5)) to tables on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vnet_tui.engine.doctor.nft_matches import Sets, match
from vnet_tui.engine.doctor.packet import Packet
from vnet_tui.engine.doctor.tables import NEXT, Base, Chain, Kind, Match, Rule, Table, Verdict

_HANDLE = re.compile(r"^\s*(?P<rule>.*\S)\s+# handle (?P<handle>\d+)$")
_CHAIN = re.compile(r"^\s*chain (?P<name>\S+) \{")
_DEVICES = re.compile(r"^\s*type \S+ hook \S+ devices? (= \{)?(?P<names>[^}]*?)\}? priority ")

_PLAIN = {
    "accept": Kind.ACCEPT,
    "drop": Kind.DROP,
    "reject": Kind.DROP,
    "return": Kind.RETURN,
    "dnat": Kind.TRANSLATE,
    "redirect": Kind.TRANSLATE,
    "snat": Kind.ACCEPT,
    "masquerade": Kind.ACCEPT,
    "queue": Kind.DOUBT,
    "tproxy": Kind.DOUBT,
    "synproxy": Kind.DOUBT,
    "continue": Kind.NEXT,
    "fwd": Kind.DROP,
}

_HARMLESS = frozenset(
    ("counter", "log", "comment", "notrack", "set", "map", "flow", "dup", "nftrace", "last")
)
"""Statements that let a packet go on as it is."""

_XT_HARMLESS = frozenset({"LOG", "NFLOG", "CHECKSUM", "TCPMSS", "comment", "CT", "TRACE"})


def read_nft_table(objects: Sequence[Mapping[str, Any]], text: str) -> Table:
    """One table from its listing as JSON; ``text`` is the same as nft prints it with handles,
    for what its rules say."""
    texts, devices = _texts(text), _devices(text)
    family = name = ""
    owned = False
    sets: Sets = {}
    bases: dict[str, Base | None] = {}
    rules: dict[str, list[Rule]] = {}
    for kind, value in _items(objects):
        if kind == "table":
            family, name = value["family"], value["name"]
            owned = "owner" in value.get("flags", ())
        elif kind in ("set", "map"):
            sets[value["name"]] = value
        elif kind == "chain":
            bases[value["name"]] = _base(value, devices.get(value["name"], frozenset()))
    for kind, value in _items(objects):
        if kind == "rule":
            words = texts.get((value["chain"], value.get("handle", 0)), "a rule without text")
            rules.setdefault(value["chain"], []).extend(_rules(value["expr"], words, sets))
    chains = {chain: Chain(tuple(rules.get(chain, ())), base) for chain, base in bases.items()}
    return Table(family, name, "nft", chains, owned)


def _items(objects: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in objects:
        yield from one.items()


def _texts(listing: str) -> dict[tuple[str, int], str]:
    """The rules of a listing by chain and handle."""
    found: dict[tuple[str, int], str] = {}
    chain = ""
    for line in listing.splitlines():
        if opened := _CHAIN.match(line):
            chain = opened["name"]
        elif rule := _HANDLE.match(line):
            words = re.sub(r"counter packets \d+ bytes \d+", "counter", rule["rule"])
            found[chain, int(rule["handle"])] = words
    return found


def _devices(listing: str) -> dict[str, frozenset[str]]:
    """The interfaces that chains hang at, which nft tells as JSON since 1.0.7 only."""
    found: dict[str, frozenset[str]] = {}
    chain = ""
    for line in listing.splitlines():
        if opened := _CHAIN.match(line):
            chain = opened["name"]
        elif hook := _DEVICES.match(line):
            names = hook["names"].replace(",", " ").split()
            found[chain] = frozenset(name.strip('"') for name in names)
    return found


def _base(chain: Mapping[str, Any], devices: frozenset[str]) -> Base | None:
    if "hook" not in chain:
        return None
    policy = Kind.DROP if chain.get("policy") == "drop" else Kind.ACCEPT
    return Base(chain["type"], chain["hook"], int(chain["prio"]), policy, devices)


def _rules(expressions: Sequence[Any], text: str, sets: Sets) -> Iterator[Rule]:
    """One rule of nft's as rules with one verdict each: a verdict map is a rule an element."""
    matches: list[Match] = []
    for expression in expressions:
        kind, value = _statement(expression)
        if kind == "vmap":
            for key, verdict in _elements(value["data"], sets):
                equal = match("==", value["key"], key, sets)
                yield Rule(text, (*matches, equal), _verdict(verdict))
        elif kind == "match":
            matches.append(match(value["op"], value["left"], value["right"], sets))
        elif kind == "limit":
            matches.append(_limit(bool(value.get("inv")) if isinstance(value, dict) else None))
        elif kind == "mangle":
            if _is_mark(value["key"]):
                mark = value["value"]
                verdict = Verdict(Kind.MARK, value=mark if isinstance(mark, int) else None)
                yield Rule(text, tuple(matches), verdict)
        elif kind == "xt":
            taken = _xt(value)
            if isinstance(taken, Verdict):
                if taken is not NEXT:
                    yield Rule(text, tuple(matches), taken)
                    return
            else:
                matches.append(taken)
        elif kind in ("jump", "goto"):
            yield Rule(text, tuple(matches), Verdict(Kind(kind), value["target"]))
            return
        elif kind in _PLAIN:
            yield Rule(text, tuple(matches), Verdict(_PLAIN[kind]))
            return
        elif not kind:  # such as a jump to a chain without a name
            yield Rule(text, tuple(matches), Verdict(Kind.DOUBT))
            return
        elif kind not in _HARMLESS:
            matches.append(_unknown)


def _statement(expression: Any) -> tuple[str, Any]:
    """A statement's kind and what belongs to it; no kind where nft couldn't tell it as JSON."""
    if isinstance(expression, dict) and len(expression) == 1:
        kind, value = next(iter(expression.items()))
        return str(kind), value
    return "", None


def _elements(data: Any, sets: Sets) -> Iterator[tuple[Any, Any]]:
    """The keys and values of a map, with or without a name."""
    if isinstance(data, str):
        found = sets.get(data.removeprefix("@"), {}).get("elem", [])
    else:
        found = data["set"]
    for key, value in found:
        yield key["elem"]["val"] if isinstance(key, dict) and "elem" in key else key, value


def _verdict(value: Any) -> Verdict:
    kind, inside = next(iter(value.items()))
    if kind in ("jump", "goto"):
        return Verdict(Kind(kind), inside["target"])
    return Verdict(_PLAIN.get(kind, Kind.DOUBT))


def _limit(over: bool | None) -> Match:
    """A limit lets pass the packet on paper, which is the first of its kind."""
    if over is None:
        return _unknown
    return lambda _packet: not over


def _is_mark(key: Any) -> bool:
    return isinstance(key, dict) and key.get("meta", {}).get("key") == "mark"


def _xt(value: Any) -> Match | Verdict:
    """A part that was made by iptables and that nft can't translate."""
    name = value.get("name", "") if isinstance(value, dict) else ""
    if name in _XT_HARMLESS:
        return NEXT
    if isinstance(value, dict) and value.get("type") == "target":
        known = {"REJECT": Kind.DROP, "MASQUERADE": Kind.ACCEPT, "DNAT": Kind.TRANSLATE}
        if name == "MARK":
            return Verdict(Kind.MARK)
        return Verdict(known.get(name, Kind.DOUBT))
    return _unknown


def _unknown(_packet: Packet) -> bool | None:
    return None
