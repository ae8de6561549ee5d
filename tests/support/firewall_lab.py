"""A host with networks, guests on them, and a machine outside: where policies meet packets.

Every name stands for an IPv4 and an IPv6 address, so that each expectation is tried twice.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID, uuid5

from tests.support.lab import Lab
from tests.support.packets import Answer, Fate, Machine, Packets, Probe, visiting
from vnet_tui.engine.drivers.firewall.protocol import FirewallDriver, choose
from vnet_tui.engine.model import Address, Network
from vnet_tui.engine.policy import network_rules
from vnet_tui.engine.resources import NetworkRules, Ruleset, rules_digest
from vnet_tui.engine.steps import SetFirewall
from vnet_tui.engine.xml import parse

SPACE = UUID("3c0bd4c4-1111-4000-8000-000000000000")

SUBNETS = {"foo": ("10.0.0", "fd00:a::"), "bar": ("10.0.1", "fd00:b::")}

ADDRESSES: Mapping[str, tuple[str, str]] = {
    "host": ("198.51.100.1", "2001:db8::1"),
    "host2": ("198.51.100.9", "2001:db8::9"),
    "outside": ("198.51.100.2", "2001:db8::2"),
    "friend": ("198.51.100.3", "2001:db8::3"),
    "gw-foo": ("10.0.0.1", "fd00:a::1"),
    "gw-bar": ("10.0.1.1", "fd00:b::1"),
    "web": ("10.0.0.10", "fd00:a::10"),
    "mail": ("10.0.0.11", "fd00:a::11"),
    "bob": ("10.0.1.10", "fd00:b::10"),
    "loopback": ("127.0.0.1", "::1"),
}
"""What the machines are called, and what they are reached by. ``friend`` is ``outside`` too."""

GUESTS = {"web": "foo", "mail": "foo", "bob": "bar"}
PORTS = (25, 53, 80, 123, 321, 2000, 5000, 6000, 6001, 6002, 7001)
HOST_PORTS = (53, 8000)

HOST_SETTINGS = {
    "ipv4/ip_forward": "1",
    "ipv6/conf/all/forwarding": "1",
    "ipv6/conf/default/accept_dad": "0",
}
"""What routes, and needn't wait for addresses."""

NO_LIMIT = {"ipv4/icmp_ratemask": "0", "ipv6/icmp/ratemask": ""}
"""No kind of ICMP is limited (ip-sysctl.rst): a test gets more refusals, from the host and from
others, than they would send in its time; and one second has a limit for all together."""

EMPTY = Ruleset(networks={})


@dataclass(frozen=True, slots=True)
class Row:
    """``who`` tries to reach ``to``; ``fate`` is what has to become of it.

    ``server`` is who has to answer (``to`` unless said), ``seen`` as whom it has to see the asker
    (a name), ``source`` the name of the address to come from, ``families`` what is tried.
    """

    who: str
    protocol: str
    to: str
    port: int
    fate: Fate
    server: str = ""
    seen: str = ""
    source: str = ""
    families: tuple[int, ...] = (4, 6)

    def probes(self) -> Iterable[tuple[int, Probe]]:
        """One probe a family."""
        for family in self.families:
            source = address(self.source, family) if self.source else ""
            to = address(self.to, family)
            yield family, Probe(self.who, self.protocol, to, self.port, source)

    def wrong(self, family: int, answer: Answer) -> str:
        """What is wrong with an answer, in words; empty when it is right."""
        expected, got = f"{self.fate}", f"{answer.fate}"
        if self.fate is Fate.PASS and answer.fate is Fate.PASS:
            server = self.server or self.to
            if self.protocol == "icmp":
                server = address(server, family)
            if server in ADDRESSES or ":" in server or "." in server:
                expected += f" to {server}"
                got += f" to {answer.server}"
            if self.seen:
                expected += f" from {address(self.seen, family)}"
                got += f" from {answer.seen_from}"
        if expected == got:
            return ""
        return f"IPv{family} {self}: expected {expected}, got {got}"


def address(name: str, family: int) -> str:
    """A name's address; other text stands for itself."""
    return ADDRESSES[name][0 if family == 4 else 1] if name in ADDRESSES else name


def rows(table: str) -> tuple[Row, ...]:
    """Rows from lines ``who protocol to[:port] fate [key=value…]``; ``tcp+udp`` makes two."""
    made: list[Row] = []
    for line in filter(None, map(str.strip, table.splitlines())):
        who, protocols, target, fate, *more = line.split()
        to, _, port = target.partition(":")
        options = dict(item.split("=") for item in more)
        families = tuple(int(digit) for digit in options.pop("families", "46"))
        made.extend(
            Row(who, protocol, to, int(port or 0), Fate(fate), families=families, **options)
            for protocol in protocols.split("+")
        )
    return tuple(made)


def network(name: str, forwarding: str) -> Network:
    """Network ``foo`` or ``bar``, dual-stack, with that ``<forwarding>``."""
    four, six = SUBNETS[name]
    return parse(
        f"<network><name>{name}</name><uuid>{uuid5(SPACE, name)}</uuid>"
        f'<bridge name="vnet-{name}"/>'
        f'<dhcp enabled="false"><ip address="{four}.1" prefix="24"/>'
        f'<ip address="{six}1" prefix="64"/></dhcp>{forwarding}</network>'
    )


