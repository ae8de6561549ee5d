"""The commands that open what somebody else's table closes, each tried on paper first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from vnet_tui.engine.doctor.findings import Command
from vnet_tui.engine.doctor.journeys import Arrival, Journey, travel
from vnet_tui.engine.doctor.packet import Layer, Packet
from vnet_tui.engine.doctor.tables import Kind, Match, Place, Rule, Table, Verdict

_MOST = 8
"""Commands that one journey may need: there and back through four tables."""

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*-[A-Za-z0-9_.-]*")
"""Names that nft takes without quotes: none of its keywords looks so."""

_DOCKER = "DOCKER-USER"
_FIREWALLD = {"input": "filter_INPUT_ZONES", "forward": "filter_FORWARD_ZONES"}

_DISCOVERY = {
    "nd-router-solicit": "router-solicitation",
    "nd-router-advert": "router-advertisement",
    "nd-neighbor-solicit": "neighbour-solicitation",
    "nd-neighbor-advert": "neighbour-advertisement",
}
"""nft's words for the messages of neighbour discovery, and those of iptables and ebtables."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A command, and what it does: a rule before all others of a chain."""

    command: Command
    chain: str
    rule: Rule


def remedy(
    journey: Journey, tables: Sequence[Table], bridge: str, programs: Collection[str] = ()
) -> tuple[Command, ...]:
    """Commands after which a journey comes to its end, in order; none where they aren't known.

    Whatever they let pass in FORWARD chains is still judged by the network's own policy; towards
    the host itself they open no more than what was stopped.
    """
    commands: list[Command] = []
    now = list(tables)
    for _ in range(_MOST):
        arrival = travel(journey, now)
        if not arrival.blocked:
            return tuple(commands)
        opened = _open(journey, arrival, now, bridge, programs)
        if opened is None:
            return ()
        change, now = opened
        commands.append(change.command)
    return ()


def _open(
    journey: Journey,
    arrival: Arrival,
    tables: list[Table],
    bridge: str,
    programs: Collection[str],
) -> tuple[_Change, list[Table]] | None:
    """The first change after which the place that stops a journey stops it no longer."""
    if arrival.stop is None or arrival.stage is None:
        return None
    place, stage = arrival.stop.place, arrival.stage
    packet, low = stage.packet, stage.packet.layer is not Layer.IP
    if place.table not in tables:
        return None
    beside = stage.hook in ("prerouting", "postrouting")
    device = (packet.iif or packet.oif) if low else bridge
    narrow = stage.hook != "forward" and not ((low or beside) and _is_forwarded(journey))
    if not low and beside and bridge not in (packet.iif, packet.oif):
        # Before the host knows where a packet goes: no more than the port that it asks for.
        device, narrow = packet.iif, True
        if stage.hook != "prerouting" or packet.reply or not packet.dport:
            return None
    number = tables.index(place.table)
    for change in _candidates(place, stage.hook, packet, device, programs, narrow=narrow):
        after = [*tables]
        after[number] = place.table.with_first(change.chain, change.rule)
        then = travel(journey, after)
        if then.stage != stage or then.stop is None or then.stop.place.base != place.base:
            return change, after
    return None


def _candidates(
    place: Place,
    hook: str,
    packet: Packet,
    bridge: str,
    programs: Collection[str],
    *,
    narrow: bool,
) -> Iterator[_Change]:
    """``bridge`` is the interface that the packet comes or goes by; ``narrow``: no more than what
    was stopped."""
    table = place.table
    if bridge not in (packet.iif, packet.oif):
        return
    going = packet.iif == bridge and not (hook == "postrouting" and packet.oif == bridge)
    rule = Rule("", (_matching(bridge, packet, going=going, narrow=narrow),), Verdict(Kind.ACCEPT))
    if table.by_nft:
        yield from _by_nft(place, hook, packet, bridge, rule, programs, going=going, narrow=narrow)
        return
    option = ["-i" if going else "-o", bridge]
    if going and hook == "postrouting":
        return  # iptables(8) on -i: there it isn't known any more
    if table.family == "bridge":
        where = [] if table.name == "filter" else ["-t", table.name]
        asked = _asked_ebtables(packet, narrow=narrow)
        command = (table.tool, *where, "-I", place.base, *option, *asked, "-j", "ACCEPT")
        yield _Change(command, place.base, rule)
        return
    ask = _asked_iptables(packet) if narrow else []
    ufw = f"ufw{'' if packet.version == 4 else '6'}-before-{hook}"
    if ufw in table.chains:
        if "ufw" in programs and (hook == "forward" or packet.dport):
            yield _Change(_ufw(hook, packet, bridge, going=going), ufw, rule)
        chains = [ufw, place.base]
    else:
        chains = [_DOCKER, place.base] if hook == "forward" else [place.base]
    for chain in chains:
        if chain in table.chains:
            where = [] if table.name == "filter" else ["-t", table.name]
            command = (table.tool, *where, "-I", chain, *option, *ask, "-j", "ACCEPT")
            yield _Change(command, chain, rule)


