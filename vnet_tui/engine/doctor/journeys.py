"""The ways that packets take between guests, the host and what lies beyond, hook by hook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vnet_tui.engine.doctor.host import Host
from vnet_tui.engine.doctor.packet import Packet
from vnet_tui.engine.doctor.tables import Table
from vnet_tui.engine.doctor.trace import Decision, passage
from vnet_tui.engine.model import Address

_NAT = -100  # NF_IP_PRI_NAT_DST: where targets are translated (linux/netfilter_ipv4.h)
_LOWEST, _HIGHEST = -(1 << 31), 1 << 31


@dataclass(frozen=True, slots=True)
class Stage:
    """A packet at a hook, in the chains of these priorities (both included)."""

    hook: str
    packet: Packet
    lowest: int = _LOWEST
    highest: int = _HIGHEST

    @property
    def from_the_start(self) -> bool:
        """Whether it begins with the first chain of the hook."""
        return self.lowest == _LOWEST


@dataclass(frozen=True, slots=True)
class Journey:
    """A way there and back, and for TCP there again.

    ``what`` says in a few words what it is for; ``device`` is the interface that it is about, where
    that isn't the network's bridge.
    """

    what: str
    stages: tuple[Stage, ...]
    device: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a journey ends: ``stop`` and the stage where it is stopped, for sure or perhaps; and
    where somebody else leads it to another target, for sure or perhaps."""

    stop: Decision | None = None
    stage: Stage | None = None
    translation: Decision | None = None

    @property
    def blocked(self) -> bool:
        """Whether it is stopped for sure."""
        return self.stop is not None and self.stop.doubt is None


def travel(journey: Journey, tables: Sequence[Table]) -> Arrival:
    """A journey through tables. What stops it for sure is told before what may."""
    perhaps: Arrival | None = None
    translation: Decision | None = None
    mark: int | None = 0
    before = journey.stages[0].packet
    for stage in journey.stages:
        if (stage.packet.reply, stage.packet.state) != (before.reply, before.state):
            mark = 0  # another packet
        before = stage.packet
        packet = replace(stage.packet, mark=mark)
        found = passage(tables, stage.hook, packet, lowest=stage.lowest, highest=stage.highest)
        mark = found.packet.mark
        if found.translation is not None and stage.packet.state == "new":
            translation = translation or found.translation
        if found.blocked:
            return Arrival(found.stop, stage, translation)
        if found.stop is not None and perhaps is None:
            perhaps = Arrival(found.stop, stage)
    if perhaps is None:
        return Arrival(translation=translation)
    return replace(perhaps, translation=translation)


def answered(packet: Packet) -> Packet:
    """The answer to a packet, before its interfaces are known."""
    kinds = {"echo-request": "echo-reply"}
    return replace(
        packet,
        source=packet.target,
        target=packet.source,
        source_type=packet.target_type,
        target_type=packet.source_type,
        iif=packet.oif,
        oif=packet.iif,
        sport=packet.dport,
        dport=packet.sport,
        icmp_type=kinds.get(packet.icmp_type, packet.icmp_type),
        state="established",
        reply=True,
        asked=packet.original_target,
        asked_port=packet.original_port,
        back=True,
    )


def going_on(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages of a way that is gone again, where the connection needs it: TCP opens with three
    packets (RFC 9293, section 3.5), and the third is of an established connection already."""
    return tuple(
        replace(stage, packet=replace(stage.packet, state="established"))
        for stage in stages
        if stage.packet.protocol == "tcp"
    )


def to_host(what: str, packet: Packet, *, answer: Packet | None = None) -> Journey:
    """To the host itself, and its answer (the usual one unless given)."""
    back = answer or replace(answered(packet), iif="")
    packet = replace(packet, oif="")
    there = (Stage("prerouting", packet), Stage("input", packet))
    return Journey(
        what, (*there, Stage("output", back), Stage("postrouting", back), *going_on(there))
    )


def from_host(what: str, packet: Packet) -> Journey:
    """From the host itself, and the answer to it."""
    back = replace(answered(packet), oif="")
    there = (Stage("output", packet), Stage("postrouting", packet))
    return Journey(
        what, (*there, Stage("prerouting", back), Stage("input", back), *going_on(there))
    )


def through(what: str, packet: Packet, *, masqueraded: Address | None = None) -> Journey:
    """Through the host, and back.

    ``packet`` is as it is forwarded; where its target was translated, ``asked`` tells from what.
    ``masqueraded`` is the address that answers are sent to, where it isn't the sender's own.
    """
    arrived = replace(packet, oif="")
    before = arrived
    if packet.translated and packet.asked is not None:
        before = replace(
            arrived,
            target=packet.asked,
            dport=packet.asked_port,
            target_type="local",
            translated=False,
            asked=None,
            asked_port=0,
        )
    there = (
        Stage("prerouting", before, highest=_NAT),
        Stage("prerouting", arrived, lowest=_NAT + 1),
        Stage("forward", packet),
        Stage("postrouting", packet),
    )
    back = answered(packet)
    answer = replace(back, oif="", target=masqueraded or back.target)
    if masqueraded is not None:
        answer = replace(answer, target_type="local")
    return Journey(
        what,
        (
            *there,
            Stage("prerouting", answer, highest=_NAT),
            Stage("prerouting", replace(back, oif=""), lowest=_NAT + 1),
            Stage("forward", back),
            Stage("postrouting", back),
            *going_on(there),
        ),
    )


def addressed(host: Host, packet: Packet) -> Packet:
    """A packet with the types of its addresses, and whether the host answers where it came from."""
    return replace(
        packet,
        source_type="unicast" if packet.source.is_unspecified else host.type_of(packet.source),
        target_type=host.type_of(packet.target),
        back=host.answers_by(packet.source, packet.iif) if packet.iif else True,
    )
