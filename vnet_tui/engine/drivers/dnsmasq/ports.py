"""Ports that a dnsmasq needs and another program holds.

Whether a port can be had is tried, with the socket options that dnsmasq uses: rules for sharing
ports are the kernel's (socket(7), SO_REUSEADDR and SO_REUSEPORT), and an address needn't be on
the host yet for it (IP_FREEBIND, ip(7)). Only then is looked up who holds it.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from vnet_tui.engine.drivers import processes
from vnet_tui.engine.drivers.processes import Kind
from vnet_tui.engine.drivers.sockets import held_ports, holders, program
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Address, Ip, Network
from vnet_tui.engine.resources import HeldPort

DNS_PORT = 53
DHCP_PORT = 67
DHCP6_PORT = 547

_IP_FREEBIND = 15  # include/uapi/linux/in.h
_IPV6_FREEBIND = 78  # include/uapi/linux/in6.h
_ANY = {4: ip_address("0.0.0.0"), 6: ip_address("::")}  # noqa: S104  (nothing is served on it)


@dataclass(frozen=True, slots=True)
class Need:
    """A port that couldn't be had: ``purpose`` says what for, ``line`` where that stands."""

    protocol: str
    address: Address
    port: int
    purpose: str
    line: int


def taken(network: Network) -> tuple[Need, ...]:
    """The ports that the network's dnsmasq can't have now. Takes microseconds a port."""
    return tuple(need for need in _needs(network) if not _free(need))


def problems(needs: Iterable[Need], kind: Kind) -> tuple[Problem, ...]:
    """Who holds these ports, in words; what dnsmasqs of this ``kind`` hold is ours."""
    found: list[Problem] = []
    ours = {one.pid for one in processes.scan(kind)}
    for need in needs:
        held = [
            one
            for one in held_ports(need.protocol)
            if one.port == need.port and _in_the_way(one, need)
        ]
        pids = holders({one.inode for one in held})
        if held and all(held_by and held_by <= ours for held_by in pids.values()):
            continue
        found.extend(
            _problem(need, one, pid) for one in held for pid in _strangers(pids[one.inode], ours)
        )
        if not held:
            found.append(_problem(need, None, None))
    return tuple(dict.fromkeys(found))


def _strangers(pids: frozenset[int], ours: set[int]) -> list[int | None]:
    """Those who hold a socket and aren't ours; None stands for somebody we may not see."""
    return [None] if not pids else [*sorted(pids - ours)]


def _needs(network: Network) -> Iterator[Need]:
    ips = network.ips
    if network.serves_dns:
        for ip in ips:
            for protocol in ("udp", "tcp"):
                yield Need(protocol, ip.address, DNS_PORT, f"DNS on {ip.address}", ip.line)
    if network.serves_dhcp:
        if four := _first(ips, 4):
            yield Need("udp", _ANY[4], DHCP_PORT, "DHCP", four.line)
        if six := _first(ips, 6):
            yield Need("udp", _ANY[6], DHCP6_PORT, "DHCPv6", six.line)


def _first(ips: Iterable[Ip], version: int) -> Ip | None:
    return next((ip for ip in ips if ip.address.version == version), None)


def _free(need: Need) -> bool:
    """Whether dnsmasq could have the port: what it does in ``make_sock()`` (network.c) and
    ``make_fd()`` (dhcp.c), without listening."""
    six = need.address.version == 6
    family = socket.AF_INET6 if six else socket.AF_INET
    kind = socket.SOCK_DGRAM if need.protocol == "udp" else socket.SOCK_STREAM
    try:
        with socket.socket(family, kind | socket.SOCK_CLOEXEC) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if need.port != DNS_PORT:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if six:
                trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                trial.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
            else:
                trial.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            trial.bind((str(need.address), need.port))
    except OSError as error:
        # Whatever else is wrong with sockets, dnsmasq will say; only a holder is told of here.
        return error.errno != errno.EADDRINUSE
    return True


def _in_the_way(held: HeldPort, need: Need) -> bool:
    """Whether a socket can be why a port isn't to be had: the same address, or a wildcard."""
    wildcards = {_ANY[need.address.version], _ANY[6]}
    return held.address == need.address or held.address in wildcards or need.address in wildcards


def _problem(need: Need, held: HeldPort | None, pid: int | None) -> Problem:
    where = held.address if held else need.address
    holder = (program(pid) if pid is not None else "") or "another program"
    remedy = (
        'have it listen on other addresses, or switch DNS off: <dns enabled="false"/>'
        if need.port == DNS_PORT
        else "stop it, or have it listen on its own interfaces only"
    )
    return Problem(
        message=f"{need.protocol.upper()} port {need.port} on {where} is held by {holder}, "
        f"which {need.purpose} needs",
        remedy=remedy,
        line=need.line,
    )
