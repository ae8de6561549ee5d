"""The matches of iptables (iptables-extensions(8)) as questions to a packet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from vnet_tui.engine.doctor.ipsets import Sets, in_set
from vnet_tui.engine.doctor.packet import Packet
from vnet_tui.engine.doctor.save_options import Option
from vnet_tui.engine.doctor.tables import Match
from vnet_tui.engine.doctor.values import (
    Value,
    either,
    interface_test,
    negated,
    parsed,
    range_test,
    subnet_test,
)


def matches(options: Sequence[Option], sets: Sets) -> Iterator[Match]:
    """All that a rule asks for, before its target; ``sets`` are those that it may ask for."""
    module = ""
    for option in options:
        if option.name == "-m":
            module = option.values[0] if option.values else ""
            if module == "rpfilter":
                yield _rpfilter([one.name for one in options])
            elif module in _BY_NAME_ALONE:
                yield _unknown
        elif option.name not in _NOTHING and not (module == "rpfilter" and not option.values):
            yield _turned(_match(option, module, sets), option.negated)


def _match(option: Option, module: str, sets: Sets) -> Match:
    if module in _OTHER_HEADERS and option.name not in _MAKE:
        return lambda _packet: option.negated  # that header isn't there, turned round or not
    if not option.values:
        return _FLAGS.get(option.name, _unknown)
    make = _MAKE.get(f"{module} {option.name}") or _MAKE.get(option.name)
    try:
        if option.name == "--match-set":
            return in_set(sets, option.values)
        if make is None:
            return _unknown
        return make(option.values)
    except ValueError:
        return _unknown


def _turned(match: Match, turned: bool) -> Match:
    return (lambda packet: negated(match(packet))) if turned else match


def _unknown(_packet: Packet) -> bool | None:
    return None


def _rpfilter(names: Sequence[str]) -> Match:
    """Whether the host would answer by the interface that the packet came by."""
    if "--accept-local" in names:
        return _unknown
    return lambda packet: negated(packet.back) if "--invert" in names else packet.back


_BY_NAME_ALONE = frozenset({"socket", "bpf", "u32", "recent", "cluster"})
"""Modules that match, or may, without an option that would tell."""

_OTHER_HEADERS = frozenset(
    ("rt", "frag", "hbh", "dst", "mh", "ipv6header", "ah", "esp", "sctp", "dccp", "ipcomp")
)
"""Modules about headers that the packet on paper hasn't got."""

_NOTHING = frozenset(
    (
        "--comment",
        "--limit",
        "--limit-burst",
        "--hashlimit-upto",
        "--hashlimit-burst",
        "--hashlimit-mode",
        "--hashlimit-name",
        "--hashlimit-htable-expire",
        "--hashlimit-htable-size",
        "--hashlimit-htable-max",
        "--hashlimit-htable-gcinterval",
        "--hashlimit-srcmask",
        "--hashlimit-dstmask",
        "--connlimit-mask",
        "--connlimit-saddr",
    )
)
"""What the packet on paper, the first of its kind, always passes."""

Values = tuple[str, ...]
Make = Callable[[Values], Match]


def _interface(which: Callable[[Packet], str]) -> Make:
    def make(values: Values) -> Match:
        test = interface_test(values[0], wildcard="+")
        return lambda packet: test(which(packet))

    return make


def _address(which: Callable[[Packet], Value]) -> Make:
    def make(values: Values) -> Match:
        tests = [subnet_test(part) for part in values[0].split(",")]
        return lambda packet: either(test(which(packet)) for test in tests)

    return make


def _address_range(which: Callable[[Packet], Value]) -> Make:
    def make(values: Values) -> Match:
        first, _, last = values[0].partition("-")
        test = range_test(parsed(first), parsed(last or first))
        return lambda packet: test(which(packet))

    return make


def _ports(which: Callable[[Packet], tuple[int, ...]]) -> Make:
    def make(values: Values) -> Match:
        ranges = [_port_range(part) for part in values[0].split(",")]

        def match(packet: Packet) -> bool | None:
            if packet.protocol not in ("tcp", "udp"):
                return False
            return any(first <= port <= last for port in which(packet) for first, last in ranges)

        return match

    return make


def _port_range(text: str) -> tuple[int, int]:
    first, colon, last = text.partition(":")
    return int(first or 0), int(last or 65535) if colon else int(first)


