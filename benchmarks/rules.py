"""What ten thousand rules cost: new connections a second, one edit, loading, connections lost.

Run it with ``python -m benchmarks.rules`` from the checkout, as root (all is done in namespaces of
its own). It needs the test environment, nftables and ip(8), and takes some minutes. The peer has
plain rules, one for each port and one after another, as libvirt writes its own and hook scripts
write forwards.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from statistics import median
from uuid import UUID

from benchmarks.lib import arena
from benchmarks.lib.report import Comparison, print_report
from vnet_tui.engine.drivers.firewall.nftables import NftablesDriver
from vnet_tui.engine.model import Action, Address, Network, PortRange, Protocol, Rule
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.policy import network_rules
from vnet_tui.engine.resources import Ruleset
from vnet_tui.engine.steps import SetFirewall
from vnet_tui.engine.xml import parse
from vnet_tui.sandbox.namespaces import CLONE_NEWNET, NamedNamespace, setns, veth

COUNTS = (0, 100, 1_000, 10_000)
RATE_BOUND = 1 / 0.95
"""A connection may take so much longer than without rules: 5 % fewer of them a second."""

EDIT_MILLISECONDS = 20.0
INSIDE = "inside"
POLICIES, FORWARDS = "policies", "forwards"
OURS, PLAIN = "vnet", "plain rules"

BRIDGE, GUEST, HOST, OUTSIDE = "vnet-bench", "10.99.0.10", "198.51.100.1", "198.51.100.2"
UUID_ = UUID("5b1f6a52-8f0c-4a3e-9d53-3c9f3f2b1a01")
FIRST, ASKED, SERVED = 20_000, 80, 80
"""Rules are about ports from ``FIRST`` on; forwards, too, of which the last one is used."""

NONE = Ruleset(networks={})


def main() -> None:
    """Measure, in turns, and print ratios of medians; fail where a bound doesn't hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="times each is measured")
    parser.add_argument("--seconds", type=float, default=1.0, help="of connections, each time")
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("needs root, to make network namespaces")
    with arena.Arena("benchmarks.rules", INSIDE) as inside:
        holds = True
        for kind in (POLICIES, FORWARDS):
            holds = _rates(inside, kind, options) and holds
        for kind in (POLICIES, FORWARDS):
            holds = _work(inside, kind, options.rounds) and holds
        for kind in (POLICIES, FORWARDS):
            made, lost, edits = inside.ask(["lost", kind, COUNTS[-1], 5 * options.seconds])
            verdict = "" if lost == 0 else "  EXCEEDED"
            print(f"{kind}: {edits} edits while {made} connections were made: {lost} lost{verdict}")
            holds = holds and lost == 0
    sys.exit(not holds)


def _rates(inside: arena.Arena, kind: str, options: argparse.Namespace) -> bool:
    """Microseconds a new connection, through so many rules, ours and plain ones."""
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(options.rounds):
        for count in COUNTS:
            for who in (OURS, PLAIN):
                rate = inside.ask(["rate", kind, count, who, options.seconds])
                found.setdefault((who, count), []).append(1e6 / rate)
    none = found[OURS, COUNTS[0]]
    print(f"{kind}: a new connection; without rules {1e6 / median(none):,.0f} a second")
    ours = [
        Comparison(
            what=f"{count} rules", unit="µs", ours=found[OURS, count], peers=none, bound=RATE_BOUND
        )
        for count in COUNTS[1:]
    ]
    plain = [
        Comparison(
            what=f"{count} rules", unit="µs", ours=found[OURS, count], peers=found[PLAIN, count]
        )
        for count in COUNTS[1:]
    ]
    holds = print_report("no rules", ours)
    print_report(PLAIN, plain)
    print()
    return holds


def _work(inside: arena.Arena, kind: str, rounds: int) -> bool:
    """Milliseconds to load the rules, and to change one of them."""
    count = COUNTS[-1]
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for what, value in inside.ask(["work", kind, count]).items():
            found.setdefault(what, []).extend(value)
    print(f"{kind}: {count} rules")
    print_report(
        PLAIN,
        [
            Comparison(what=what, unit="ms", ours=found[what], peers=found[f"plain {what}"])
            for what in ("load", "change one")
        ],
    )
    took = median(found["of the engine's time"])
    holds = took <= EDIT_MILLISECONDS
    verdict = "" if holds else "  EXCEEDED"
    allowed = f"{EDIT_MILLISECONDS:g} allowed{verdict}"
    print(f"changing one takes {took:.1f} ms of the engine's time, {allowed}")
    print()
    return holds


