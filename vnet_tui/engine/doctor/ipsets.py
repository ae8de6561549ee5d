"""Matches of iptables against the sets of ipset(8), on paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vnet_tui.engine.doctor.packet import Packet
from vnet_tui.engine.doctor.tables import Match
from vnet_tui.engine.doctor.values import either, every, range_test
from vnet_tui.engine.drivers.ipset import Addresses, Element, Interface, IpSet, Name, Part, Ports

Sets = Mapping[str, IpSet]

_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class InSet:
    """Whether what a packet has is in a set: of each dimension its source's or its target's part,
    as the rule says (``src``, ``dst``)."""

    sets: Sets
    name: str
    ends: tuple[str, ...]

    def __call__(self, packet: Packet) -> bool | None:
        return _holds(self.sets, self.name, self.ends, packet, 0)


def in_set(sets: Sets, values: Sequence[str]) -> Match:
    """``--match-set NAME src,dst``. Raises ValueError where there aren't both."""
    name, ends = values
    return InSet(sets, name, tuple(ends.split(",")))


def _holds(sets: Sets, name: str, ends: tuple[str, ...], packet: Packet, depth: int) -> bool | None:
    found = sets.get(name)
    if found is None or depth > _DEEPEST:
        return None
    if found.type == "list:set":
        held = (part.name for one in found.elements for part in one.parts if isinstance(part, Name))
        return either(_holds(sets, inner, ends, packet, depth + 1) for inner in held)
    if len(ends) < len(found.dimensions):
        return False  # the kernel wants an end for each
    fitting = [(one, _element(one, ends, packet)) for one in found.elements]
    certain = [one for one, fits in fitting if fits]
    if certain:
        return not min(certain, key=_width).excluded
    if not found.complete or any(fits is None for _, fits in fitting):
        return None
    return False


def _width(element: Element) -> int:
    """How many addresses it holds: the narrowest decides."""
    return sum(
        int(part.last) - int(part.first) for part in element.parts if isinstance(part, Addresses)
    )


def _element(element: Element, ends: tuple[str, ...], packet: Packet) -> bool | None:
    return every(_parts(element, ends, packet))


def _parts(element: Element, ends: tuple[str, ...], packet: Packet) -> Iterator[bool | None]:
    for part, end in zip(element.parts, ends, strict=False):
        yield _part(part, packet, source=end == "src")


def _part(part: Part, packet: Packet, *, source: bool) -> bool | None:
    if isinstance(part, Addresses):
        return range_test(part.first, part.last)(packet.source if source else packet.target)
    if isinstance(part, Ports):
        if part.protocol and _PROTOCOLS.get(packet.protocol) != part.protocol:
            return False
        if packet.protocol not in ("tcp", "udp"):
            return None if part.protocol else False
        return part.first <= (packet.sport if source else packet.dport) <= part.last
    if isinstance(part, Interface):
        name = packet.iif if source else packet.oif
        return name.startswith(part.name) if part.prefix else name == part.name
    if isinstance(part, int):
        return None if packet.mark is None else packet.mark == part
    return None
