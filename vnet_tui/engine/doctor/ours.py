"""What our own rules do with a new connection: the first that matches decides. Pure.

This is the meaning of a document, written down once more without sets and maps: what the firewall
drivers install has to come to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.model import Action, Address, Mode, Policy, PortRange, Protocol, Rule
from vnet_tui.engine.resources import Forward, PolicyRule, PolicyRules
from vnet_tui.engine.rule_words import describe

_HOSTS_OWN = frozenset({("tcp", 53), ("udp", 53), ("udp", 67), ("udp", 547)})
"""Services at a guest's gateway that no forward leads away from it."""


class Decider(StrEnum):
    """Who decides about a connection."""

    RULE = "rule"
    DEFAULT = "default"
    WAITING = "waiting"
    ISOLATED = "isolated"
    SAME_NETWORK = "same network"
    FOREIGN = "foreign rule"
    ROUTE = "route"
    SETTING = "setting"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Connection:
    """A new connection as one of our rules sees it; ``asked_port`` is the port before it was led
    to a guest, None where it wasn't."""

    source: Address
    target: Address
    protocol: str
    port: int
    asked: Address | None = None
    asked_port: int | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a policy says. ``text`` names the rule or the default; ``waiting`` the rules that
    would have matched if their guests were known. ``limited``: the rule decides so many connections
    a second, and others after it the rest."""

    allowed: bool
    decider: Decider
    text: str
    waiting: tuple[str, ...] = ()
    limited: bool = False


LOCALHOST = "127.0.0.1"
"""The one loopback address by which the host uses its forwards: IPv6 routes none of its own from
another interface, so that answers to ::1 would never come."""


@dataclass(frozen=True, slots=True)
class Led:
    """A connection that is led to a guest, by which rule of which network."""

    connection: Connection
    network: DesiredNetwork
    text: str


def lead(
    networks: Iterable[DesiredNetwork], connection: Connection, gateway_of: DesiredNetwork | None
) -> Led | None:
    """Where a connection to one of the host's own addresses is led; None where it stays.

    ``gateway_of`` is the network whose guest asks the host's address on that very network.
    """
    if connection.target.is_loopback and str(connection.target) != LOCALHOST:
        return None
    if gateway_of is not None and (connection.protocol, connection.port) in _HOSTS_OWN:
        return None
    for network in sorted(networks, key=lambda one: one.record.uuid):
        if network.rules.mode is Mode.ISOLATED:
            continue
        for position, rule, resolved in _pairs(network.network.incoming, network.rules.incoming):
            if not isinstance(resolved, Forward) or not _asks_for(resolved, connection):
                continue
            for guest in resolved.guests:
                if guest.version == connection.target.version:
                    port = _led_port(resolved, connection.port)
                    led = Connection(
                        connection.source,
                        guest,
                        connection.protocol,
                        port,
                        connection.target,
                        connection.port,
                    )
                    return Led(led, network, _named(network, "incoming", position, rule))
    return None


def waiting_forwards(networks: Iterable[DesiredNetwork], connection: Connection) -> tuple[str, ...]:
    """The forwards that would lead a connection to a guest if they knew where it is."""
    return tuple(
        _named(network, "incoming", position, rule)
        for network in networks
        for position, rule, resolved in _pairs(network.network.incoming, network.rules.incoming)
        if isinstance(resolved, Forward) and not resolved.guests and _asks_for(resolved, connection)
    )


def outgoing(network: DesiredNetwork, connection: Connection) -> Ruling:
    """What a network's policy says of what its guest opens."""
    return _ruling(network, "outgoing", connection)


def incoming(network: DesiredNetwork, connection: Connection) -> Ruling:
    """What a network's policy says of what reaches its guest."""
    return _ruling(network, "incoming", connection)


