"""What packets go through around IP: at interfaces, and on the bridge between its ports.

Chains of nft's families ``netdev`` and ``bridge``, of ``inet`` at the hook ingress, and of ebtables
are asked there, and see each guest at the port that it is plugged into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address

from vnet_tui.engine.doctor.host import SOMEWHERE
from vnet_tui.engine.doctor.journeys import Journey, Stage, answered, going_on
from vnet_tui.engine.doctor.packet import CLIENT_PORT, Layer, Packet
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.doctor.tables import Table
from vnet_tui.engine.doctor.ways import ARP, BRIDGED, UPLINK_ARP
from vnet_tui.engine.model import Address, Mode

_SOLICITED = int(ip_address("ff02::1:ff00:0"))  # RFC 4291, section 2.7.1
_WEB = 443


def matter(tables: Sequence[Table]) -> bool:
    """Whether anybody has chains there."""
    return any(
        table.family in ("arp", "bridge", "netdev")
        or any(chain.base is not None and chain.base.devices for chain in table.chains.values())
        for table in tables
    )


def ports(subject: Subject, bridge: str = "") -> tuple[str, ...]:
    """The ports of a bridge (of the network's own unless named), by name."""
    links = subject.host.links.links.values()
    return tuple(sorted(link.name for link in links if link.master == (bridge or subject.bridge)))


def at_ports(journey: Journey, at: Mapping[str, str]) -> Journey:
    """A journey of guests at these ports, one of each bridge."""
    first = journey.stages[0].packet
    answers = (one.packet for one in journey.stages if one.packet.reply and one.packet.iif)
    back = next(answers, None)
    stages: list[Stage] = []
    for stage in journey.stages:
        packet = stage.packet
        if stage.hook == "prerouting" and stage.from_the_start and packet.iif:
            stages += _arriving(packet, at.get(packet.iif))
        stages.append(stage)
        if stage.hook == "postrouting" and packet.oif:
            if packet.oif not in at:  # it leaves with the addresses that others know
                if packet.reply:
                    packet = replace(packet, source=first.target, sport=first.dport)
                elif back is not None:
                    packet = replace(packet, source=back.target)
            stages += _leaving(packet, at.get(packet.oif))
    return replace(journey, stages=tuple(stages))


def across(what: str, packet: Packet, bridge: str, port: str, other: str) -> Journey:
    """From the guest at a port to that at another, and back."""
    answer = _answer(packet) if packet.protocol == "arp" else answered(packet)
    there = _crossing(packet, bridge, port, other)
    return Journey(what, (*there, *_crossing(answer, bridge, other, port), *going_on(there)))


def pairs(at: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Each port and the next, so that every one is there both ways."""
    return tuple(zip(at, (*at[1:], at[0]), strict=True)) if len(at) > 1 else ()


def resolution(subject: Subject) -> Iterator[Journey]:
    """How guests and host find each other's hardware addresses for IPv4 (RFC 826), and how the
    host finds whoever is next on the way out."""
    guest, gateway = subject.first_guest(4), subject.gateway(4)
    if guest is None or gateway is None:
        return
    yield _resolving(ARP, subject.bridge, guest, gateway)
    uplink = subject.host.device(SOMEWHERE[4])
    own = subject.host.address_on(uplink, 4)
    if subject.network.rules.mode is not Mode.ISOLATED and own is not None:
        yield _resolving(UPLINK_ARP, uplink, SOMEWHERE[4], own)


def _resolving(what: str, device: str, other: Address, own: Address) -> Journey:
    """The other asks for the host's address, and the host for that of the other."""
    asked, asking = _question(other, own), _question(own, other)
    into = [replace(one, iif=device) for one in (asked, _answer(asking))]
    out = [replace(one, oif=device) for one in (_answer(asked), asking)]
    stages = [Stage(hook, one) for one in into for hook in ("prerouting", "input")]
    stages += [Stage(hook, one) for one in out for hook in ("output", "postrouting")]
    return Journey(what, tuple(stages), device)


def between_guests(subject: Subject) -> Iterator[tuple[str, Journey]]:
    """From the guest at each port to that at the next, and back; by the first of the two."""
    for port, other in pairs(ports(subject)):
        for asking in _bridged(subject):
            yield port, across(BRIDGED, asking, subject.bridge, port, other)


def _bridged(subject: Subject) -> Iterator[Packet]:
    for version in (4, 6):
        guest = subject.first_guest(version)
        if guest is None:
            continue
        yield _question(guest, guest + 1)
        yield Packet(protocol="tcp", source=guest, target=guest + 1, sport=CLIENT_PORT, dport=_WEB)


def _question(guest: Address, other: Address) -> Packet:
    """Who has this address: for IPv6 a neighbour solicitation (RFC 4861)."""
    if guest.version == 4:
        return Packet(
            protocol="arp", source=guest, target=other, target_type="broadcast", state="invalid"
        )
    return Packet(
        protocol="icmpv6",
        source=guest,
        target=ip_address(_SOLICITED + (int(other) & 0xFFFFFF)),
        icmp_type="nd-neighbor-solicit",
        target_type="multicast",
        state="untracked",
    )


def _answer(asking: Packet) -> Packet:
    return replace(answered(asking), state="invalid", source_type="unicast")


def _arriving(packet: Packet, port: str | None) -> Iterator[Stage]:
    if port is not None:
        frame = replace(packet, iif=port, oif="", layer=Layer.DEVICE, bridge=packet.iif)
        yield Stage("ingress", frame)
        yield Stage("prerouting", replace(frame, layer=Layer.BRIDGE))
        yield Stage("input", replace(frame, layer=Layer.BRIDGE))
    yield Stage("ingress", replace(packet, oif="", layer=Layer.DEVICE))


def _leaving(packet: Packet, port: str | None) -> Iterator[Stage]:
    yield Stage("egress", replace(packet, iif="", layer=Layer.DEVICE))
    if port is not None:
        frame = replace(packet, iif="", oif=port, layer=Layer.BRIDGE, bridge=packet.oif)
        yield Stage("output", frame)
        yield Stage("postrouting", frame)
        yield Stage("egress", replace(frame, layer=Layer.DEVICE))


def _crossing(packet: Packet, bridge: str, port: str, other: str) -> tuple[Stage, ...]:
    there = replace(packet, iif=port, oif=other, layer=Layer.BRIDGE, bridge=bridge)
    arriving, leaving = replace(there, oif=""), replace(there, iif="")
    return (
        Stage("ingress", replace(arriving, layer=Layer.DEVICE)),
        Stage("prerouting", arriving),
        Stage("forward", there),
        Stage("postrouting", leaving),
        Stage("egress", replace(leaving, layer=Layer.DEVICE)),
    )