# Inside


async def inside() -> None:
    """Make the machines, and answer."""
    bench = Bench()
    with bench.server():
        for question, *rest in arena.questions():
            arena.answer(await getattr(bench, question)(*rest))


class Bench:
    """A host with one network, a guest that serves, and a client outside."""

    def __init__(self) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        self._guest, self._outside = NamedNamespace("guest"), NamedNamespace("outside")
        _ip(
            f"link add {BRIDGE} type bridge",
            f"link set {BRIDGE} up",
            f"address add 10.99.0.1/24 dev {BRIDGE}",
        )
        veth("p-guest", "eth0", self._guest, bridge=BRIDGE)
        _ip(
            f"address add {GUEST}/24 dev eth0",
            "link set eth0 up",
            "route add default via 10.99.0.1",
            of=self._guest,
        )
        _ip(
            "link add uplink type veth peer eth0 netns outside",
            "link set uplink up",
            f"address add {HOST}/24 dev uplink",
        )
        _ip(
            f"address add {OUTSIDE}/24 dev eth0",
            "link set eth0 up",
            f"route add 10.99.0.0/24 via {HOST}",
            of=self._outside,
        )
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        Path("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close").write_text("1")
        found = NftablesDriver.find(Paths(Path("/run/state"), Path("/run/vnet")))
        if found is None:
            raise SystemExit("needs nftables: apt-get install nftables")
        self._driver = found
        self._now = NONE

    @contextmanager
    def server(self) -> Iterator[None]:
        """The guest accepts connections and drops them."""
        child = os.fork()
        if child == 0:
            _enter(self._guest)
            with socket.create_server(("", SERVED), backlog=4096) as listening:
                while True:
                    listening.accept()[0].close()
        try:
            yield
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    async def rate(self, kind: str, count: int, who: str, seconds: float) -> float:
        """New connections a second."""
        if who == OURS:
            await self._install(_network(kind, count))
            made, lost = _finish(self._client(kind, count, seconds))
            await self._install(None)
        else:
            _nft(_plain(kind, count))
            made, lost = _finish(self._client(kind, count, seconds))
            _nft("delete table inet plain\n")
        assert not lost, f"{lost} of {made} connections failed"
        return made / seconds

    async def work(self, kind: str, count: int) -> dict[str, list[float]]:
        """How long loading and editing take, ours and of plain rules."""
        network = _network(kind, count)
        found: dict[str, list[float]] = {"change one": [], "of the engine's time": []}
        began = time.perf_counter()
        await self._install(network)
        found["load"] = [_since(began)]
        for number in range(10):
            edited = _edited(network, number)
            began, busy = time.perf_counter(), time.process_time()
            await self._install(edited)
            await self._driver.observe()
            found["of the engine's time"].append((time.process_time() - busy) * 1e3)
            found["change one"].append(_since(began))
        await self._install(None)
        rules = _plain(kind, count)
        began = time.perf_counter()
        _nft(rules)
        found["plain load"] = [_since(began)]
        began = time.perf_counter()
        handle = _first_handle()
        _nft(f"replace rule inet plain forward handle {handle} tcp dport 19999 accept\n")
        found["plain change one"] = [_since(began)]
        _nft("delete table inet plain\n")
        return found

    async def lost(self, kind: str, count: int, seconds: float) -> tuple[int, int, int]:
        """Connections made and lost while a rule is edited ten times a second."""
        network = _network(kind, count)
        await self._install(network)
        client = self._client(kind, count, seconds)
        edits, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            await self._install(_edited(network, edits))
            edits += 1
            await asyncio.sleep(max(0.0, 0.1 - (time.monotonic() - began)))
        made, lost = _finish(client)
        await self._install(None)
        return made, lost, edits

    async def _install(self, network: Network | None) -> None:
        after = NONE
        if network is not None:
            rules = network_rules(network, UUID_, BRIDGE, _find_guest)
            after = Ruleset(networks={UUID_: rules})
        await self._driver.set(SetFirewall(before=self._now, after=after))
        self._now = after

    def _client(self, kind: str, count: int, seconds: float) -> tuple[int, int]:
        """Start connecting from outside; :func:`_finish` waits for its end."""
        target = (HOST, FIRST + count) if kind == FORWARDS and count else (GUEST, ASKED)
        reading, writing = os.pipe()
        child = os.fork()
        if child:
            os.close(writing)
            return child, reading
        _enter(self._outside)
        made = lost = 0
        reset = struct.pack("ii", 1, 0)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with socket.socket() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                connection.settimeout(5)
                if connection.connect_ex(target) == 0:
                    made += 1
                else:
                    lost += 1
        os.write(writing, f"{made} {lost}".encode())
        os._exit(0)