def _ruling(network: DesiredNetwork, direction: str, connection: Connection) -> Ruling:
    if network.rules.mode is Mode.ISOLATED:
        return Ruling(False, Decider.ISOLATED, f"{network.record.name} is isolated")
    inward = direction == "incoming"
    written = network.network.incoming if inward else network.network.outgoing
    resolved_policy = network.rules.incoming if inward else network.rules.outgoing
    asked_counts = inward and any(
        isinstance(rule, Forward) and rule.ports != rule.guest_ports
        for rule in resolved_policy.rules
    )
    waiting: list[str] = []
    for position, rule, resolved in _pairs(written, resolved_policy):
        if isinstance(resolved, Forward):
            if _lets_in(resolved, connection):
                text = _named(network, direction, position, rule)
                limited = resolved.limit is not None
                return Ruling(True, Decider.RULE, text, tuple(waiting), limited)
        elif resolved.guests == frozenset():
            if _matches(resolved, connection, guest=None, asked_counts=asked_counts):
                waiting.append(_named(network, direction, position, rule))
        else:
            guest = connection.target if inward else connection.source
            if _matches(resolved, connection, guest=guest, asked_counts=asked_counts):
                allowed = resolved.action is Action.ALLOW
                text = _named(network, direction, position, rule)
                limited = resolved.limit is not None
                return Ruling(allowed, Decider.RULE, text, tuple(waiting), limited)
    default = resolved_policy.default
    text = f"default {default} of <{direction}> of {network.record.name}"
    return Ruling(default is Action.ALLOW, Decider.DEFAULT, text, tuple(waiting))


def _pairs(
    written: Policy, resolved: PolicyRules
) -> Iterator[tuple[int, Rule, PolicyRule | Forward]]:
    """The rules that are switched on, each with its place in the document and its addresses."""
    enabled = [(at, rule) for at, rule in enumerate(written.rules) if rule.enabled]
    for (position, rule), found in zip(enabled, resolved.rules, strict=True):
        yield position, rule, found


def _named(network: DesiredNetwork, direction: str, position: int, rule: Rule) -> str:
    words = describe(rule, outgoing=direction == "outgoing")
    return f"rule {position + 1} of <{direction}> of {network.record.name}: {words}"


def _asks_for(forward: Forward, connection: Connection) -> bool:
    """Whether a connection to the host asks for what a forward leads to a guest."""
    return (
        _speaks(forward.protocol, connection.protocol)
        and connection.protocol in ("tcp", "udp")
        and _in(forward.ports, connection.port)
        and (forward.source is None or connection.source in forward.source)
        and (forward.address is None or connection.target in forward.address)
    )


def _led_port(forward: Forward, port: int) -> int:
    if len(forward.guest_ports) == 1:
        return forward.guest_ports.first
    return forward.guest_ports.first + port - forward.ports.first


def _lets_in(forward: Forward, connection: Connection) -> bool:
    """Whether a connection was led to where a forward leads, and from where it may come."""
    return (
        connection.asked is not None
        and connection.target in forward.guests
        and _speaks(forward.protocol, connection.protocol)
        and _in(forward.guest_ports, connection.port)
        and (connection.asked_port is None or _in(forward.ports, connection.asked_port))
        and (forward.source is None or connection.source in forward.source)
        and (forward.address is None or connection.asked in forward.address)
    )


def _matches(
    rule: PolicyRule, connection: Connection, *, guest: Address | None, asked_counts: bool
) -> bool:
    """Whether a rule matches; ``guest`` is the end that its guest would have to be, None to leave
    that out."""
    if rule.ports is not None:
        if connection.protocol not in ("tcp", "udp"):
            return False
        asked = (
            asked_counts
            and rule.action is Action.DENY
            and connection.asked_port is not None
            and _in(rule.ports, connection.asked_port)
        )
        if not asked and not _in(rule.ports, connection.port):
            return False
    return (
        _speaks(rule.protocol, connection.protocol)
        and (rule.source is None or connection.source in rule.source)
        and (rule.destination is None or connection.target in rule.destination)
        and (rule.guests is None or guest is None or guest in rule.guests)
    )


def _speaks(wanted: Protocol | None, protocol: str) -> bool:
    return wanted is None or wanted.value == protocol.removesuffix("v6")


def _in(ports: PortRange, port: int) -> bool:
    return ports.first <= port <= ports.last
