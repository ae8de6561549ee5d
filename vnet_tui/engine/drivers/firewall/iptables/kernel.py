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
from pathlib import Path
from typing import NamedTuple

from vnet_tui.engine.errors import DriverError, NotPermittedError

_GET_INFO = 64  # IPT_SO_GET_INFO, IP6T_SO_GET_INFO
_GET_ENTRIES = 65
_GET_REVISION_MATCH = 66
_GET_REVISION_TARGET = 67
_REVISION = struct.Struct("=29sB")  # struct xt_get_revision
_INFO = struct.Struct("=32sI5I5III")  # struct ipt_getinfo
_ENTRIES = struct.Struct("=32sI4x")  # struct ipt_get_entries, without the entries
_HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_LEVEL = {4: (socket.AF_INET, socket.IPPROTO_IP), 6: (socket.AF_INET6, socket.IPPROTO_IPV6)}
_MODULES = {4: "ip_tables", 6: "ip6_tables"}
_NAMES = {4: "ip_tables_names", 6: "ip6_tables_names"}

_libc = ctypes.CDLL(None, use_errno=True)


class Entries(NamedTuple):
    """Where built-in chains begin and where their policies stand, and all entries as bytes."""

    starts: Mapping[str, int]
    ends: Mapping[str, int]
    blob: bytes


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


def target_known(family: int, name: str, revision: int) -> bool:
    """Whether this kernel has that revision of a target; its module is loaded if there is one."""
    return _revision(family, _GET_REVISION_TARGET, name, revision)


def match_known(family: int, name: str, revision: int) -> bool:
    """The same for a match."""
    return _revision(family, _GET_REVISION_MATCH, name, revision)


def _revision(family: int, option: int, name: str, revision: int) -> bool:
    buffer = ctypes.create_string_buffer(_REVISION.pack(name.encode(), revision), _REVISION.size)
    try:
        _getsockopt(family, option, buffer)
    except OSError:
        return False
    return True


def entries_of(family: int, name: str) -> Entries | None:
    """All entries of a table; None where there is no such table in this namespace.

    Raises NotPermittedError, and DriverError where the kernel doesn't tell.
    """
    there = tables(family)
    if there is None or name not in there:
        return None
    try:
        return _read(family, name)
    except PermissionError as error:
        raise _not_permitted() from error
    except OSError as error:
        raise DriverError(
            f"the kernel doesn't tell what is in its legacy table {name} of IPv{family}: "
            f"{error.strerror}"
        ) from error


def _not_permitted() -> NotPermittedError:
    return NotPermittedError("firewall rules are for those who have the right to (CAP_NET_ADMIN)")


def _getsockopt(family: int, option: int, buffer: ctypes.Array[ctypes.c_char]) -> int:
    """Have a buffer filled; how much of it is."""
    domain, level = _LEVEL[family]
    length = ctypes.c_uint32(len(buffer))
    with socket.socket(domain, socket.SOCK_RAW, socket.IPPROTO_RAW) as asking:
        if _libc.getsockopt(asking.fileno(), level, option, buffer, ctypes.byref(length)) < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    return length.value


def _info(family: int, name: str) -> tuple[dict[str, int], dict[str, int], int]:
    """Where built-in chains begin, where their policies stand, and how long all entries are."""
    buffer = ctypes.create_string_buffer(name.encode(), _INFO.size)
    _getsockopt(family, _GET_INFO, buffer)
    _, valid, *numbers = _INFO.unpack_from(buffer)
    hooks = [number for number in range(len(_HOOKS)) if valid & 1 << number]
    starts = {_HOOKS[number]: numbers[number] for number in hooks}
    ends = {_HOOKS[number]: numbers[len(_HOOKS) + number] for number in hooks}
    return starts, ends, numbers[-1]


def _read(family: int, name: str) -> Entries:
    while True:
        starts, ends, size = _info(family, name)
        buffer = ctypes.create_string_buffer(_ENTRIES.size + size)
        _ENTRIES.pack_into(buffer, 0, name.encode(), size)
        try:
            length = _getsockopt(family, _GET_ENTRIES, buffer)
            return Entries(starts, ends, bytes(memoryview(buffer)[_ENTRIES.size : length]))
        except OSError as error:
            if error.errno != errno.EAGAIN:  # somebody changed the table between the two calls
                raise
