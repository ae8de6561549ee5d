"""What callers of the engine see: immutable values, cheap to send and to compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Literal
from uuid import UUID

from vnet_tui.engine.network_info import (
    NetworkInfo as NetworkInfo,
    Ref as Ref,
    State as State,
    Verb as Verb,
)
from vnet_tui.engine.rule_counters import Count, GuestCount
from vnet_tui.engine.rule_log import INCOMING
from vnet_tui.engine.terms import Action, Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease as dnsmasq recorded it; ``expires`` is seconds since 1970, None: never.

    ``since``, in the same seconds: since when it is known to have its name; None where it isn't.
    ``attached`` is the name with which its guest is attached, where rules look for one.
    """

    address: Address
    mac: str
    name: str
    expires: float | None
    client_id: str = ""
    since: float | None = None
    attached: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A guest of a network, put together from ports, leases and reservations.

    ``name`` may be empty; ``port`` is None while it isn't attached; ``reserved`` tells that the
    definition keeps its address; ``lease`` is None while it has none, and ``note`` says in a few
    words why that is of one that is attached.
    """

    name: str
    mac: str
    addresses: tuple[Address, ...]
    port: str | None = None
    lease: Lease | None = None
    reserved: bool = False
    note: str = ""


class RuleState(StrEnum):
    """Whether a rule does its work."""

    ACTIVE = "active"
    WAITING = "waiting"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStatus:
    """A rule of a running network, in document order. ``direction``: ``incoming``, ``outgoing``.

    ``text`` is the rule in words; ``guest`` is where its domain was found, when it was. ``note``
    says in a few words what is remarkable (why it waits, which rule leaves it nothing to decide,
    that two guests have the name); empty otherwise. ``key`` is what its counters are known by in
    :attr:`NetworkTraffic.rules`; empty while it is off.
    """

    direction: str
    position: int
    text: str
    state: RuleState
    guest: Address | None = None
    note: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counters since the interface was made; *in* is towards the guests, *out* from them."""

    in_bytes: int = 0
    out_bytes: int = 0
    in_packets: int = 0
    out_packets: int = 0
    in_drops: int = 0
    out_drops: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Per second, over the last sampling interval; ``bits`` on the bridge, without preamble."""

    in_bits: float = 0.0
    out_bits: float = 0.0
    in_packets: float = 0.0
    out_packets: float = 0.0
    in_drops: float = 0.0
    out_drops: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One interface, or one network, at one sample."""

    rates: Rates
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTraffic:
    """A network at one sample: the bridge itself, and each port by interface name.

    ``rules`` is what each rule has decided so far, by :attr:`RuleStatus.key`, and the defaults by
    :data:`~vnet_tui.engine.rule_counters.DEFAULT_IN` and ``DEFAULT_OUT``. Rules that decided
    nothing yet are left out; the defaults are there wherever rules are counted. ``guests`` is what
    was routed to and from each address. Both may be some seconds older than the sample.

    Where it is not ``detailed``, whoever asked for samples didn't ask for these: ports, rules and
    guests are empty then. ``port_count`` is how many ports there are, anyway.
    """

    traffic: Traffic
    ports: Mapping[str, Traffic]
    port_count: int
    detailed: bool = True
    rules: Mapping[str, Count] = field(default_factory=dict)
    guests: Mapping[Address, GuestCount] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLink:
    """An interface of the host's own: neither the bridge of a network nor a port of one.

    *In* is what it received, *out* what it sent: towards the guests and from them, as everywhere.
    ``defaults`` are the versions of IP (4, 6) whose default route leads out there, ``routes`` is
    how many other routes do. ``speed`` is what the link carries, in bits a second; None where
    nobody knows: virtual interfaces carry what the processor does.
    """

    traffic: Traffic
    speed: float | None = None
    defaults: tuple[int, ...] = ()
    routes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """All running networks, and the host's own links that are up by their names, at one moment
    (seconds since 1970)."""

    time: float
    networks: Mapping[UUID, NetworkTraffic]
    links: Mapping[str, HostLink] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """Bits a second in and out at one moment of the past."""

    time: float
    in_bits: float
    out_bits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A connection of a guest with somebody beyond its network, as the kernel tracks it.

    ``opened`` says by whom: ``out`` by the guest, ``in`` by the peer; then ``asked`` and
    ``asked_port`` are where the peer opened it to, if that isn't the guest itself (a forward).
    Ports are 0 where the protocol has none. Bytes and packets are totals, rates bits a second;
    None: nobody counts, or there is no rate yet. ``id`` is the kernel's, as long as the
    connection lives.
    """

    id: int
    protocol: str
    opened: Literal["in", "out"]
    guest: Address
    guest_port: int
    peer: Address
    peer_port: int
    asked: Address | None = None
    asked_port: int = 0
    in_packets: int | None = None
    in_bytes: int | None = None
    out_packets: int | None = None
    out_bytes: int | None = None
    in_bits: float | None = None
    out_bits: float | None = None
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """The connections of a network at one moment (seconds since 1970), busiest first; ``total``
    is how many there are, of which as many are told as were asked for."""

    time: float
    total: int
    flows: tuple[Flow, ...]


class EventKind(StrEnum):
    """What an event is about."""

    DEFINED = "defined"
    UNDEFINED = "undefined"
    STARTED = "started"
    STOPPED = "stopped"
    EDITED = "edited"
    AUTOSTART = "autostart"
    LEASE_ADDED = "lease-added"
    LEASE_REMOVED = "lease-removed"
    PORT_ADDED = "port-added"
    PORT_REMOVED = "port-removed"
    FAILED = "failed"
    DRIFTED = "drifted"
    RECOVERED = "recovered"
    CHANGED_ON_DISK = "changed-on-disk"
    WARNING = "warning"
    CHECKPOINT_OPENED = "checkpoint-opened"
    CHECKPOINT_CONFIRMED = "checkpoint-confirmed"
    ROLLED_BACK = "rolled-back"
    DENIED = "denied"
    LOGGED = "logged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A new connection that a policy denied, or let pass and was told to log.

    ``time`` is in seconds since 1970. ``direction`` is ``incoming`` or ``outgoing``; ``guest`` the
    name of the guest that is its end in the network, empty where nobody knows it. ``port`` is the
    guest's or the server's (0: there is none), ``asked`` and ``asked_port`` the host's before it
    was led to a guest, None and 0 where that isn't known. ``rule`` names the rule or default that
    decides such a connection now, and is empty where that can't be said for sure. ``times`` tells
    how many came, this one and those that were not told of since.
    """

    time: float
    network: UUID
    direction: str
    action: Action
    guest: str
    protocol: str
    source: Address
    destination: Address
    source_port: int
    port: int
    asked: Address | None = None
    asked_port: int = 0
    rule: str = ""
    times: int = 1

    @property
    def connection(self) -> str:
        """Who wanted to reach what, in words: ``tcp 25 web (10.0.0.10) → 198.51.100.2``."""
        ports = f"{self.protocol} {self.port}" if self.port else self.protocol
        inward = self.direction == INCOMING
        source = _end(self.source, "" if inward else self.guest)
        target = _end(self.destination, self.guest if inward else "")
        words = f"{ports} {source} → {target}"
        if self.asked and (self.asked, self.asked_port) != (self.destination, self.port):
            words += f" (asked for {self.asked} port {self.asked_port})"
        return words + (f", {self.times} times" if self.times > 1 else "")

    def __str__(self) -> str:
        """In words, for an event."""
        verb = "denied" if self.action is Action.DENY else "passed"
        words = f"{verb} {self.connection}"
        return f"{words}: {self.rule}" if self.rule else words


