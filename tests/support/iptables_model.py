"""Legacy tables on paper: where a packet ends that goes through chains as they are compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from vnet_tui.engine.drivers.firewall.iptables.rules import Chains, Extension, Rule

VERDICTS = {"REJECT", "DNAT", "MASQUERADE"}


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of a connection, by default the first. ``asked``: the port before a translation, if
    any; ``back``: it answers, and its ends are still those of the connection."""

    protocol: str
    source: str
    destination: str
    port: int = 0
    came_in: str = ""
    goes_out: str = ""
    asked: int | None = None
    established: bool = False
    back: bool = False


class Walk:
    """A packet on its way through a chain: the rule that decided (None: it came to the end), the
    key of the rule that counted it last, and how many rules it met."""

    def __init__(self, chains: Chains, chain: str, packet: Packet) -> None:
        self._chains = chains
        self._packet = packet
        self.met = 0
        self.key = ""
        self.decided: Rule | None = None
        self._walk(chain)

    def _walk(self, chain: str) -> bool:
        """Whether the packet's way ends within the chain."""
        while True:
            for rule in self._chains[chain]:
                self.met += 1
                if not matches(rule, self._packet):
                    continue
                self.key = rule.key or self.key
                if rule.target == "RETURN":
                    return False
                if rule.target in VERDICTS:
                    self.decided = rule
                    return True
                if rule.target not in self._chains:
                    self.decided = rule  # a chain of somebody else's
                    return True
                if rule.goto:
                    chain = rule.target
                    break
                if self._walk(rule.target):
                    return True
            else:
                return False


def matches(rule: Rule, packet: Packet) -> bool:
    """Whether a rule is about a packet."""
    return (
        _address(rule.source, packet.source)
        and _address(rule.destination, packet.destination)
        and _interface(rule.came_in, packet.came_in)
        and _interface(rule.goes_out, packet.goes_out)
        and rule.protocol in ("", packet.protocol)
        and all(_matches(match, packet) for match in rule.matches)
    )


def _address(wanted: str, address: str) -> bool:
    return not wanted or ip_address(address) in ip_network(wanted)


def _interface(wanted: str, name: str) -> bool:
    if wanted.endswith("+"):
        return name.startswith(wanted[:-1])
    return wanted in ("", name)


def _matches(match: Extension, packet: Packet) -> bool:
    options: Mapping[str, str] = dict(match.options)
    if match.name in ("tcp", "udp"):
        return _ports(options["dport"].split(","), packet.port)
    if match.name == "multiport":
        return _ports(options["dports"].split(","), packet.port)
    if match.name == "conntrack":
        return all(_connection(name, value, packet) for name, value in options.items())
    raise AssertionError(f"{match} is unknown here")


def _connection(option: str, value: str, packet: Packet) -> bool:
    """What the kernel knows of the connection."""
    asked = packet.port if packet.asked is None else packet.asked
    if option == "ctstate":
        known = {"DNAT": packet.asked is not None, "RELATED,ESTABLISHED": packet.established}
        return known[value]
    if option == "ctdir":
        return packet.back == (value == "REPLY")
    if option in ("ctorigdstport", "ctreplsrcport"):
        return _ports([value], asked if option == "ctorigdstport" else packet.port)
    return _address(value, packet.source if option == "ctorigsrc" else packet.destination)


def _ports(wanted: Sequence[str], port: int) -> bool:
    for item in wanted:
        first, _, last = item.partition(":")
        if int(first) <= port <= int(last or first):
            return True
    return False
