"""Forwards of ports that the host itself listens on. Pure: who listens is given.

Such a forward works: it comes before the host's own sockets. What it costs is the service, which
nobody reaches by that port any more; that is worth a warning, and forbids nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, count

from vnet_tui.engine.check.forwards import protocols, takes_port
from vnet_tui.engine.check.report import warning
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Mode, Network, Rule
from vnet_tui.engine.resources import HeldPort

_TOLD = 3
"""So many ports are named in one warning."""

_OWN_PORTS = {("udp", 53), ("tcp", 53), ("udp", 67), ("udp", 547)}
"""What our dnsmasqs listen on; guests reach it whatever is forwarded."""

_NONE, _SEVERAL = -1, -2
"""What stands for a rule that names no port, or more than one."""


def _port(rule: Rule) -> int:
    """The one port that a rule names."""
    if rule.port is None:
        return _NONE
    return rule.port.first if rule.port.first == rule.port.last else _SEVERAL


_named_port: Memo[Rule, int] = Memo(_port)


def taken_from_host(
    network: Network, listening: Iterable[HeldPort], ours: Iterable[Network]
) -> Iterator[tuple[Rule, tuple[HeldPort, ...]]]:
    """The forwards that keep connections from sockets of the host, each with those sockets.

    ``ours`` are the networks that run: their dnsmasqs aren't meant.
    """
    if network.mode is Mode.ISOLATED:
        return
    served = {ip.address for one in ours for ip in one.ips}
    versions: set[int] = {ip.address.version for ip in network.ips}
    sockets: dict[int, list[HeldPort]] = {}
    for held in listening:
        own = (held.protocol, held.port) in _OWN_PORTS
        if not own or not (held.address in served or (served and held.port in (67, 547))):
            sockets.setdefault(held.port, []).append(held)
    ports = sorted(sockets)
    policy = network.incoming
    ports_named = _named_port.each(policy.rules, (network.uuid, network.name))
    asked = {*sockets, _SEVERAL}
    if asked.isdisjoint(ports_named):  # as with most, and told in no time
        return
    for at in compress(count(), map(asked.__contains__, ports_named)):
        rule = policy.rules[at]
        if rule.port is None or not (rule.enabled and takes_port(rule)):
            continue
        first, last = bisect_left(ports, rule.port.first), bisect_right(ports, rule.port.last)
        found = [
            held
            for port in ports[first:last]
            for held in sockets[port]
            if _keeps_from(rule, held, versions)
        ]
        if found:
            yield policy.located(at), tuple(dict.fromkeys(found))


def host_ports_warning(rule: Rule, sockets: Sequence[tuple[HeldPort, str]]) -> Problem:
    """What a forward does to sockets of the host; each with the program whose it is, if known."""
    services: dict[tuple[int, str], list[HeldPort]] = {}
    for held, program in sockets:
        services.setdefault((held.port, program), []).append(held)
    told = [
        f"{port}/{'+'.join(dict.fromkeys(held.protocol for held in of))} "
        f"({program or 'another program'} on {', '.join(_places(of))})"
        for (port, program), of in [*services.items()][:_TOLD]
    ]
    if len(services) > _TOLD:
        told.append(f"{len(services) - _TOLD} more")
    only_itself = all(held.address.is_loopback for held, _ in sockets)
    whose = "the host's own connections to it go" if only_itself else "connections to it go"
    return warning(
        rule,
        f"the host itself listens on {' and '.join(told)}: {whose} to {rule.domain} instead",
        "take another port, move that service, or name in destination an address of the host "
        "that it doesn't listen on",
    )


def _places(sockets: Iterable[HeldPort]) -> list[str]:
    return list(
        dict.fromkeys(
            "all addresses" if held.address.is_unspecified else str(held.address)
            for held in sockets
        )
    )


def _keeps_from(rule: Rule, held: HeldPort, versions: set[int]) -> bool:
    """Whether connections to a socket can go to the guest of a forward instead.

    A socket on all IPv6 addresses may take IPv4 too; ``::1`` is forwarded for nobody.
    """
    address = held.address
    if held.protocol not in {one.value for one in protocols(rule)}:
        return False
    if address.version == 6 and address.is_loopback:
        return False
    if address.is_unspecified:
        asked = rule.destination or rule.source
        families = {4} if address.version == 4 else {4, 6}
        return bool(families & versions & ({asked.version} if asked else {4, 6}))
    if address.version not in versions or (rule.source and rule.source.version != address.version):
        return False
    return rule.destination is None or address in rule.destination