def _end(address: Address, name: str) -> str:
    return f"{name} ({address})" if name else str(address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened, when (UTC), to which network (None: to the engine).

    ``denial`` is there for the kinds ``denied`` and ``logged`` only: what ``message`` says.
    """

    time: datetime
    kind: EventKind
    network: UUID | None
    name: str
    message: str
    denial: Denial | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a plan is: ``done`` of ``total`` steps, and what is being done now."""

    done: int
    total: int
    step: str


OnProgress = Callable[[Progress], None]
"""Is told how far a change is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostInfo:
    """Where this is: host name, how it is reached (``daemon``, ``embedded``, ``sandbox``),
    which firewall driver works and why, and definitions that could not be read. ``repairs``: what
    others change of running networks is mended, not only told."""

    name: str
    via: str
    firewall: str
    firewall_reason: str
    damaged: tuple[str, ...] = ()
    repairs: bool = True


class Disturbance(IntEnum):
    """What a step of a plan disturbs, from least to most."""

    LIVE = 0
    RESTARTS_SERVICES = 1
    DISCONNECTS_GUESTS = 2

    def __str__(self) -> str:
        return ("live", "restarts DHCP/DNS", "disconnects guests")[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of a plan in words, in the infinitive."""

    text: str
    disturbs: Disturbance


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a change would do, in order. Without steps: all is as it should be already."""

    steps: tuple[PlannedStep, ...] = ()

    @property
    def disturbs(self) -> Disturbance:
        """The worst of its steps."""
        return max((step.disturbs for step in self.steps), default=Disturbance.LIVE)

    def __bool__(self) -> bool:
        return bool(self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Changes on trial: everything since ``opened`` is rolled back at ``deadline``, unless
    confirmed. Both are seconds since 1970.

    ``who`` opened it; ``changes`` are what a roll-back would take back now, in words. ``note``
    says why a roll-back that has begun isn't done yet; empty otherwise.
    """

    id: str
    opened: float
    deadline: float
    who: str
    changes: tuple[str, ...] = ()
    note: str = ""
