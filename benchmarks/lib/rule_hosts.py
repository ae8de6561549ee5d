"""Hosts with rules: each with one network, a guest and a machine outside, for
:mod:`benchmarks.rules`.

All live in one arena, each in namespaces of its own with the rules that it was made with: asking
one after another takes no loading in between.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID

from benchmarks.lib import rule_peers
from benchmarks.lib.rule_peers import Place, Rules
from benchmarks.lib.rule_traffic import Target
from vnet_tui.engine.drivers.firewall.iptables.driver import IptablesDriver
from vnet_tui.engine.drivers.firewall.nftables import NftablesDriver
from vnet_tui.engine.drivers.firewall.protocol import FirewallDriver
from vnet_tui.engine.model import Action, Address, Network, PortRange, Protocol, Rule
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.policy import network_rules
from vnet_tui.engine.resources import Ruleset
from vnet_tui.engine.steps import SetFirewall
from vnet_tui.engine.xml import parse
from vnet_tui.sandbox.namespaces import NamedNamespace, inside, veth

POLICIES, FORWARDS, MIXED = "policies", "forwards", "mixed policies"
"""Ports that are refused, ports that are led to the guest, and rules of which no two that follow
each other can share a set and none can change its place."""

NFTABLES, IPTABLES = "vnet nftables", "vnet iptables"
OURS = (NFTABLES, IPTABLES)

PLACE = Place(bridge="vnet-bench", subnet="10.99.0.0/24", guest="10.99.0.10", host="198.51.100.1")
GATEWAY, OUTSIDE = "10.99.0.1", "198.51.100.2"
UUID_ = UUID("5b1f6a52-8f0c-4a3e-9d53-3c9f3f2b1a01")
SERVED, ECHOED = 80, 81
"""What is open whatever the rules are: where connections are dropped, and where they are held."""

FIRST, STEP = 2_000, 3
"""Rules are about every third port from ``FIRST`` on. All are below those that clients come from,
since the rules of hook scripts meet answers, too."""

USED = 16
"""So many forwards are used, spread over all."""

NONE = Ruleset(networks={})


@dataclass(frozen=True, slots=True)
class Setting:
    """What a host has: rules of a kind, so many, by one of our drivers or by a peer; ``copy`` tells
    hosts apart that are alike."""

    who: str
    kind: str
    count: int
    copy: int = 0

    @property
    def rules(self) -> Rules:
        """Its rules, one a port; no two ports are neighbours."""
        ports = range(FIRST, FIRST + STEP * self.count, STEP)
        return Rules(PLACE, ports, self.kind == FORWARDS)

    @property
    def forwarded(self) -> list[Target]:
        """The forwards that are used, but the first."""
        ports = self.rules.ports if self.kind == FORWARDS else range(0)
        used = ports[1 :: max(1, len(ports) // USED)][:USED] if len(ports) > 1 else ports
        return [(PLACE.host, port) for port in used]

    @property
    def held(self) -> Target:
        """Where a connection is held: through the first forward, or past all policies."""
        return (PLACE.host, FIRST) if self.kind == FORWARDS else (PLACE.guest, ECHOED)

    @property
    def served(self) -> list[int]:
        """The ports on which the guest drops connections."""
        return [SERVED, *(port for _, port in self.forwarded)]


class Host:
    """One host, its guest and who is outside; ``number`` tells it from others."""

    def __init__(self, number: int, setting: Setting) -> None:
        self.setting = setting
        self.guest, self.outside = f"guest{number}", f"outside{number}"
        self._number, self._name = number, f"host{number}"
        self._now = NONE
        self._driver: FirewallDriver | None = None
        self._build()

    async def load(self) -> None:
        """Put all its rules in place."""
        setting = self.setting
        if setting.who in OURS:
            await self.install(document(setting))
        else:
            with inside(self._name):
                rule_peers.load(setting.who, setting.rules, SERVED)

    async def install(self, network: Network) -> None:
        """Have our driver do what a document says, and look whether it did, as the engine does."""
        if self._driver is None:
            paths = Paths(Path(f"/run/state{self._number}"), Path(f"/run/vnet{self._number}"))
            with inside(self._name):  # where it is first used, it stays
                self._driver = _driver(self.setting.who, paths)
                await self._driver.observe()
        rules = network_rules(network, UUID_, PLACE.bridge, _find_guest)
        after = Ruleset(networks={UUID_: rules})
        await self._driver.set(SetFirewall(before=self._now, after=after))
        await self._driver.observe()
        self._now = after

    def change_one(self, port: int, other: int) -> None:
        """Have a peer change one of its rules."""
        with inside(self._name):
            rule_peers.change_one(self.setting.who, self.setting.rules, port, other)

    async def close(self) -> None:
        """End what it runs; nothing of it is left."""
        if self._driver is not None:
            await self._driver.close()
        lines = [f"netns del {name}" for name in (self._name, self.guest, self.outside)]
        _ip(*lines)

    def _build(self) -> None:
        machines = (self._name, self.guest, self.outside)
        _, guest, outside = (NamedNamespace(name) for name in machines)
        with inside(self._name):
            for knob in ("ipv4/ip_forward", "netfilter/nf_conntrack_tcp_timeout_close"):
                Path("/proc/sys/net", knob).write_text("1")
            _ip(
                f"link add {PLACE.bridge} type bridge",
                f"link set {PLACE.bridge} up",
                f"address add {GATEWAY}/24 dev {PLACE.bridge}",
                f"link add uplink type veth peer eth0 netns {outside.name}",
                "link set uplink up",
                f"address add {PLACE.host}/24 dev uplink",
            )
            veth("port", "eth0", guest, bridge=PLACE.bridge)
        with inside(self.guest):
            _ip(f"address add {PLACE.guest}/24 dev eth0", f"route add default via {GATEWAY}")
        with inside(self.outside):
            _ip(
                f"address add {OUTSIDE}/24 dev eth0",
                "link set eth0 up",
                f"route add {PLACE.subnet} via {PLACE.host}",
            )


def text(setting: Setting) -> str:
    """A document of a network with those rules, open to all that they don't refuse."""
    rules = "".join(_rule(setting.kind, *one) for one in enumerate(setting.rules.ports))
    return (
        f"<network><name>bench</name><uuid>{UUID_}</uuid><bridge name='{PLACE.bridge}'/>"
        f"<dhcp enabled='false'><ip address='{GATEWAY}' prefix='24'/>"
        f"<host name='guest' address='{PLACE.guest}'/></dhcp>"
        f"<forwarding mode='nat'><incoming default='allow'>{rules}</incoming>"
        "</forwarding></network>"
    )


