"""What has to become of a connection in the laboratory, read off the documents: the first rule
that matches decides.

Written without looking at how any driver does it. It knows documents, not resources; a rule with
a limit counts as one without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from uuid import uuid5

from tests.support.firewall_lab import (
    ADDRESSES,
    GUESTS,
    HOST_PORTS,
    PORTS,
    SPACE,
    address,
)
from tests.support.packets import Answer, Fate, Probe
from vnet_tui.engine.model import Action, Address, Mode, Network, PortRange, Protocol, Rule

HOST = ("host", "host2", "gw-foo", "gw-bar", "loopback")
_OWN_SERVICES = {("tcp", 53), ("udp", 53), ("udp", 67), ("udp", 547)}


@dataclass(frozen=True, slots=True)
class Expected:
    """A fate, and where it is to pass, who answers (empty: whoever pings) and whom that one sees
    (an address; empty: it doesn't tell)."""

    fate: Fate
    server: str = ""
    seen_from: str = ""

    def wrong(self, answer: Answer) -> bool:
        """Whether what happened is something else."""
        told = self.fate is Fate.PASS and bool(self.server)
        return answer.fate is not self.fate or (
            told and (answer.server, answer.seen_from) != (self.server, self.seen_from)
        )


@dataclass(frozen=True, slots=True)
class _Packet:
    protocol: str
    source: Address
    target: Address
    port: int
    asked: Address | None = None
    asked_port: int | None = None


def expected(networks: Mapping[str, Network], probe: Probe, family: int) -> Expected:
    """What becomes of a probe while these networks run, by name."""
    target = ip_address(probe.to)
    packet = _Packet(probe.protocol, _source(probe, family), target, probe.port)
    machine = _machine(target)
    if machine == "host":
        led = _led(networks, probe.who, packet)
        if led is None:
            return _answer("host", packet, HOST_PORTS, packet.source)
        packet = led
        machine = _machine(packet.target)
    home, away = GUESTS.get(probe.who), GUESTS.get(machine)
    if probe.who != "host" and home != away:  # what the host itself opens asks no policy
        if home is not None and not _allowed(networks[home], packet, outgoing=True):
            return Expected(Fate.DENIED)
        if away is not None and not _allowed(networks[away], packet, outgoing=False):
            return Expected(Fate.DENIED)
    return _answer(machine, packet, PORTS, _seen(networks, packet, home, away))


def _answer(machine: str, packet: _Packet, ports: tuple[int, ...], seen: Address) -> Expected:
    if packet.protocol == "icmp":
        return Expected(Fate.PASS)
    if packet.port in ports:
        return Expected(Fate.PASS, machine, str(seen))
    return Expected(Fate.REFUSED)


def _seen(
    networks: Mapping[str, Network], packet: _Packet, home: str | None, away: str | None
) -> Address:
    """The address from which a packet comes for who gets it.

    What leaves a network with NAT has the host's, and so has what a forward leads back to where it
    came from, since the answer has to come back through the host.
    """
    version = packet.source.version
    led = packet.asked is not None
    if led and away is not None and _machine(packet.source) == "host":
        return _gateway(away, version)
    if home is not None and home == away:
        return _gateway(home, version) if led else packet.source
    if home is not None and networks[home].mode is Mode.NAT:
        return ip_address(address("host" if away is None else f"gw-{away}", version))
    return packet.source


def _led(networks: Mapping[str, Network], who: str, packet: _Packet) -> _Packet | None:
    """The packet on its way to a guest, if a forward leads it there."""
    home = GUESTS.get(who)
    at_gateway = home is not None and packet.target == _gateway(home, packet.target.version)
    if at_gateway and (packet.protocol, packet.port) in _OWN_SERVICES:
        return None
    if packet.target == ip_address("::1") or packet.protocol == "icmp":
        return None
    for name in sorted(networks, key=lambda one: uuid5(SPACE, one)):
        network = networks[name]
        for rule in network.incoming.rules if network.mode is not Mode.ISOLATED else ():
            if _is_forward(rule) and _asks_for(rule, packet):
                guest = _guest(rule, packet.target.version)
                if guest is not None:
                    port = _led_port(rule, packet.port)
                    return _Packet(
                        packet.protocol, packet.source, guest, port, packet.target, packet.port
                    )
    return None


def _allowed(network: Network, packet: _Packet, *, outgoing: bool) -> bool:
    if network.mode is Mode.ISOLATED:
        return False
    policy = network.outgoing if outgoing else network.incoming
    for rule in policy.rules:
        if not rule.enabled:
            continue
        if not outgoing and _is_forward(rule):
            if packet.asked is not None and _came_by(rule, packet):
                return True
        elif _matches(rule, packet, outgoing=outgoing, asked_too=not outgoing):
            return rule.action is Action.ALLOW
    return policy.default is Action.ALLOW


def _is_forward(rule: Rule) -> bool:
    return (
        rule.enabled
        and rule.action is Action.ALLOW
        and rule.domain is not None
        and rule.port is not None
    )


def _asks_for(rule: Rule, packet: _Packet) -> bool:
    return (
        _speaks(rule, packet)
        and packet.protocol != "icmp"
        and _within(packet.port, rule.port)
        and (rule.source is None or packet.source in rule.source)
        and (rule.destination is None or packet.target in rule.destination)
    )


def _came_by(rule: Rule, packet: _Packet) -> bool:
    """Whether a packet that was led to a guest was led there by this rule, or one just like it."""
    assert packet.asked is not None
    assert packet.asked_port is not None
    asked = _Packet(packet.protocol, packet.source, packet.asked, packet.asked_port)
    return (
        _asks_for(rule, asked)
        and _guest(rule, packet.target.version) == packet.target
        and _led_port(rule, packet.asked_port) == packet.port
    )


def _matches(rule: Rule, packet: _Packet, *, outgoing: bool, asked_too: bool) -> bool:
    if rule.port is not None:
        if packet.protocol == "icmp":
            return False
        ports = [packet.port]
        if asked_too and rule.action is Action.DENY and packet.asked_port is not None:
            ports.append(packet.asked_port)
        if not any(_within(port, rule.port) for port in ports):
            return False
    if rule.domain is not None:
        end = packet.source if outgoing else packet.target
        if str(end) not in ADDRESSES.get(rule.domain, ()):
            return False
    return (
        _speaks(rule, packet)
        and (rule.source is None or packet.source in rule.source)
        and (rule.destination is None or packet.target in rule.destination)
    )


def _speaks(rule: Rule, packet: _Packet) -> bool:
    return rule.protocol is None or rule.protocol == Protocol(packet.protocol)


def _within(port: int, ports: PortRange | None) -> bool:
    return ports is not None and ports.first <= port <= ports.last


def _led_port(rule: Rule, port: int) -> int:
    assert rule.port is not None
    to = rule.destport or rule.port
    return to.first + (port - rule.port.first if len(to) > 1 else 0)


def _guest(rule: Rule, family: int) -> Address | None:
    if rule.domain not in GUESTS:
        return None
    return ip_address(address(rule.domain, family))


def _gateway(network: str, family: int) -> Address:
    return ip_address(address(f"gw-{network}", family))


def _machine(target: Address) -> str:
    name = next(name for name, both in ADDRESSES.items() if str(target) in both)
    return "host" if name in HOST else "outside" if name == "friend" else name


def _source(probe: Probe, family: int) -> Address:
    """The address that a machine's kernel comes from."""
    if probe.source:
        return ip_address(probe.source)
    if probe.who != "host":
        return ip_address(address(probe.who, family))
    machine = _machine(ip_address(probe.to))
    if probe.to == address("host2", 4):  # the second of a subnet comes from the first
        return ip_address(address("host", 4))
    if machine == "host":
        return ip_address(probe.to)
    return ip_address(address(f"gw-{GUESTS[machine]}" if machine in GUESTS else "host", family))
