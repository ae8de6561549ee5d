"""Which ports are held in the network namespace of the calling thread, and by which processes.

Asked by sock_diag(7) or read from the tables of proc(5): ``net/tcp`` and the like have a line a
socket, ``/proc/PID/fd`` a link to each that a process has open. Blocks: less than a millisecond,
and tens for who holds what.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from vnet_tui.engine.drivers.sock_diag import listening
from vnet_tui.engine.model import Address
from vnet_tui.engine.resources import HeldPort

_LISTEN, _UNCONNECTED = "0A", "07"  # TCP_LISTEN, TCP_CLOSE: include/net/tcp_states.h
_WAITING = {"tcp": _LISTEN, "udp": _UNCONNECTED}
_LINK = "socket:["


def held_ports(protocol: str) -> Iterator[HeldPort]:
    """The TCP ports that are listened on, or the UDP ports of any socket, of both families."""
    for version in (4, 6):
        try:
            sockets = listening(version) if protocol == "tcp" else None
        except OSError:
            sockets = None  # this kernel has no sock_diag
        if sockets is None:
            yield from _in_table(protocol, version)
            continue
        for address, port, inode in sockets:
            yield HeldPort(protocol="tcp", address=address, port=port, inode=inode, waits=True)


def _in_table(protocol: str, version: int) -> Iterator[HeldPort]:
    """Those of a family that proc(5) tells."""
    table = Path(f"/proc/thread-self/net/{protocol}{'6' if version == 6 else ''}")
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return  # this kernel has no such protocol
    for line in lines:
        fields = line.split()
        local, state = fields[1], fields[3]
        if protocol == "tcp" and state != _LISTEN:
            continue
        address, port = local.split(":")
        yield HeldPort(
            protocol=protocol,
            address=_address(address, version),
            port=int(port, 16),
            inode=int(fields[9]),
            waits=state == _WAITING[protocol],
        )


def client_ports() -> range:
    """The ports that the kernel gives to sockets that ask for none (ip(7), ip_local_port_range)."""
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    return range(int(first), int(last) + 1)


def holders(inodes: Collection[int]) -> Mapping[int, frozenset[int]]:
    """The processes that have each of these sockets open; none where we may not look."""
    found: dict[int, set[int]] = {inode: set() for inode in inodes}
    for name in os.listdir("/proc") if found else ():  # noqa: PTH208  (ten times faster)
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{name}/fd"):  # noqa: PTH208
                if (inode := _inode(name, fd)) in found:
                    found[inode].add(int(name))
    return {inode: frozenset(pids) for inode, pids in found.items()}


def program(pid: int) -> str:
    """A process in words, such as ``sshd (pid 812)``; empty where it is gone."""
    with contextlib.suppress(OSError):
        return f"{Path(f'/proc/{pid}/comm').read_text().strip()} (pid {pid})"
    return ""


def _inode(pid: str, fd: str) -> int:
    try:
        link = os.readlink(f"/proc/{pid}/fd/{fd}")  # noqa: PTH115  (ten times faster)
    except OSError:
        return 0
    return int(link[len(_LINK) : -1]) if link.startswith(_LINK) else 0


def _address(text: str, version: int) -> Address:
    """An address of proc(5): 32-bit words in hexadecimal, each in the order of the host."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return IPv6Address(packed) if version == 6 else IPv4Address(packed)
