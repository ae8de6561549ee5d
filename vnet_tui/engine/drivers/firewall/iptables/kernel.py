"""Legacy tables as the kernel gives them: read without starting anything.

A table comes into being in a network namespace when somebody first asks for it; reading here
leaves a namespace without tables as it is. Numbers are those of
``linux/netfilter_ipv4/ip_tables.h`` and ``linux/netfilter_ipv6/ip6_tables.h``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vnet_tui.engine.drivers.firewall.iptables import entries
from vnet_tui.engine.drivers.firewall.iptables.rules import owner
from vnet_tui.engine.errors import DriverError, NotPermittedError

_GET_INFO = 64  # IPT_SO_GET_INFO, IP6T_SO_GET_INFO
_GET_ENTRIES = 65
_INFO = struct.Struct("=32sI5I5III")  # struct ipt_getinfo
_ENTRIES = struct.Struct("=32sI4x")  # struct ipt_get_entries, without the entries
_HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_LEVEL = {4: (socket.AF_INET, socket.IPPROTO_IP), 6: (socket.AF_INET6, socket.IPPROTO_IPV6)}
_MODULES = {4: "ip_tables", 6: "ip6_tables"}
_NAMES = {4: "ip_tables_names", 6: "ip6_tables_names"}
_VERDICTS = {-1: "DROP", -2: "ACCEPT", -4: "QUEUE", -5: "RETURN"}

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Found:
    """A rule: what identifies it, where it leads, and its comment."""

    identity: bytes
    target: str
    comment: str


@dataclass(frozen=True, slots=True)
class FoundTable:
    """Of one table: our chains, and those rules in built-in chains that lead to them."""

    chains: Mapping[str, Sequence[Found]]
    hooks: Mapping[str, Sequence[Found]]


def has_ipv6() -> bool:
    """Whether this network namespace has IPv6 at all."""
    return Path("/proc/thread-self/net/if_inet6").exists()


def tables(family: int) -> frozenset[str] | None:
    """The tables that there are in this network namespace; None where the kernel knows none."""
    try:
        text = Path("/proc/thread-self/net", _NAMES[family]).read_text()
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise _not_permitted() from error
    return frozenset(text.split())


def load_modules() -> None:
    """Have the modules of legacy tables loaded, where they are modules and not yet there."""
    modprobe = shutil.which("modprobe") or shutil.which("modprobe", path="/usr/sbin:/sbin")
    for family, module in _MODULES.items():
        if modprobe is not None and tables(family) is None:
            subprocess.run([modprobe, "-q", module], capture_output=True)


def missing(family: int, names: Sequence[str]) -> list[str]:
    """Those of these tables that this kernel hasn't; the others are there from now on."""
    lacking = []
    for name in names:
        try:
            _info(family, name)
        except OSError as error:
            if error.errno == errno.EPERM:
                continue
            lacking.append(name)
    return lacking


def shape(family: int, name: str) -> tuple[object, ...] | None:
    """What changes when somebody puts rules into a table or takes some away, told in
    microseconds; None where there is no such table in this namespace."""
    there = tables(family)
    if there is None or name not in there:
        return None
    try:
        return _info(family, name)
    except OSError:
        return None


def read(family: int, name: str) -> FoundTable | None:
    """What is ours in a table; None where there is no such table in this namespace.

    Raises NotPermittedError, and DriverError where the kernel doesn't tell.
    """
    there = tables(family)
    if there is None or name not in there:
        return None
    try:
        starts, ends, blob = _read(family, name)
    except PermissionError as error:
        raise _not_permitted() from error
    except OSError as error:
        raise DriverError(
            f"the kernel doesn't tell what is in its legacy table {name} of IPv{family}: "
            f"{error.strerror}"
        ) from error
    return _parse(family, starts, ends, blob)


def _not_permitted() -> NotPermittedError:
    return NotPermittedError("firewall rules are for those who have the right to (CAP_NET_ADMIN)")


def _getsockopt(family: int, option: int, buffer: ctypes.Array[ctypes.c_char]) -> bytes:
    domain, level = _LEVEL[family]
    length = ctypes.c_uint32(len(buffer))
    with socket.socket(domain, socket.SOCK_RAW, socket.IPPROTO_RAW) as asking:
        if _libc.getsockopt(asking.fileno(), level, option, buffer, ctypes.byref(length)) < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    return buffer.raw[: length.value]


def _info(family: int, name: str) -> tuple[dict[str, int], dict[str, int], int]:
    """Where built-in chains begin, where their policies stand, and how long all entries are."""
    buffer = ctypes.create_string_buffer(name.encode(), _INFO.size)
    _, valid, *numbers = _INFO.unpack(_getsockopt(family, _GET_INFO, buffer))
    hooks = [number for number in range(len(_HOOKS)) if valid & 1 << number]
    starts = {_HOOKS[number]: numbers[number] for number in hooks}
    ends = {_HOOKS[number]: numbers[len(_HOOKS) + number] for number in hooks}
    return starts, ends, numbers[-1]


def _read(family: int, name: str) -> tuple[dict[str, int], dict[str, int], bytes]:
    while True:
        starts, ends, size = _info(family, name)
        buffer = ctypes.create_string_buffer(_ENTRIES.size + size)
        _ENTRIES.pack_into(buffer, 0, name.encode(), size)
        try:
            return starts, ends, _getsockopt(family, _GET_ENTRIES, buffer)[_ENTRIES.size :]
        except OSError as error:
            if error.errno != errno.EAGAIN:  # somebody changed the table between the two calls
                raise


def _parse(
    family: int, starts: Mapping[str, int], ends: Mapping[str, int], blob: bytes
) -> FoundTable:
    layout = entries.LAYOUTS[family]
    built_in = {at: name for name, at in starts.items()}
    policies = set(ends.values())
    chain = ""
    places: dict[int, str] = {}
    contents: dict[str, list[tuple[int, int]]] = {}
    at = 0
    while at < len(blob):
        size = layout.size(blob, at)
        if at in built_in:
            chain = built_in[at]
            contents[chain] = []
        target = entries.extension(blob, layout.target(blob, at))
        if target.name == entries.ERROR:
            chain = target.data.split(b"\0", 1)[0].decode(errors="replace")
            places[at + size] = chain
            contents[chain] = []
        elif at not in policies:
            contents[chain].append((at, size))
        at += size

    def found(start: int, size: int) -> Found:
        entry = blob[start : start + size]
        target, jump = _target(layout, entry, start, places)
        return Found(
            entries.identity(family, entry, target if jump else None),
            target,
            entries.comment(family, entry),
        )

    def leads_to_us(start: int, size: int) -> bool:
        target, jump = _target(layout, blob[start : start + size], start, places)
        return jump and owner(target) is not None

    chains: dict[str, list[Found]] = {}
    hooks: dict[str, list[Found]] = {}
    for name, content in contents.items():
        if name in starts:
            if leading := [found(*rule) for rule in content if leads_to_us(*rule)]:
                hooks[name] = leading
        elif owner(name) is not None:
            chains[name] = [found(*rule) for rule in content[:-1]]  # the last one is the return
    return FoundTable(chains, hooks)


def _target(
    layout: entries.Layout, entry: bytes, start: int, places: Mapping[int, str]
) -> tuple[str, bool]:
    """Where an entry leads, and whether that is a verdict or chain: other targets do their own."""
    target = entries.extension(entry, layout.target(entry, 0))
    if target.name != entries.STANDARD:
        return target.name.decode(errors="replace"), False
    where = target.verdict
    if where < 0:
        return _VERDICTS.get(where, ""), True
    return "" if where == start + len(entry) else places.get(where, ""), True
