"""The chain that leads ports of the host to guests: maps from port to guest and port."""

from __future__ import annotations

from itertools import groupby

from vnet_tui.engine.drivers.firewall.layout import Lookup, Names
from vnet_tui.engine.drivers.firewall.matches import (
    ADDRESS_TYPE,
    ANY_PORT,
    FAMILY_OF,
    INET_PORT,
    reach_match,
)
from vnet_tui.engine.drivers.firewall.ports import Claim, first_match, protocols
from vnet_tui.engine.model import Address
from vnet_tui.engine.resources import Forward


class Translation:
    """The rules and lookups of a network's forwards, in order.

    nft can't add a constant to a port, so a range that is led to other ports has one element for
    each of its ports; a range that keeps its ports is one element.
    """

    def __init__(self, chain: str, forwards: tuple[Forward, ...]) -> None:
        self.rules: list[str] = []
        self.lookups: dict[str, Lookup] = {}
        reaches = groupby(forwards, key=lambda forward: (forward.source, forward.address))
        names = Names(chain)
        for _, group in reaches:
            members = list(group)
            for version in FAMILY_OF:
                self._write(names, version, members)

    def _write(self, names: Names, version: int, forwards: list[Forward]) -> None:
        family = FAMILY_OF[version]
        reach = reach_match(forwards[0], version, f"{family} daddr")
        if reach is None:
            return
        claims = [
            Claim(protocols(forward.protocol), forward.ports, (forward, guest))
            for forward in forwards
            for guest in forward.guests
            if guest.version == version
        ]
        elements: dict[str, str] = {}
        ranges: dict[str, str] = {}
        for piece in first_match(claims):
            forward, guest = piece.value
            if not piece.single and forward.ports == forward.guest_ports:
                ranges[str(piece)] = str(guest)
                continue
            for port in range(piece.first, piece.last + 1):
                elements[f"{piece.protocol} . {port}"] = _target(forward, guest, port)
        address = ADDRESS_TYPE[version]
        name = names.next(f"to{version}", reach)
        if elements:
            self._add(
                name,
                reach,
                family,
                Lookup(INET_PORT, f"{address} . inet_service", elements=elements),
            )
        if ranges:
            lookup = Lookup(INET_PORT, address, interval=True, elements=ranges)
            self._add(f"{name}_ranges", reach, family, lookup)

    def _add(self, name: str, reach: str, family: str, lookup: Lookup) -> None:
        self.lookups[name] = lookup
        self.rules.append(f"{reach}dnat {family} to {ANY_PORT} map @{name}")


def _target(forward: Forward, guest: Address, port: int) -> str:
    """Where a port leads: to the only guest port, or to the one at the same place in the range."""
    if len(forward.guest_ports) == 1:
        return f"{guest} . {forward.guest_ports.first}"
    return f"{guest} . {forward.guest_ports.first + port - forward.ports.first}"