def find_guest(name: str) -> frozenset[Address]:
    """Where the guests of the laboratory are."""
    return frozenset(map(ip_address, ADDRESSES[name])) if name in GUESTS else frozenset()


def ruleset(**forwarding: str) -> Ruleset:
    """The rules for networks by name, each with its ``<forwarding>``."""
    made: dict[UUID, NetworkRules] = {}
    for name, text in forwarding.items():
        uuid = uuid5(SPACE, name)
        made[uuid] = network_rules(network(name, text), uuid, f"vnet-{name}", find_guest)
    return Ruleset(networks=made)


def digests(rules: Ruleset) -> dict[UUID, str]:
    """What a driver has to observe where these rules are installed."""
    return {uuid: rules_digest(item) for uuid, item in rules.networks.items()}


def set_bridge_netfilter(on: bool) -> None:
    """Whether bridged packets go through IP hooks too, where the kernel has that loaded."""
    for knob in Path("/proc/sys/net/bridge").glob("bridge-nf-call-ip*tables"):
        knob.write_text("1" if on else "0")


class FirewallLab:
    """The host with both bridges and an uplink, all machines listening, and one driver."""

    def __init__(
        self, lab: Lab, driver: FirewallDriver | None = None, *, bridge_netfilter: bool = False
    ) -> None:
        self.lab = lab
        self.bridge_netfilter = bridge_netfilter
        self.driver = driver or choose("nftables", lab.paths)
        self.now = EMPTY
        self.machines: dict[str, Machine] = {"host": None}
        self._build()
        self.packets = Packets(self.machines)
        for name in self.machines:
            self.packets.listen(name, *(HOST_PORTS if name == "host" else PORTS))

    async def install(self, rules: Ruleset | None = None, **forwarding: str) -> None:
        """Go from the rules that are there to these."""
        after = ruleset(**forwarding) if rules is None else rules
        await self.driver.set(SetFirewall(before=self.now, after=after))
        self.now = after

    async def write_anew(self) -> None:
        """Have the rules that are there written as if they weren't."""
        await self.driver.set(SetFirewall(before=self.now, after=self.now, rewrite=True))

    def check(self, table: str | Sequence[Row]) -> None:
        """All rows at once; fails naming every row that isn't as it should be."""
        expected = rows(table) if isinstance(table, str) else table
        pairs = [(row, family, probe) for row in expected for family, probe in row.probes()]
        answers = self.packets.probe([probe for _, _, probe in pairs])
        wrong = [
            text
            for (row, family, _), answer in zip(pairs, answers, strict=True)
            if (text := row.wrong(family, answer))
        ]
        assert not wrong, "\n".join(wrong)

    async def close(self) -> None:
        """Close listeners and driver."""
        self.packets.close()
        await self.driver.close()

    def _build(self) -> None:
        _set(HOST_SETTINGS)
        set_bridge_netfilter(self.bridge_netfilter)
        outside = self.lab.machine("outside")
        commands = ["link add uplink type veth peer eth0 netns outside", "link set uplink up"]
        for address_ in (*ADDRESSES["host"], *ADDRESSES["host2"]):
            # Not preferred, so that nobody has a choice between two IPv6 addresses.
            spare = " preferred_lft 0" if address_ in ADDRESSES["host2"] else ""
            commands.append(f"address add {_long(address_)} dev uplink{spare}")
        for name, (four, six) in SUBNETS.items():
            commands += [
                f"link add vnet-{name} type bridge",
                f"link set vnet-{name} up",
                f"address add {four}.1/24 dev vnet-{name}",
                f"address add {six}1/64 dev vnet-{name}",
            ]
        _batch(commands)
        for name in SUBNETS:  # as the engine does for networks with forwards
            Path(f"/proc/sys/net/ipv4/conf/vnet-{name}/route_localnet").write_text("1")
        inside = ["link set eth0 up"]
        for address_ in (*ADDRESSES["outside"], *ADDRESSES["friend"]):
            spare = " preferred_lft 0" if address_ in ADDRESSES["friend"] else ""
            inside.append(f"address add {_long(address_)} dev eth0{spare}")
        inside.append(f"route add 10.0.0.0/8 via {ADDRESSES['host'][0]}")
        inside.append(f"route add fd00::/8 via {ADDRESSES['host'][1]}")
        _batch(inside, outside.name)
        self.machines["outside"] = outside
        for name, of in GUESTS.items():
            machine = self.lab.guest(name, f"vnet-{of}")
            four, six = SUBNETS[of]
            setup = [f"address add {_long(address_)} dev eth0" for address_ in ADDRESSES[name]]
            setup += [f"route add default via {four}.1", f"route add default via {six}1"]
            _batch(setup, machine.name)
            self.machines[name] = machine
        for one in self.machines.values():
            with visiting(one):
                _set(NO_LIMIT)


def _set(knobs: Mapping[str, str]) -> None:
    for knob, value in knobs.items():
        Path("/proc/sys/net", knob).write_text(f"{value}\n")


def _long(text: str) -> str:
    return f"{text}/64 nodad" if ":" in text else f"{text}/24"


def _batch(commands: Sequence[str], namespace: str = "") -> None:
    where = ["-n", namespace] if namespace else []
    subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(commands), check=True, text=True)