def _finish(client: tuple[int, int]) -> tuple[int, int]:
    """Connections that a client made and lost."""
    child, reading = client
    with os.fdopen(reading) as pipe:
        made, lost = map(int, pipe.read().split())
    os.waitpid(child, 0)
    return made, lost


def _network(kind: str, count: int) -> Network:
    """So many rules beside what is used: ports that are denied, or that lead to the guest.

    Of forwards the last is used; of policies none, so that all have to be ruled out.
    """
    if kind == POLICIES:
        rules = "".join(f'<deny protocol="tcp" port="{FIRST + at}"/>' for at in range(1, count + 1))
        incoming = f'<incoming default="allow">{rules}</incoming>'
    else:
        rules = "".join(
            f'<allow protocol="tcp" port="{FIRST + at}" domain="guest" destport="{SERVED}"/>'
            for at in range(1, count + 1)
        )
        incoming = f'<incoming default="{"deny" if count else "allow"}">{rules}</incoming>'
    return parse(
        f"<network><name>bench</name><uuid>{UUID_}</uuid><bridge name='{BRIDGE}'/>"
        "<dhcp enabled='false'><ip address='10.99.0.1' prefix='24'/></dhcp>"
        f"<forwarding mode='route'>{incoming}</forwarding></network>"
    )


def _edited(network: Network, number: int) -> Network:
    """The same with one rule changed, another one each time; never the one that is used."""
    forwarding = network.forwarding
    assert forwarding is not None
    assert forwarding.incoming is not None
    rules = list(forwarding.incoming.rules)
    at = number * 97 % (len(rules) - 1)
    other = PortRange(first=1_000 + number, last=1_000 + number)
    changed = Rule(action=Action.DENY, protocol=Protocol.TCP, port=other)
    rules[at] = changed if number % 2 else replace(rules[at], port=other)
    incoming = replace(forwarding.incoming, rules=tuple(rules))
    return replace(network, forwarding=replace(forwarding, incoming=incoming))


def _find_guest(name: str) -> frozenset[Address]:
    return frozenset({ip_address(GUEST)}) if name == "guest" else frozenset()


def _plain(kind: str, count: int) -> str:
    """The same as plain rules: interface first, one rule a port."""
    lines = [
        "add table inet plain",
        "add chain inet plain forward { type filter hook forward priority 0; }",
        "add chain inet plain nat { type nat hook prerouting priority -100; }",
        f'add rule inet plain forward oifname "{BRIDGE}" ct state established,related accept',
        f'add rule inet plain forward iifname "{BRIDGE}" accept',
    ]
    for port in range(FIRST + 1, FIRST + count + 1):
        if kind == POLICIES:
            lines.append(f'add rule inet plain forward oifname "{BRIDGE}" tcp dport {port} reject')
            continue
        lines.append(
            f"add rule inet plain nat ip daddr {HOST} tcp dport {port} dnat ip to {GUEST}:{SERVED}"
        )
        lines.append(
            f'add rule inet plain forward oifname "{BRIDGE}" ip daddr {GUEST} '
            f"tcp dport {SERVED} ct original proto-dst {port} accept"
        )
    return "\n".join([*lines, ""])


def _nft(commands: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=commands, text=True, check=True)


def _first_handle() -> str:
    """What a program that keeps no handles has to find out before it replaces a rule."""
    listed = subprocess.run(
        ["nft", "-a", "list", "chain", "inet", "plain", "forward"],
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(one for one in listed.stdout.splitlines() if "dport" in one)
    return line.rsplit(" ", 1)[1]


def _ip(*commands: str, of: NamedNamespace | None = None) -> None:
    where = ["-n", of.name] if of else []
    subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(commands), text=True, check=True)


def _enter(machine: NamedNamespace) -> None:
    there = os.open(machine.path, os.O_RDONLY)
    setns(there, CLONE_NEWNET)
    os.close(there)


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    if sys.argv[1:] == [INSIDE]:
        asyncio.run(inside())
    else:
        main()
