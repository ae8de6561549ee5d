"""The chain that leads ports of the host to guests: maps from port to guest and port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from vnet_tui.engine.census import Census
from vnet_tui.engine.drivers.firewall.elements import sets_of
from vnet_tui.engine.drivers.firewall.groups import Atom, Pairs, disjoint
from vnet_tui.engine.drivers.firewall.layout import Lookup, Names
from vnet_tui.engine.drivers.firewall.matches import (
    ADDRESS_TYPE,
    ANY_PORT,
    FAMILY_OF,
    INET_PORT,
    TCP_OR_UDP,
)
from vnet_tui.engine.drivers.firewall.order import Ends, Span, gather, places, spans
from vnet_tui.engine.drivers.firewall.ports import protocols
from vnet_tui.engine.drivers.firewall.scopes import host, words
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Address, PortRange, Protocol
from vnet_tui.engine.resources import Forward


class Reach(NamedTuple):
    """Which addresses a forward looks at: that of the client, that of the host."""

    source: bool
    address: bool


class Target(NamedTuple):
    """Which of a group's maps an element is in; ``ported``: it leads to one port, not to the same
    port as was asked for."""

    interval: bool
    ported: bool


Value = tuple[Target, str]
"""An element's map, and where it leads."""

_target = lru_cache(maxsize=8)(Target)
_reach = lru_cache(maxsize=8)(Reach)


@dataclass(frozen=True, slots=True)
class Led:
    """A forward to the guest's address of one family, ready to be grouped."""

    forward: Forward
    guest: Address
    kind: Reach
    apart: bool
    about: tuple[Span, ...]
    places: tuple[int, ...]
    ends: tuple[Ends]
    atoms: tuple[Atom[Value]]
    pairs: Pairs[Value]
    spans: bool
    protocols: tuple[Protocol, ...]
    ports: PortRange

    def elements(
        self, atom: Atom[Value], transport: Protocol, first: int, last: int
    ) -> Iterable[tuple[str, Value]]:
        """The elements for those ports.

        nft can't add a constant to a port, so a range that is led to other ports has one element
        for each of its ports; a range that keeps its ports is one element.
        """
        if first != last and self.forward.ports == self.forward.guest_ports:
            value = (_target(True, False), f"{self.guest}")
            return ((f"{atom.key}{transport} . {first}-{last}", value),)
        return (
            (f"{atom.key}{transport} . {port}", _value(self.forward, self.guest, port, self.apart))
            for port in range(first, last + 1)
        )


def _make(forward: Forward) -> Mapping[int, Led]:
    made: dict[int, Led] = {}
    transports = protocols(forward.protocol)
    fields = (forward.source, forward.address)
    scope = tuple(subnet for subnet in fields if subnet is not None)
    key = "".join(f"{word} . " for word in words(scope))
    apart = all(map(host, scope))
    single = len(forward.ports) == 1
    about = tuple(spans(forward.protocol, transports, forward.ports))
    for guest in forward.guests:
        if any(subnet.version != guest.version for subnet in scope):
            continue
        pairs: Pairs[Value] = ()
        if single:
            value = _value(forward, guest, forward.ports.first, apart)
            pairs = tuple((f"{key}{one} . {forward.ports.first}", value) for one in transports)
        made[guest.version] = Led(
            forward=forward,
            guest=guest,
            kind=_reach(forward.source is not None, forward.address is not None),
            apart=apart,
            about=about,
            places=places(about),
            ends=(fields,),
            atoms=(Atom(guest.version, scope, key, pairs),),
            pairs=pairs,
            spans=not single,
            protocols=transports,
            ports=forward.ports,
        )
    return made


def _value(forward: Forward, guest: Address, port: int, apart: bool) -> Value:
    """Where a port leads: to the only guest port, or to the one at the same place in the range."""
    shift = port - forward.ports.first if len(forward.guest_ports) > 1 else 0
    return _target(not apart, True), f"{guest} . {forward.guest_ports.first + shift}"


_made: Memo[Forward, Mapping[int, Led]] = Memo(_make)


def _in_family(version: int) -> Memo[Forward, Led | None]:
    return Memo(lambda forward: _made(forward).get(version))


_led = {version: _in_family(version) for version in FAMILY_OF}
"""Forwards to guests' addresses of each family."""

_KIND: Callable[[Led], Reach] = attrgetter("kind")

_traits: Census[Led, tuple[Reach, bool]] = Census(attrgetter("kind", "apart"))


class Translation:
    """The rules and lookups of a network's forwards, in order."""

    def __init__(self, chain: str, forwards: tuple[Forward, ...]) -> None:
        self.rules: list[str] = []
        self.lookups: dict[str, Lookup] = {}
        names = Names(chain)
        for version in FAMILY_OF:
            led = _led[version].found(forwards, chain)
            traits = _traits(led, (chain, version))
            if len(traits) == 1 and all(apart for _, apart in traits):
                self._write(names, version, led[0].kind, led)  # as they stand
                continue
            for reach, members in gather(led, _KIND):
                for group in disjoint(members):
                    self._write(names, version, reach, group)

    def _write(self, names: Names, version: int, reach: Reach, group: Sequence[Led]) -> None:
        family, address = FAMILY_OF[version], ADDRESS_TYPE[version]
        fields = [f"{family} saddr"] * reach.source + [f"{family} daddr"] * reach.address
        before = TCP_OR_UDP if fields else ""  # nft wants it said where the port isn't first
        base = names.next(f"to{version}", " ".join(fields))
        sets = sets_of(base, group)
        for target in sorted(sets):
            name = base + "_ranges" * target.interval + "_same" * (not target.ported)
            self.lookups[name] = Lookup(
                " . ".join([*([address] * len(fields)), INET_PORT]),
                f"{address} . inet_service" if target.ported else address,
                interval=target.interval,
                elements=sets[target],
            )
            key = " . ".join([*fields, ANY_PORT])
            self.rules.append(f"{before}dnat {family} to {key} map @{name}")
