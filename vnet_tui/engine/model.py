"""What a network is: immutable values that say what a document says.

The model holds what was written. What follows from it by default (the mode of a network without
``<forwarding>``, the name of a bridge that nobody named) is told by properties or by
:mod:`vnet_tui.engine.resources`, never filled in here, so that writing a document gives back what
was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_interface
from uuid import UUID

from vnet_tui.engine.terms import (
    Action as Action,
    Address as Address,
    Interface as Interface,
    Mode as Mode,
    Subnet as Subnet,
)

INFINITE_LEASE = 0xFFFFFFFF
"""A lease that never ends, as DHCP writes it (RFC 2131, section 3.3), in seconds."""

DEFAULT_LEASE = 3600
"""The lease time of a range that names none, in seconds (dnsmasq's default)."""


class Protocol(StrEnum):
    """What a rule matches; a rule without one with a port means TCP and UDP."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Common to everything that was an element of a document.

    ``line`` is where it began (0: it never was in a document) and takes no part in comparison;
    ``comments`` are those that stood directly before it, and move with it.
    """

    line: int = field(default=0, compare=False, repr=False)
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Container(Element):
    """An element with children; ``trailing`` are the comments after the last of them."""

    trailing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRange:
    """Ports ``first`` to ``last``, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge(Element):
    """The bridge device: its name, spanning tree, forward delay (seconds), MTU (bytes), MAC."""

    name: str | None = None
    stp: bool | None = None
    delay: int | None = None
    mtu: int | None = None
    mac: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedInterface(Element):
    """A physical interface that the network shares with the host."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Element):
    """A user-space switch beside the bridge; ``type`` is ``vde``."""

    type: str
    socket: str | None = None
    group: str | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen(Element):
    """This host's end of a tunnel between hosts; ``vni`` is derived from the UUID when absent."""

    address: Address
    port: int
    vni: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer(Element):
    """Another host's end of the tunnel: one ``<connection>``."""

    address: Address
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections(Container):
    """The other hosts' ends."""

    peers: tuple[Peer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarder(Element):
    """An upstream DNS server, for everything or for one ``domain``."""

    address: Address
    port: int | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsHost(Element):
    """A name and its address in the network's DNS."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Element):
    """A DNS record other than an address: ``type`` is ``cname``, ``txt``, ``srv`` or ``mx``."""

    type: str
    name: str
    target: str | None = None
    value: str | None = None
    port: int | None = None
    priority: int | None = None
    weight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns(Container):
    """The DNS service for the network's guests."""

    enabled: bool = True
    domain: str | None = None
    forwarders: tuple[Forwarder, ...] = ()
    hosts: tuple[DnsHost, ...] = ()
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Element):
    """Addresses handed out: ``start`` to ``end``, both included; ``lease_time`` in seconds."""

    start: Address
    end: Address
    lease_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ip(Container):
    """An address of the host on the bridge, its subnet, and the ranges served in it.

    In a document the first range may be the attributes ``start`` and ``end``.
    """

    address: Address
    prefix: int
    ranges: tuple[Range, ...] = ()

    @property
    def interface(self) -> Interface:
        """The address with its prefix length."""
        return ip_interface(f"{self.address}/{self.prefix}")

    @property
    def subnet(self) -> Subnet:
        """The subnet that the address is in."""
        return self.interface.network


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation(Element):
    """An address kept for a guest, known by its MAC, its host name, or both."""

    address: Address
    mac: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpOption(Element):
    """A DHCP option sent to every guest: by ``number``, or by dnsmasq's ``name`` for it.

    ``family`` is 4 (DHCP) or 6 (DHCPv6).
    """

    value: str
    number: int | None = None
    name: str | None = None
    family: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Dhcp(Container):
    """The network's addresses, and what is served in them. Not enabled: addresses only."""

    enabled: bool = True
    lease_time: int | None = None
    ips: tuple[Ip, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    options: tuple[DhcpOption, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Element):
    """One ``<allow>`` or ``<deny>``: a match and its verdict.

    ``limit`` is in new connections a second. ``destport`` goes with ``domain`` in ``<incoming>``.
    ``line`` is 0: the policy knows it.
    """

    action: Action
    port: PortRange | None = None
    protocol: Protocol | None = None
    source: Subnet | None = None
    destination: Subnet | None = None
    domain: str | None = None
    destport: PortRange | None = None
    log: bool = False
    comment: str | None = None
    limit: int | None = None
    established: bool = True
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Container):
    """Rules in document order, the first match wins; ``default`` decides the rest.

    ``default`` is None where the document doesn't say; see :attr:`Network.incoming`. ``lines`` are
    where the rules began, and empty where they aren't those of a document. They stand here, so that
    a rule is the very same object before and after an edit that moves it down.
    """

    default: Action | None = None
    rules: tuple[Rule, ...] = ()
    lines: Sequence[int] = field(default=(), compare=False, repr=False)

    def line_of(self, place: int) -> int:
        """The line of a rule, told by its place; 0 where nobody knows."""
        return self.lines[place] if self.lines else 0

    def located(self, place: int) -> Rule:
        """A rule with its line, for who has something to say of it."""
        return replace(self.rules[place], line=self.line_of(place))

    def with_rules(self, rules: tuple[Rule, ...]) -> Policy:
        """The policy with other rules, which stand in no document yet."""
        return replace(self, rules=rules, lines=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding(Container):
    """What may pass between the network and everything beyond it."""

    enabled: bool = True
    mode: Mode | None = None
    incoming: Policy | None = None
    outgoing: Policy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network(Container):
    """A network, as its document describes it.

    ``metadata`` is the ``<metadata>`` element as text, kept untouched. ``scalar_comments`` are the
    comments before children that are plain text (``name``, ``uuid``, ...), by tag; ``prologue``
    and ``epilogue`` those before and after the root element. ``scalar_lines`` tells where those
    children stood, by tag.
    """

    name: str
    uuid: UUID | None = None
    title: str | None = None
    description: str | None = None
    metadata: str | None = None
    bridge: Bridge | None = None
    interface: SharedInterface | None = None
    switch: Switch | None = None
    listen: Listen | None = None
    connections: Connections | None = None
    dns: Dns | None = None
    dhcp: Dhcp | None = None
    forwarding: Forwarding | None = None
    scalar_comments: tuple[tuple[str, tuple[str, ...]], ...] = ()
    prologue: tuple[str, ...] = ()
    epilogue: tuple[str, ...] = ()
    scalar_lines: tuple[tuple[str, int], ...] = field(default=(), compare=False, repr=False)

    @property
    def ips(self) -> tuple[Ip, ...]:
        """The host's addresses on the network, in document order."""
        return self.dhcp.ips if self.dhcp else ()

    @property
    def mode(self) -> Mode:
        """Isolated without ``<forwarding>`` or with it off; else as written, NAT when unsaid."""
        if self.forwarding is None or not self.forwarding.enabled:
            return Mode.ISOLATED
        return self.forwarding.mode or Mode.NAT

    @property
    def incoming(self) -> Policy:
        """What may reach the guests; the default of the default is deny."""
        return _effective(self.forwarding.incoming if self.forwarding else None, Action.DENY)

    @property
    def outgoing(self) -> Policy:
        """What guests may open beyond the network; the default of the default is allow."""
        return _effective(self.forwarding.outgoing if self.forwarding else None, Action.ALLOW)

    @property
    def serves_dhcp(self) -> bool:
        """Whether any lease or router advertisement is handed out."""
        return self.dhcp is not None and self.dhcp.enabled and bool(self.dhcp.ips)

    @property
    def serves_dns(self) -> bool:
        """Whether guests can resolve names at the host's address; on unless switched off."""
        return bool(self.ips) and (self.dns is None or self.dns.enabled)


def _effective(policy: Policy | None, default: Action) -> Policy:
    if policy is None:
        return Policy(default=default)
    if policy.default is None:
        return replace(policy, default=default)
    return policy
