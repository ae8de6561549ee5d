"""Rules of ebtables(8) on paper, from what its save command prints."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Container, Iterator, Mapping
from ipaddress import ip_network

from vnet_tui.engine.doctor.packet import Packet
from vnet_tui.engine.doctor.save_options import Option, options_of
from vnet_tui.engine.doctor.tables import NEXT, Kind, Match, Rule, Verdict
from vnet_tui.engine.doctor.values import interface_test, negated
from vnet_tui.engine.model import Address

_TARGETS = {
    "ACCEPT": Kind.ACCEPT,
    "DROP": Kind.DROP,
    "RETURN": Kind.RETURN,
    "CONTINUE": Kind.NEXT,
}

_WATCHERS = ("--log", "--nflog", "--ulog", "--limit")
"""How options begin that keep no packet from matching, the first of its kind."""

_ICMP6 = {
    "router-solicitation": "nd-router-solicit",
    "router-advertisement": "nd-router-advert",
    "neighbour-solicitation": "nd-neighbor-solicit",
    "neighbour-advertisement": "nd-neighbor-advert",
}


def bridge_rule(line: str, chains: Container[str]) -> Rule:
    """One line that begins with ``-A``; ``chains`` are those that it can jump to."""
    try:
        words = _turned_first(shlex.split(line)[2:])
    except ValueError:
        return Rule(line, (), Verdict(Kind.DOUBT))
    options = list(options_of(words))
    target = next((at for at, one in enumerate(options) if one.name == "-j"), len(options))
    return Rule(line, tuple(_matches(options[:target])), _verdict(options[target:], chains))


def _turned_first(words: list[str]) -> list[str]:
    """``-s ! MAC`` as other tools write it: ``! -s MAC``."""
    turned = [*words]
    for at in range(len(turned) - 1):
        if turned[at].startswith("-") and turned[at + 1] == "!":
            turned[at], turned[at + 1] = turned[at + 1], turned[at]
    return turned


def _verdict(options: list[Option], chains: Container[str]) -> Verdict:
    if not options:
        return NEXT
    target = options[0].values[0] if options[0].values else ""
    if target in chains:
        return Verdict(Kind.JUMP, target)
    if target == "mark":
        after = next((one.values[0] for one in options if one.name == "--mark-target"), "ACCEPT")
        # A mark that is continued with isn't followed: what depends on it is in doubt.
        return Verdict(Kind.MARK) if after == "CONTINUE" else _ended(after)
    return _ended(target)


def _ended(target: str) -> Verdict:
    return Verdict(_TARGETS.get(target, Kind.DOUBT))


def _matches(options: list[Option]) -> Iterator[Match]:
    for option in options:
        if option.name.startswith(_WATCHERS):
            continue
        make = _MAKE.get(option.name, _unknown)
        try:
            match = make(option.values[0] if option.values else "")
        except ValueError:
            match = _unknown("")
        yield _negated(match) if option.negated else match


def _negated(match: Match) -> Match:
    return lambda packet: negated(match(packet))


Make = Callable[[str], Match]


def _unknown(_value: str) -> Match:
    return lambda _packet: None


def _kind(value: str) -> Match:
    """The kind of frame, by name or number."""
    wanted = {"ipv4": "ip", "0800": "ip", "ipv6": "ip6", "86dd": "ip6", "arp": "arp", "0806": "arp"}
    kind = wanted.get(value.lower().removeprefix("0x"), "other")

    def match(packet: Packet) -> bool | None:
        has = "arp" if packet.protocol == "arp" else {4: "ip", 6: "ip6"}[packet.version]
        return has == kind

    return match


def _interface(which: Callable[[Packet], str]) -> Make:
    def make(value: str) -> Match:
        test = interface_test(value, wildcard="+")
        return lambda packet: test(which(packet))

    return make


def _hardware(value: str) -> Match:
    """Which hardware address is a guest's isn't known, but whether a frame is for everybody."""
    if value.lower() in ("broadcast", "ff:ff:ff:ff:ff:ff"):
        return lambda packet: packet.target_type == "broadcast"
    return lambda packet: False if packet.target_type == "broadcast" else None


def _address(which: Callable[[Packet], Address], *, arp: bool = False) -> Make:
    def make(value: str) -> Match:
        subnet = ip_network(value, strict=False)
        return lambda packet: (packet.protocol == "arp") is arp and which(packet) in subnet

    return make


def _protocol(value: str) -> Match:
    names = {"ipv6-icmp": "icmpv6", "1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
    wanted = names.get(value, value)
    return lambda packet: packet.protocol == wanted


def _port(which: Callable[[Packet], int]) -> Make:
    def make(value: str) -> Match:
        first, colon, last = value.partition(":")
        ports = range(int(first or 0), int(last or 65535 if colon else first) + 1)
        return lambda packet: packet.protocol in ("tcp", "udp") and which(packet) in ports

    return make


def _icmp6(value: str) -> Match:
    wanted = _ICMP6.get(value, value)
    return lambda packet: packet.protocol == "icmpv6" and packet.icmp_type == wanted


def _operation(value: str) -> Match:
    wanted = {"request": False, "1": False, "reply": True, "2": True}.get(value.lower())
    if wanted is None:
        return lambda _packet: False
    return lambda packet: packet.protocol == "arp" and packet.reply is wanted


_MAKE: Mapping[str, Make] = {
    "-p": _kind,
    "-i": _interface(lambda packet: packet.iif),
    "-o": _interface(lambda packet: packet.oif),
    "--logical-in": _interface(lambda packet: packet.bridge if packet.iif else ""),
    "--logical-out": _interface(lambda packet: packet.bridge if packet.oif else ""),
    "-d": _hardware,
    "--ip-src": _address(lambda packet: packet.source),
    "--ip-dst": _address(lambda packet: packet.target),
    "--ip6-src": _address(lambda packet: packet.source),
    "--ip6-dst": _address(lambda packet: packet.target),
    "--arp-ip-src": _address(lambda packet: packet.source, arp=True),
    "--arp-ip-dst": _address(lambda packet: packet.target, arp=True),
    "--ip-proto": _protocol,
    "--ip6-proto": _protocol,
    "--ip-sport": _port(lambda packet: packet.sport),
    "--ip-dport": _port(lambda packet: packet.dport),
    "--ip6-sport": _port(lambda packet: packet.sport),
    "--ip6-dport": _port(lambda packet: packet.dport),
    "--ip6-icmp-type": _icmp6,
    "--arp-op": _operation,
}
