"""The things on a host that make up a network, as values: what drivers make and observe.

Desired and observed state are written in the same types, so that a plan is their difference.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Action, Address, Interface, Mode, PortRange, Protocol, Subnet


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeSettings:
    """What can change on a bridge while it runs. ``forward_delay`` is in seconds, ``mtu`` bytes."""

    mac: str
    mtu: int
    stp: bool
    forward_delay: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeSpec:
    """A bridge of ours: ``mark`` is the interface alias by which it is found again."""

    name: str
    mark: str
    settings: BridgeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An interface that the host has: ``alias`` is its IFLA_IFALIAS, ``kind`` its link kind.

    ``master`` is the name of the bridge that it is a port of; ``settings`` is there for bridges;
    ``mtu`` is in bytes, 0 where it isn't known.
    """

    index: int
    name: str
    kind: str
    alias: str
    up: bool
    carrier: bool
    master: str | None
    addresses: frozenset[Interface]
    settings: BridgeSettings | None = None
    mtu: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of the host's main tables; ``destination`` /0 is the default route.

    ``protocol`` is the number of rtnetlink(7) (2 kernel, 9 router advertisement, ...).
    """

    destination: Subnet
    device: str | None
    gateway: Address | None
    protocol: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSnapshot:
    """All interfaces, by name, and all routes of the namespace."""

    links: Mapping[str, Link]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsmasqSpec:
    """One dnsmasq: what it is told, and where that is written.

    ``config`` is its whole configuration file; a change of it needs a restart. ``reservations``
    (its ``dhcp-hostsfile``) and ``hosts`` (its ``addn-hosts``) can change while it runs: it reads
    both again on SIGHUP.
    """

    network: UUID
    bridge: str
    config: str
    reservations: str = ""
    hosts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsmasqProcess:
    """A dnsmasq of ours that runs: what it was started with and what its files now say."""

    pid: int
    spec: DnsmasqSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSpec:
    """One vde_switch: ``tap`` is the interface that it makes and holds, ``socket`` the directory of
    its sockets; ``group`` and ``mode`` (octal) say who may plug in. A change of it needs a restart.
    """

    network: UUID
    tap: str
    socket: str
    group: str | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchProcess:
    """A vde_switch of ours that runs, as it was started; ``reachable``: its socket is still where
    guests look for it."""

    pid: int
    spec: SwitchSpec
    reachable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """A rule of a policy with its guest resolved to addresses.

    ``key`` tells this rule from all others of the network for as long as it says the same.
    ``guests`` is None where the rule isn't about one guest, and empty while its guest is unknown:
    such a rule matches nothing (it *waits*). ``limit`` is how many new connections a second it
    matches at most. A deny that isn't ``established`` also ends connections that are.
    """

    key: str
    action: Action
    protocol: Protocol | None = None
    ports: PortRange | None = None
    source: Subnet | None = None
    destination: Subnet | None = None
    guests: frozenset[Address] | None = None
    established: bool = True
    log: bool = False
    limit: int | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A port of the host's own addresses that leads to a guest (an allow with ``domain``).

    ``guests`` holds at most one address a family; empty: it waits. ``address`` limits it to one
    of the host's addresses. Whose port it is the first forward on it decides, within its limit or
    not; what is beyond the limit meets the rules after it.
    """

    key: str
    ports: PortRange
    guest_ports: PortRange
    protocol: Protocol | None = None
    source: Subnet | None = None
    address: Subnet | None = None
    guests: frozenset[Address] = frozenset()
    log: bool = False
    limit: int | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRules:
    """A policy ready for a driver: rules in order, then ``default``."""

    default: Action
    rules: tuple[PolicyRule | Forward, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class NetworkRules:
    """All that the firewall has to do for one network."""

    network: UUID
    bridge: str
    mode: Mode
    subnets: tuple[Subnet, ...]
    incoming: PolicyRules
    outgoing: PolicyRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """What our tables hold, by network; empty: no table at all."""

    networks: Mapping[UUID, NetworkRules]


def rules_digest(rules: NetworkRules) -> str:
    """Sixteen hex digits that are the same for equal rules, in every process."""
    number = id(rules)
    known = _digests.get(number)
    if known is not None and known[0]() is rules:
        return known[1]
    digest = _digest(rules)
    _digests[number] = (weakref.ref(rules, partial(_forget, number)), digest)
    return digest


def _forget(number: int, gone: weakref.ref[NetworkRules]) -> None:
    known = _digests.get(number)
    if known is not None and known[0] is gone:
        del _digests[number]


_digests: dict[int, tuple[weakref.ref[NetworkRules], str]] = {}
"""The digests of these very objects, for as long as somebody else has them: each version of a
network may have ten thousand rules."""


def _digest(rules: NetworkRules) -> str:
    """Each rule counts by a digest of its own, which is kept for as long as it is the same rule."""
    subnets = " ".join(map(str, rules.subnets))
    whole = hashlib.sha256(f"{rules.network} {rules.bridge!r} {rules.mode} {subnets}".encode())
    for outgoing, policy in enumerate((rules.incoming, rules.outgoing)):
        whole.update(f" {policy.default} {len(policy.rules)} ".encode())
        whole.update(b"".join(_rule_digest.each(policy.rules, (rules.network, outgoing))))
    return whole.hexdigest()[:16]


def _of_rule(rule: PolicyRule | Forward) -> bytes:
    """A digest of all that a rule says, which doesn't depend on the hash seed."""
    guests = None if rule.guests is None else sorted(map(str, rule.guests))
    if isinstance(rule, Forward):
        own = f"forward {rule.guest_ports} {rule.address}"
    else:
        own = f"{rule.action} {rule.destination} {rule.established}"
    text = (
        f"{rule.key!r} {own} {rule.ports} {rule.protocol} {rule.source} {guests} {rule.log} "
        f"{rule.limit} {rule.comment!r}"
    )
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


_rule_digest: Memo[PolicyRule | Forward, bytes] = Memo(_of_rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallState:
    """What the firewall driver found of ours.

    ``present`` tells whether we have a table at all; ``digests`` are those of the
    :class:`NetworkRules` that were installed, for networks whose part is still as we made it.
    ``intact`` is False where what all networks share was changed by others.
    """

    present: bool
    intact: bool
    digests: Mapping[UUID, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPort:
    """A socket that has a port of the host; ``inode`` is its number in /proc/PID/fd.

    ``waits``: for others to begin, as a server does.
    """

    protocol: str
    address: Address
    port: int
    inode: int
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A running network: its runtime ``id``, its whole definition as it runs, since when.

    The last step of a start writes it and the last step of a stop removes it, so that the records
    say which changes were completed: whatever else is found was left half-done.
    """

    uuid: UUID
    name: str
    id: int
    started: float
    definition: str