def _protocol(values: Values) -> Match:
    names = {"ipv6-icmp": "icmpv6", "1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
    wanted = names.get(values[0], values[0])
    return lambda packet: wanted in ("all", "0") or packet.protocol == wanted


def _state(values: Values) -> Match:
    wanted = set(values[0].lower().split(","))

    def match(packet: Packet) -> bool | None:
        # conntrack's states hold two more, that tell of translation
        return packet.state in wanted or (packet.translated and "dnat" in wanted)

    return match


def _status(values: Values) -> Match:
    wanted = set(values[0].upper().split(","))
    # What a new connection isn't yet; the packet on paper was expected by nobody.
    later = {"EXPECTED", "SEEN_REPLY", "ASSURED"}
    return lambda packet: False if packet.state == "new" and wanted <= later else None


def _type(which: Callable[[Packet], str]) -> Make:
    def make(values: Values) -> Match:
        wanted = set(values[0].lower().split(","))
        return lambda packet: which(packet) in wanted

    return make


def _mark(values: Values) -> Match:
    value, slash, mask = values[0].partition("/")
    wanted, bits = int(value, 0), int(mask, 0) if slash else 0xFFFFFFFF
    return lambda packet: None if packet.mark is None else packet.mark & bits == wanted


def _connection_mark(values: Values) -> Match:
    """Nobody has marked a new connection yet."""
    value, slash, mask = values[0].partition("/")
    wanted, bits = int(value, 0), int(mask, 0) if slash else 0xFFFFFFFF
    return lambda packet: 0 & bits == wanted if packet.state == "new" else None


_ICMP_NUMBERS: Mapping[str, str] = {
    "0": "echo-reply",
    "3": "destination-unreachable",
    "8": "echo-request",
    "11": "time-exceeded",
    "128": "echo-request",
    "129": "echo-reply",
    "133": "nd-router-solicit",
    "134": "nd-router-advert",
    "135": "nd-neighbor-solicit",
    "136": "nd-neighbor-advert",
}


def _icmp_type(values: Values) -> Match:
    """Types are saved as numbers, with ``/code`` where one is asked for."""
    wanted = _ICMP_NUMBERS.get(values[0], values[0])
    if wanted == "any":
        return lambda packet: packet.protocol.startswith("icmp")
    return lambda packet: packet.icmp_type == wanted


def _packet_type(values: Values) -> Match:
    wanted = values[0]
    types = {"local": "unicast", "unicast": "unicast"}
    return lambda packet: types.get(packet.target_type, packet.target_type) == wanted


def _tcp_flags(values: Values) -> Match:
    """A packet that opens a connection has SYN only."""
    mask, wanted = (set(part.split(",")) - {"NONE"} for part in values)

    def match(packet: Packet) -> bool | None:
        if packet.protocol != "tcp":
            return False
        has = mask & {"SYN"} if "ALL" not in mask else {"SYN"}
        return has == wanted if packet.state == "new" else None

    return match


def _over(_values: Values) -> Match:
    """Above a rate: not the packet on paper, which is the first of its kind."""
    return lambda _packet: False


def _hop_limit(values: Values) -> Match:
    wanted = int(values[0])
    discovers = "nd-"  # RFC 4861, section 4: all its messages have a hop limit of 255
    return lambda packet: wanted == 255 if packet.icmp_type.startswith(discovers) else None


def _direction(values: Values) -> Match:
    return lambda packet: packet.reply is (values[0] == "REPLY")


_MAKE: Mapping[str, Make] = {
    "-i": _interface(lambda packet: packet.iif),
    "-o": _interface(lambda packet: packet.oif),
    "-s": _address(lambda packet: packet.source),
    "-d": _address(lambda packet: packet.target),
    "-p": _protocol,
    "--src-range": _address_range(lambda packet: packet.source),
    "--dst-range": _address_range(lambda packet: packet.target),
    "--sport": _ports(lambda packet: (packet.sport,)),
    "--dport": _ports(lambda packet: (packet.dport,)),
    "--sports": _ports(lambda packet: (packet.sport,)),
    "--dports": _ports(lambda packet: (packet.dport,)),
    "--ports": _ports(lambda packet: (packet.sport, packet.dport)),
    "--ctstate": _state,
    "--state": _state,
    "--ctstatus": _status,
    "--ctdir": _direction,
    "--ctorigdst": _address(lambda packet: packet.original_target),
    "--ctorigdstport": _ports(lambda packet: (packet.original_port,)),
    "--src-type": _type(lambda packet: packet.source_type),
    "--dst-type": _type(lambda packet: packet.target_type),
    "mark --mark": _mark,
    "connmark --mark": _connection_mark,
    "--icmp-type": _icmp_type,
    "--icmpv6-type": _icmp_type,
    "--pkt-type": _packet_type,
    "--tcp-flags": _tcp_flags,
    "--hashlimit-above": _over,
    "--connlimit-above": _over,
    "--hl-eq": _hop_limit,
}

_FLAGS: Mapping[str, Match] = {
    "--syn": lambda packet: packet.protocol == "tcp" and packet.state == "new",
    "-f": lambda _packet: False,
    "--physdev-is-bridged": lambda packet: bool(packet.iif) and packet.iif == packet.oif,
}
