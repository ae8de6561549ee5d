"""Where the host sends a packet: its addresses and routes, as far as its main table tells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Interface, ip_address

from vnet_tui.engine.model import Address
from vnet_tui.engine.resources import LinkSnapshot, Route

SOMEWHERE = {4: ip_address("198.41.0.4"), 6: ip_address("2001:503:ba3e::2:30")}
"""Addresses that stand for the world beyond: those of a.root-servers.net, which no list of bogus
or private addresses holds."""

_EVERYBODY = IPv4Address("255.255.255.255")


@dataclass(frozen=True)
class Host:
    """A snapshot, to be asked where packets go."""

    links: LinkSnapshot

    @cached_property
    def addresses(self) -> dict[Address, str]:
        """The host's own addresses, and the interface of each."""
        return {
            address.ip: link.name
            for link in self.links.links.values()
            for address in link.addresses
        }

    def is_local(self, address: Address) -> bool:
        """Whether the host itself is meant."""
        return address.is_loopback or address in self.addresses

    def type_of(self, address: Address) -> str:
        """The kernel's type of an address, as rules ask for it."""
        if self.is_local(address):
            return "local"
        if address.is_multicast:
            return "multicast"
        if isinstance(address, IPv4Address) and (
            address == _EVERYBODY or address in self._broadcasts
        ):
            return "broadcast"
        return "unicast"

    @cached_property
    def _broadcasts(self) -> frozenset[Address]:
        return frozenset(
            address.network.broadcast_address
            for link in self.links.links.values()
            for address in link.addresses
            if isinstance(address, IPv4Interface) and address.network.prefixlen < 31
        )

    def route(self, address: Address) -> Route | None:
        """The route that leads to an address; None where there is none."""
        fitting = [
            route
            for route in self.links.routes
            if route.destination.version == address.version and address in route.destination
        ]
        return max(fitting, key=lambda route: route.destination.prefixlen, default=None)

    def device(self, address: Address) -> str:
        """The interface that leads to an address; empty where there is none."""
        route = self.route(address)
        return (route.device or "") if route else ""

    def address_on(self, device: str, version: int) -> Address | None:
        """An address of the host on an interface, link-local ones last."""
        link = self.links.links.get(device)
        fitting = [one.ip for one in link.addresses if one.version == version] if link else []
        return min(fitting, key=lambda one: (one.is_link_local, int(one)), default=None)

    def answers_by(self, source: Address, device: str) -> bool | None:
        """Whether the host would answer a source by this interface; None where no route tells."""
        if source.is_unspecified or source.is_link_local:
            return True
        route = self.route(source)
        return None if route is None else route.device == device
