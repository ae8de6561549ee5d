"""What rules are about, as boxes: an interval on each axis, so that one kind of cut fits all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

from vnet_tui.engine.drivers.firewall.iptables.rules import Extension, Rule
from vnet_tui.engine.model import PortRange, Protocol, Subnet

PROTOCOL, PORT, ASKED, SOURCE, DESTINATION = range(5)
"""The axes. ``ASKED`` is the port that was asked for before any translation."""

Interval = tuple[int, int]
Box = tuple[Interval, Interval, Interval, Interval, Interval]

TRANSPORTS = ("tcp", "udp")
"""The protocols with ports, at 0 and 1 of their axis; all others are at 2."""

ALL_PROTOCOLS = (0, 2)
ALL_PORTS = (0, (1 << 16) - 1)

ICMP = {4: "icmp", 6: "icmpv6"}
"""The protocol's name in each address family."""

BITS = {4: 32, 6: 128}


@dataclass(frozen=True, slots=True)
class Match:
    """What one rule is about.

    ``led``: only what was led to a guest; ``asked`` and ``address`` are port and address that were
    asked for then. ``ports`` need a ``protocol`` unless ``established``, where what the kernel
    knows of the connection is asked: it is the same for packets of both directions.
    """

    protocol: str = ""
    ports: PortRange | None = None
    asked: PortRange | None = None
    source: Subnet | None = None
    destination: Subnet | None = None
    address: Subnet | None = None
    led: bool = False
    established: bool = False

    def box(self, family: int) -> Box:
        """Where it is on each axis; the address that was asked for has none."""
        everywhere = whole(family)
        protocol = ALL_PROTOCOLS
        if self.protocol:
            at = TRANSPORTS.index(self.protocol) if self.protocol in TRANSPORTS else 2
            protocol = (at, at)
        return (
            protocol,
            (self.ports.first, self.ports.last) if self.ports else ALL_PORTS,
            (self.asked.first, self.asked.last) if self.asked else ALL_PORTS,
            _reach(self.source) if self.source is not None else everywhere,
            _reach(self.destination) if self.destination is not None else everywhere,
        )

    def rule(
        self,
        target: str,
        *,
        goto: bool = False,
        key: str = "",
        more: tuple[Extension, ...] = (),
        options: tuple[tuple[str, str], ...] = (),
    ) -> Rule:
        """A rule that is about just this, with ``more`` to match after it."""
        asked = [("ctstate", "DNAT")] if self.led else []
        source, destination = str(self.source or ""), str(self.destination or "")
        if self.established:
            asked += [("ctorigsrc", source)] if source else []
            asked += [("ctreplsrc", destination)] if destination else []
            asked += [("ctreplsrcport", words(self.ports))] if self.ports else []
            source = destination = ""
        if self.address is not None:
            asked.append(("ctorigdst", str(self.address)))
        if self.asked is not None:
            asked.append(("ctorigdstport", words(self.asked)))
        matches = (Extension("conntrack", tuple(asked)),) if asked else ()
        if self.ports is not None and not self.established:
            matches = (Extension(self.protocol, (("dport", words(self.ports)),)), *matches)
        return Rule(
            target=target,
            goto=goto,
            source=source,
            destination=destination,
            protocol=self.protocol,
            matches=(*matches, *more),
            options=options,
            key=key,
        )


@dataclass(frozen=True, slots=True)
class Atom:
    """A rule and where it stands. It is ``final`` where it decides of all that is in its box."""

    box: Box
    rule: Rule
    final: bool = True


def whole(family: int) -> Interval:
    """All addresses."""
    return (0, (1 << BITS[family]) - 1)


def everything(family: int) -> Box:
    """The box of all packets."""
    return (ALL_PROTOCOLS, ALL_PORTS, ALL_PORTS, whole(family), whole(family))


def subnet(family: int, lowest: int, highest: int) -> Subnet:
    """The addresses from one to another, which are those of one subnet."""
    prefix = BITS[family] - (highest - lowest).bit_length()
    return IPv4Network((lowest, prefix)) if family == 4 else IPv6Network((lowest, prefix))


def icmp_or(protocol: Protocol | None, family: int) -> str:
    """A rule's protocol as iptables(8) knows it; empty for all."""
    return ICMP[family] if protocol is Protocol.ICMP else str(protocol or "")


def words(ports: PortRange) -> str:
    """As iptables(8) takes them."""
    return str(ports.first) if len(ports) == 1 else f"{ports.first}:{ports.last}"


@lru_cache(maxsize=1 << 14)
def _reach(of: Subnet) -> Interval:
    return int(of.network_address), int(of.broadcast_address)
