"""The same rules as others write them: one after another, for :mod:`benchmarks.rules`.

*libvirt* is libvirt's own layout for a network with NAT (the chains ``LIBVIRT_*`` that libvirt 9
makes) behind rules as hook scripts insert them (libvirt's wiki, *Forwarding Incoming Connections*),
on legacy tables. *Plain* is the least that nftables needs without sets: established connections
first, then a rule a port. All work in the network namespace of the calling thread.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

LIBVIRT, PLAIN = "libvirt", "plain nft"


@dataclass(frozen=True, slots=True)
class Place:
    """Where rules apply: a bridge with its subnet, a guest on it, and the host's own address."""

    bridge: str
    subnet: str
    guest: str
    host: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules for these ports of TCP: each is led to the guest (``forwards``), or refused there."""

    place: Place
    ports: range
    forwards: bool


def load(peer: str, rules: Rules, served: int) -> None:
    """Put them in place; the guest's port ``served`` is open whatever they say."""
    if peer == PLAIN:
        _run("nft", "-f", "-", given=_plain(rules))
    else:
        _run("iptables-legacy-restore", "-w", given=_libvirt(rules, served))


def change_one(peer: str, rules: Rules, port: int, other: int) -> None:
    """Have the rules for ``port`` be for ``other``, as a program does it that remembers no handles
    and no places."""
    pairs = zip(_about(peer, rules, port), _about(peer, rules, other), strict=True)
    for (chain, old), (_, new) in pairs:
        if peer == PLAIN:
            listed = _run("nft", "-a", "list", "chain", "inet", "plain", chain)
            found = next(line for line in listed.splitlines() if f" dport {port} " in line)
            handle = found.rsplit(" ", 1)[1]
            _run("nft", f"replace rule inet plain {chain} handle {handle} {new}")
        else:
            table = "nat" if chain == "PREROUTING" else "filter"
            for option, rule in (("-I", new), ("-D", old)):
                _run("iptables-legacy", "-w", "-t", table, option, chain, *rule.split())


def _about(peer: str, rules: Rules, port: int) -> Iterator[tuple[str, str]]:
    """The rules for one port, each with its chain."""
    place = rules.place
    if peer == PLAIN:
        there = f'oifname "{place.bridge}" ip daddr {place.guest} tcp dport {port}'
        yield "forward", f"{there} accept" if rules.forwards else f"{there} reject"
        if rules.forwards:
            yield "prerouting", f"ip daddr {place.host} tcp dport {port} dnat ip to {place.guest}"
    else:
        there = f"-o {place.bridge} -d {place.guest} -p tcp --dport {port}"
        yield "FORWARD", f"{there} -j {'ACCEPT' if rules.forwards else 'REJECT'}"
        if rules.forwards:
            to = f"-j DNAT --to-destination {place.guest}:{port}"
            yield "PREROUTING", f"-d {place.host} -p tcp --dport {port} {to}"


def _plain(rules: Rules) -> Iterator[str]:
    subnet = rules.place.subnet
    yield "add table inet plain"
    yield "add chain inet plain forward { type filter hook forward priority 0; }"
    yield "add chain inet plain prerouting { type nat hook prerouting priority -100; }"
    yield "add chain inet plain postrouting { type nat hook postrouting priority 100; }"
    yield "add rule inet plain forward ct state established,related accept"
    for port in rules.ports:
        for chain, rule in _about(PLAIN, rules, port):
            yield f"add rule inet plain {chain} {rule}"
    leaving = f"ip saddr {subnet} ip daddr != {subnet}"
    yield f"add rule inet plain postrouting {leaving} masquerade"


def _libvirt(rules: Rules, served: int) -> Iterator[str]:
    bridge, subnet = rules.place.bridge, rules.place.subnet
    hooked = [rule for port in rules.ports for rule in _about(LIBVIRT, rules, port)]
    own = ("LIBVIRT_FWX", "LIBVIRT_FWI", "LIBVIRT_FWO")
    yield "*filter"
    yield from (f":{chain} - [0:0]" for chain in own)
    yield from (f"-A {chain} {rule}" for chain, rule in hooked if chain == "FORWARD")
    yield f"-A FORWARD -o {bridge} -d {rules.place.guest} -p tcp --dport {served} -j ACCEPT"
    yield from (f"-A FORWARD -j {chain}" for chain in own)
    yield f"-A LIBVIRT_FWX -i {bridge} -o {bridge} -j ACCEPT"
    known = "-m conntrack --ctstate RELATED,ESTABLISHED"
    yield f"-A LIBVIRT_FWI -d {subnet} -o {bridge} {known} -j ACCEPT"
    yield f"-A LIBVIRT_FWI -o {bridge} -j REJECT"
    yield f"-A LIBVIRT_FWO -s {subnet} -i {bridge} -j ACCEPT"
    yield f"-A LIBVIRT_FWO -i {bridge} -j REJECT"
    yield "COMMIT"
    yield "*nat"
    yield ":LIBVIRT_PRT - [0:0]"
    yield from (f"-A {chain} {rule}" for chain, rule in hooked if chain == "PREROUTING")
    yield "-A POSTROUTING -j LIBVIRT_PRT"
    for group in ("224.0.0.0/24", "255.255.255.255"):
        yield f"-A LIBVIRT_PRT -s {subnet} -d {group} -j RETURN"
    leaving = f"-A LIBVIRT_PRT -s {subnet} ! -d {subnet}"
    for protocol in ("tcp", "udp"):
        yield f"{leaving} -p {protocol} -j MASQUERADE --to-ports 1024-65535"
    yield f"{leaving} -j MASQUERADE"
    yield "COMMIT"


def _run(*command: str, given: Iterator[str] | tuple[str, ...] = ()) -> str:
    text = "".join(f"{line}\n" for line in given)
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout
