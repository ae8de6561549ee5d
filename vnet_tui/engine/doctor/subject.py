"""What the doctor looks at: one running network, and all that he was told of the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.doctor.host import Host
from vnet_tui.engine.doctor.reading import Others
from vnet_tui.engine.drivers.routing import Routing
from vnet_tui.engine.model import Address, Ip, Subnet

ReadSetting = Callable[[str], str | None]
"""A kernel setting by its path under /proc/sys; None where the kernel has none of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A network as it runs, those that run beside it (itself among them), and the host.

    ``resolvers`` is the text of the host's resolv.conf(5), None where it has none; ``routing``
    its policy routing.
    """

    network: DesiredNetwork
    networks: Mapping[UUID, DesiredNetwork]
    host: Host
    others: Others
    setting: ReadSetting
    resolvers: str | None = field(default=None)
    routing: Routing = field(default_factory=Routing)

    @property
    def bridge(self) -> str:
        """The network's bridge."""
        return self.network.bridge.name

    def first_guest(self, version: int) -> Address | None:
        """An address that a guest of the network could have; None without that family."""
        for ip in self.network.network.ips:
            if ip.address.version == version:
                return _first_guest(ip)
        return None

    def gateway(self, version: int) -> Address | None:
        """The host's first address on the network."""
        addresses = (ip.address for ip in self.network.network.ips)
        return next((one for one in addresses if one.version == version), None)


def _first_guest(ip: Ip) -> Address | None:
    if ip.ranges:
        return ip.ranges[0].start
    return next((one for one in _few(ip.subnet) if one != ip.address), None)


def _few(subnet: Subnet) -> list[Address]:
    """The first addresses that guests can have."""
    return [subnet[at] for at in range(1, min(subnet.num_addresses, 4))]
