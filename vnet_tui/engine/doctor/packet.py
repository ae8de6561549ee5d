"""A packet on paper: all that rules ask about, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vnet_tui.engine.model import Address

CLIENT_PORT = 50000
"""A port that clients usually come from: within the range of Linux and that of RFC 6335."""


class Layer(StrEnum):
    """Where on its way a packet is: at an interface, on the bridge, or in the host's IP."""

    DEVICE = "device"
    BRIDGE = "bridge"
    IP = "ip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet at one place on its way.

    ``protocol`` is ``tcp``, ``udp``, ``icmp``, ``icmpv6`` or ``arp``; ``icmp_type`` nft's word for
    the type. ``iif`` and ``oif`` are the interfaces it came and leaves by, empty where it has none.
    ``state`` is conntrack's; ``reply`` tells that it answers the one who opened the connection.
    ``asked`` and ``asked_port`` are what was asked for before any translation. ``source_type`` and
    ``target_type`` are the kernel's types of addresses (``local``, ``unicast``, ``broadcast``,
    ``multicast``). ``back`` tells whether the host would answer by the interface it came from.
    ``iif`` and ``oif`` are ports of ``bridge`` while it is on that. None stands for what isn't
    known.
    """

    protocol: str
    source: Address
    target: Address
    iif: str = ""
    oif: str = ""
    sport: int = 0
    dport: int = 0
    icmp_type: str = ""
    state: str = "new"
    reply: bool = False
    translated: bool = False
    asked: Address | None = None
    asked_port: int = 0
    source_type: str = "unicast"
    target_type: str = "unicast"
    back: bool | None = True
    mark: int | None = 0
    layer: Layer = Layer.IP
    bridge: str = ""

    @property
    def version(self) -> int:
        """The address family, 4 or 6."""
        return self.target.version

    @property
    def original_target(self) -> Address:
        """What was asked for before any translation."""
        return self.asked if self.asked is not None else self.target

    @property
    def original_port(self) -> int:
        """The port that was asked for before any translation."""
        return self.asked_port if self.asked is not None else self.dport