def _by_nft(
    place: Place,
    hook: str,
    packet: Packet,
    bridge: str,
    rule: Rule,
    programs: Collection[str],
    *,
    going: bool,
    narrow: bool,
) -> Iterator[_Change]:
    table = place.table
    zones = _FIREWALLD.get(hook, "")
    if table.name == "firewalld" and "firewall-cmd" in programs and going and zones in table.chains:
        command = ("firewall-cmd", "--zone=trusted", f"--add-interface={bridge}")
        every = (_matching(bridge, packet, going=True, narrow=False),)
        yield _Change(command, zones, replace(rule, matches=every))
    if table.owned:
        return
    ask = _asked_nft(packet) if narrow and packet.protocol != "arp" else _kind_nft(packet)
    name = bridge if _PLAIN_NAME.fullmatch(bridge) else f'"{bridge}"'
    side = "iifname" if going else "oifname"
    where = ("nft", "insert", "rule", table.family, table.name, place.base)
    yield _Change((*where, side, name, *ask, "accept"), place.base, rule)


def _matching(bridge: str, packet: Packet, *, going: bool, narrow: bool) -> Match:
    """What the new rule will match, as narrow as its command."""

    low = packet.layer is not Layer.IP

    def matches(other: Packet) -> bool | None:
        if (other.iif if going else other.oif) != bridge:
            return False
        if low and _kind(other) != _kind(packet):
            return False
        if not narrow:
            return True
        return (
            other.protocol == packet.protocol
            and (not packet.dport or packet.reply or other.dport == packet.dport)
            and (not packet.reply or other.sport == packet.sport)
            and other.icmp_type == packet.icmp_type
        )

    return matches


def _is_forwarded(journey: Journey) -> bool:
    """Whether the host passes it on, by rules of its own for it."""
    return any(
        stage.hook == "forward" and stage.packet.layer is Layer.IP for stage in journey.stages
    )


def _kind(packet: Packet) -> str:
    """What kind of frame carries it, in nft's words."""
    return "arp" if packet.protocol == "arp" else {4: "ip", 6: "ip6"}[packet.version]


def _kind_nft(packet: Packet) -> list[str]:
    """The kind of frame, where others than IP packets come by."""
    if packet.layer is Layer.BRIDGE:
        return ["ether", "type", _kind(packet)]
    return ["meta", "protocol", _kind(packet)] if packet.layer is Layer.DEVICE else []


def _asked_ebtables(packet: Packet, *, narrow: bool) -> list[str]:
    """The same in the words of ebtables(8)."""
    kind = _kind(packet)
    ask = ["-p", {"arp": "ARP", "ip": "IPv4", "ip6": "IPv6"}[kind]]
    if not narrow or kind == "arp":
        return ask
    if packet.protocol in ("tcp", "udp"):
        which, port = _port(packet)
        return [*ask, f"--{kind}-proto", packet.protocol, f"--{kind}-{which}", str(port)]
    if packet.protocol == "icmpv6":
        named = _DISCOVERY.get(packet.icmp_type, packet.icmp_type)
        return [*ask, "--ip6-proto", "ipv6-icmp", "--ip6-icmp-type", named]
    return [*ask, "--ip-proto", packet.protocol]


def _port(packet: Packet) -> tuple[str, int]:
    """Which of the ports tells what a packet is about."""
    return ("sport", packet.sport) if packet.reply else ("dport", packet.dport)


def _asked_iptables(packet: Packet) -> list[str]:
    """What is asked of the host, in iptables' words."""
    if packet.protocol in ("tcp", "udp"):
        which, port = _port(packet)
        return ["-p", packet.protocol, f"--{which}", str(port)]
    kind = _DISCOVERY.get(packet.icmp_type, packet.icmp_type)
    if packet.protocol == "icmpv6":
        return ["-p", "icmpv6", "--icmpv6-type", kind]
    return ["-p", "icmp", "--icmp-type", kind]


def _asked_nft(packet: Packet) -> list[str]:
    """What is asked of the host, in nft's words."""
    if packet.protocol in ("tcp", "udp"):
        which, port = _port(packet)
        return [packet.protocol, which, str(port)]
    return [packet.protocol, "type", packet.icmp_type]


def _ufw(hook: str, packet: Packet, bridge: str, *, going: bool) -> Command:
    """ufw's own command (ufw(8)), which it keeps over its restarts."""
    way = "in" if going else "out"
    if hook == "forward":
        return ("ufw", "route", "allow", way, "on", bridge)
    ends = ("from" if packet.reply else "to", "any", "port", str(_port(packet)[1]))
    return ("ufw", "allow", way, "on", bridge, *ends, "proto", packet.protocol)