def _rule(kind: str, number: int, port: int) -> str:
    if kind == FORWARDS:
        return f'<allow protocol="tcp" port="{port}" domain="guest"/>'
    if kind == POLICIES:
        return f'<deny protocol="tcp" port="{port}"/>'
    nobody = f"203.{number >> 8}.{number & 255}.0/24"
    if number % 2:
        return f'<deny protocol="tcp" port="{SERVED}" source="{nobody}"/>'
    return f'<deny protocol="tcp" source="{nobody}" destination="{PLACE.guest}"/>'


def document(setting: Setting) -> Network:
    """The same, read."""
    return parse(text(setting))


def edited(network: Network, setting: Setting, number: int) -> Network:
    """The network with one more rule changed, never one that is used: a rule for another port, and
    every other time one that denies."""
    forwarding = network.forwarding
    assert forwarding is not None
    assert forwarding.incoming is not None
    rules = list(forwarding.incoming.rules)
    at = 1 + (number + 1) * 97 % (len(rules) - 2)
    used = {port for _, port in setting.forwarded}
    while (ports := rules[at].port) is None or ports.first in used:
        at += 1
    other = PortRange(first=1_000 + number, last=1_000 + number)
    changed = Rule(action=Action.DENY, protocol=Protocol.TCP, port=other)
    rules[at] = changed if number % 2 else replace(rules[at], port=other)
    incoming = replace(forwarding.incoming, rules=tuple(rules))
    return replace(network, forwarding=replace(forwarding, incoming=incoming))


def _driver(who: str, paths: Paths) -> FirewallDriver:
    if who == IPTABLES:
        return IptablesDriver(paths, "in a benchmark")
    found = NftablesDriver.find(paths)
    if found is None:
        raise SystemExit("needs nftables: apt-get install nftables")
    return found


def _find_guest(name: str) -> frozenset[Address]:
    return frozenset({ip_address(PLACE.guest)}) if name == "guest" else frozenset()


def _ip(*commands: str) -> None:
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)
