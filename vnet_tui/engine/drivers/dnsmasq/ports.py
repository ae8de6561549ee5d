"""Ports that a dnsmasq needs and another program holds.

Whether a port can be had is tried, with the socket options that dnsmasq uses: rules for sharing
ports are the kernel's (socket(7), SO_REUSEADDR and SO_REUSEPORT), and an address needn't be on
the host yet for it (IP_FREEBIND, ip(7)). Only then is looked up who holds it, in the tables of
proc(5).
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from vnet_tui.engine.drivers.dnsmasq import process
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Address, Ip, Network

DNS_PORT = 53
DHCP_PORT = 67
DHCP6_PORT = 547

_IP_FREEBIND = 15  # include/uapi/linux/in.h
_IPV6_FREEBIND = 78  # include/uapi/linux/in6.h
_ANY = {4: ip_address("0.0.0.0"), 6: ip_address("::")}  # noqa: S104  (nothing is served on it)
_LISTEN = "0A"  # TCP_LISTEN, include/net/tcp_states.h


@dataclass(frozen=True, slots=True)
class Need:
    """A port that couldn't be had: ``purpose`` says what for, ``line`` where that stands."""

    protocol: str
    address: Address
    port: int
    purpose: str
    line: int


@dataclass(frozen=True, slots=True)
class _Held:
    protocol: str
    address: Address
    port: int
    inode: int


def taken(network: Network) -> tuple[Need, ...]:
    """The ports that the network's dnsmasq can't have now. Takes microseconds a port."""
    return tuple(need for need in _needs(network) if not _free(need))


def problems(needs: Iterable[Need], directory: Path) -> tuple[Problem, ...]:
    """Who holds these ports, in words; what dnsmasqs with files in ``directory`` hold is ours."""
    found: list[Problem] = []
    ours = {one.pid for one in process.scan(directory)}
    for need in needs:
        holders = [held for held in _sockets(need) if _in_the_way(held, need)]
        pids = {held: _holders(held.inode) for held in holders}
        if holders and all(held_by and held_by <= ours for held_by in pids.values()):
            continue
        found.extend(
            _problem(need, held, pid) for held in holders for pid in _strangers(pids[held], ours)
        )
        if not holders:
            found.append(_problem(need, None, None))
    return tuple(dict.fromkeys(found))


def _strangers(pids: set[int], ours: set[int]) -> list[int | None]:
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


def _sockets(need: Need) -> Iterator[_Held]:
    """The sockets on a port in our network namespace, of both families: one on ``::`` may take
    IPv4 as well."""
    for suffix, version in (("", 4), ("6", 6)):
        table = Path(f"/proc/thread-self/net/{need.protocol}{suffix}")
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            local, state, inode = fields[1], fields[3], int(fields[9])
            address, port = local.split(":")
            if int(port, 16) != need.port or (need.protocol == "tcp" and state != _LISTEN):
                continue
            yield _Held(need.protocol, _address(address, version), need.port, inode)


def _address(text: str, version: int) -> Address:
    """An address of proc(5): 32-bit words in hexadecimal, each in the order of the host."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return IPv6Address(packed) if version == 6 else IPv4Address(packed)


def _in_the_way(held: _Held, need: Need) -> bool:
    """Whether a socket can be why a port isn't to be had: the same address, or a wildcard."""
    wildcards = {_ANY[need.address.version], _ANY[6]}
    return held.address == need.address or held.address in wildcards or need.address in wildcards


def _holders(inode: int) -> set[int]:
    """The processes that have a socket open; none where we may not look."""
    wanted, found = f"socket:[{inode}]", set()
    for name in os.listdir("/proc"):  # noqa: PTH208  (ten times faster)
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if any(_target(name, fd) == wanted for fd in os.listdir(f"/proc/{name}/fd")):  # noqa: PTH208
                found.add(int(name))
    return found


def _target(pid: str, fd: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}")  # noqa: PTH115  (ten times faster)
    except OSError:
        return ""


def _problem(need: Need, held: _Held | None, pid: int | None) -> Problem:
    where = held.address if held else need.address
    holder = "another program"
    if pid is not None:
        with contextlib.suppress(OSError):
            holder = f"{Path(f'/proc/{pid}/comm').read_text().strip()} (pid {pid})"
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
