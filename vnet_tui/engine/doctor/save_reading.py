"""From what iptables-save(8) prints to tables on paper; of the legacy tools and of those on nft."""

from __future__ import annotations

import re
import shlex
from collections.abc import Container, Iterator, Mapping

from vnet_tui.engine.doctor.ebtables_reading import bridge_rule
from vnet_tui.engine.doctor.ipsets import Sets
from vnet_tui.engine.doctor.save_matches import matches
from vnet_tui.engine.doctor.save_options import Option, options_of
from vnet_tui.engine.doctor.tables import NEXT, Base, Chain, Kind, Rule, Table, Verdict

_PRIORITIES = {
    "raw": {"PREROUTING": -300, "OUTPUT": -300},
    "mangle": dict.fromkeys(("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"), -150),
    "nat": {"PREROUTING": -100, "OUTPUT": -100, "INPUT": 100, "POSTROUTING": 100},
    "filter": dict.fromkeys(("INPUT", "FORWARD", "OUTPUT"), 0),
    "security": dict.fromkeys(("INPUT", "FORWARD", "OUTPUT"), 50),
}
"""Where the built-in chains hang (include/uapi/linux/netfilter_ipv4.h)."""

_BRIDGE_PRIORITIES = {
    "filter": {"INPUT": -200, "FORWARD": -200, "OUTPUT": 200},
    "nat": {"PREROUTING": -300, "OUTPUT": 100, "POSTROUTING": 300},
}
"""The same for ebtables (include/uapi/linux/netfilter_bridge.h)."""

_TARGETS = {
    "ACCEPT": Kind.ACCEPT,
    "DROP": Kind.DROP,
    "REJECT": Kind.DROP,
    "RETURN": Kind.RETURN,
    "DNAT": Kind.TRANSLATE,
    "REDIRECT": Kind.TRANSLATE,
    "NETMAP": Kind.TRANSLATE,
    "MASQUERADE": Kind.ACCEPT,
    "SNAT": Kind.ACCEPT,
    **dict.fromkeys(
        ("LOG", "NFLOG", "ULOG", "TRACE", "AUDIT", "TEE", "LED", "IDLETIMER", "RATEEST"),
        Kind.NEXT,
    ),
    **dict.fromkeys(
        ("CHECKSUM", "CLASSIFY", "TCPMSS", "TCPOPTSTRIP", "TTL", "HL", "TOS", "DSCP", "CT"),
        Kind.NEXT,
    ),
    **dict.fromkeys(
        ("NOTRACK", "SET", "CONNMARK", "SECMARK", "CONNSECMARK"),
        Kind.NEXT,
    ),
}

_INCOMPATIBLE = re.compile(r"^# Table `(?P<table>[^']+)' ", re.MULTILINE)
_MARK_ALL = "0xffffffff"


def read_save(text: str, version: int, tool: str, sets: Sets) -> tuple[Table, ...]:
    """The tables that a save command printed, for ``version`` 4 or 6, or 0 for bridges; ``tool``
    is the program that changes them, ``sets`` what rules can match against. Tables that it says
    only nft can tell are left out."""
    family = {4: "ip", 6: "ip6", 0: "bridge"}[version]
    left_out = {
        found["table"] for line in text.splitlines() if (found := _INCOMPATIBLE.match(line))
    }
    return tuple(
        _table(name, lines, family, tool, sets)
        for name, lines in _sections(text)
        if name not in left_out
    )


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    name, lines = "", list[str]()
    for line in text.splitlines():
        if line.startswith("*") or line == "COMMIT":  # ebtables writes no COMMIT
            if name:
                yield name, lines
            name, lines = line[1:].strip() if line.startswith("*") else "", []
        elif name:
            lines.append(line)
    if name:
        yield name, lines


def _table(name: str, lines: list[str], family: str, tool: str, sets: Sets) -> Table:
    bases: dict[str, Base | None] = {}
    rules: dict[str, list[Rule]] = {}
    ends: dict[str, Rule] = {}
    bridged = family == "bridge"
    for line in lines:
        if line.startswith(":"):
            chain, policy, *_ = line[1:].split()
            if bridged and chain not in _BRIDGE_PRIORITIES.get(name, {}):
                bases[chain] = None
                ends[chain] = Rule(line, (), Verdict(_TARGETS.get(policy, Kind.DOUBT)))
            else:
                priorities = _BRIDGE_PRIORITIES if bridged else _PRIORITIES
                bases[chain] = _base(name, chain, policy, priorities)
    for line in lines:
        if line.startswith("-A "):
            found = rules.setdefault(line.split()[1], [])
            made = bridge_rule(line, bases) if bridged else _rule(line, bases, sets)
            found.append(made)
    for chain, end in ends.items():
        rules.setdefault(chain, []).append(end)
    chains = {chain: Chain(tuple(rules.get(chain, ())), base) for chain, base in bases.items()}
    return Table(family, name, tool, chains)


def _base(
    table: str, chain: str, policy: str, priorities: Mapping[str, Mapping[str, int]]
) -> Base | None:
    if policy == "-":
        return None
    priority = priorities.get(table, {}).get(chain, 0)
    kind = Kind.DROP if policy == "DROP" else Kind.ACCEPT
    return Base("nat" if table == "nat" else "filter", chain.lower(), priority, kind)


def _rule(line: str, chains: Container[str], sets: Sets) -> Rule:
    try:
        words = shlex.split(line)[2:]
    except ValueError:
        return Rule(line, (), Verdict(Kind.DOUBT))
    options = list(options_of(words))
    target = next((at for at, one in enumerate(options) if one.name in ("-j", "-g")), len(options))
    verdict = _verdict(options[target:], chains)
    return Rule(line, tuple(matches(options[:target], sets)), verdict)


def _verdict(options: list[Option], chains: Container[str]) -> Verdict:
    """What the target says; the options after it are its own."""
    if not options:
        return NEXT
    target = options[0].values[0] if options[0].values else ""
    if target in chains:
        return Verdict(Kind.GOTO if options[0].name == "-g" else Kind.JUMP, target)
    if target == "MARK":
        return Verdict(Kind.MARK, value=_mark(options[1:]))
    return Verdict(_TARGETS.get(target, Kind.DOUBT))


def _mark(options: list[Option]) -> int | None:
    """The mark that is set, where all of its bits are."""
    for option in options:
        if option.name == "--set-xmark" and option.values:
            value, _, mask = option.values[0].partition("/")
            if mask.lower() == _MARK_ALL:
                return int(value, 0)
    return None
