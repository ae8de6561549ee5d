"""How single values are written, and read: text of an attribute or element <-> a Python value.

Every reader raises ValueError with what is expected, in words that follow a colon. Spaces around
a value don't count, as in XML Schema's ``token``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv6Address,
    NetmaskValueError,
    ip_network,
)
from typing import TypeVar
from uuid import UUID

from vnet_tui.engine.model import INFINITE_LEASE, Address, PortRange, Subnet

_SPACES = " \t\r\n"
_NUMBER = re.compile(r"[0-9]{1,10}")
_PORTS = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?")
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
_LEASE_TIME = re.compile(r"([0-9]{1,10})([smhd]?)")
_FILE_MODE = re.compile(r"0?[0-7]{3}")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

E = TypeVar("E", bound=StrEnum)


def trimmed(text: str) -> str:
    """The text without the spaces around it; never wrong."""
    return text.strip(_SPACES)


def as_is(text: str) -> str:
    """Any text; never wrong."""
    return text


def boolean(text: str) -> bool:
    """``true``, ``yes``, ``false`` or ``no``."""
    value = {"true": True, "yes": True, "false": False, "no": False}.get(trimmed(text))
    if value is None:
        raise ValueError("true or false is expected")
    return value


def number(text: str) -> int:
    """A whole number without a sign."""
    if not _NUMBER.fullmatch(trimmed(text)):
        raise ValueError("a whole number is expected")
    return int(text)


def port(text: str) -> int:
    """One port. Whether there is such a port is not looked at."""
    if not _NUMBER.fullmatch(trimmed(text)):
        raise ValueError("a port is expected, a number from 1 to 65535")
    return int(text)


def ports(text: str) -> PortRange:
    """A port, or a range of ports. Whether it goes upwards is not looked at."""
    found = _PORTS.fullmatch(trimmed(text))
    if not found:
        raise ValueError("a port like 80, or a range like 8000-8010, is expected")
    first = int(found[1])
    return PortRange(first=first, last=int(found[2] or first))


def uuid(text: str) -> UUID:
    """A UUID with all its dashes or none."""
    if not _UUID.fullmatch(trimmed(text)):
        raise ValueError(
            "a UUID is expected: 32 hexadecimal digits, with dashes like "
            "596a5d21-71f4-8fb2-e068-e2386a5c413e or without"
        )
    return UUID(trimmed(text))


def mac(text: str) -> str:
    """A MAC, in lower case from here on."""
    if not _MAC.fullmatch(trimmed(text)):
        raise ValueError("a MAC is expected, like 52:54:00:12:34:56")
    return trimmed(text).lower()


def lease_time(text: str) -> int:
    """Seconds of a lease."""
    if trimmed(text) == "infinite":
        return INFINITE_LEASE
    found = _LEASE_TIME.fullmatch(trimmed(text))
    if not found:
        raise ValueError("a lease time is expected: 3600 (seconds), 45m, 12h, 7d or infinite")
    return int(found[1]) * _UNITS[found[2]]


def written_lease_time(seconds: int) -> str:
    """A lease time in the largest unit that gives a whole number."""
    if seconds == INFINITE_LEASE:
        return "infinite"
    for unit in "dhm":
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return str(seconds)


def file_mode(text: str) -> str:
    """Permissions in octal, kept as they are written."""
    if not _FILE_MODE.fullmatch(trimmed(text)):
        raise ValueError("permissions in octal are expected, like 0660")
    return trimmed(text)


def address(text: str) -> Address:
    """An IPv4 or IPv6 address, the latter without a zone and without an IPv4 address in it."""
    plain = trimmed(text)
    try:
        if ":" not in plain:
            return IPv4Address(plain)
        if "." not in plain and "%" not in plain and "/" not in plain:
            return IPv6Address(plain)
    except AddressValueError:
        pass
    if "/" in plain:
        raise ValueError("an address alone is expected; its prefix is another attribute")
    raise ValueError("an address is expected, like 10.0.0.1 or fd00::1")


def netmask(text: str) -> int:
    """The prefix length that a netmask stands for."""
    try:
        mask = int(IPv4Address(trimmed(text)))
    except AddressValueError:
        mask = 1
    inverse = mask ^ 0xFFFFFFFF
    if inverse & (inverse + 1):
        raise ValueError("a netmask is expected, like 255.255.255.0")
    return 32 - inverse.bit_length()


def written_netmask(prefix: int) -> str:
    """The IPv4 netmask of a prefix length."""
    return str(IPv4Address(0xFFFFFFFF ^ (0xFFFFFFFF >> prefix)))


def prefix(text: str) -> int:
    """A prefix length of IPv6, or of IPv4, whose bound the caller looks at."""
    plain = trimmed(text)
    if not _NUMBER.fullmatch(plain) or (plain[0] == "0" and len(plain) > 1) or int(plain) > 128:
        raise ValueError("a prefix length is expected: 0 to 32 for IPv4, to 128 for IPv6")
    return int(plain)


def subnet(text: str) -> Subnet:
    """A subnet, or an address as the subnet that holds nothing else."""
    plain, slash, length = trimmed(text).partition("/")
    try:
        base = address(plain)
        bits = prefix(length) if slash else base.max_prefixlen
        found = ip_network((str(base), bits), strict=False)
    except (ValueError, NetmaskValueError):
        raise ValueError(
            "a subnet is expected, like 10.0.0.0/8 or fd00::/48, or one address"
        ) from None
    if found.network_address != base:
        raise ValueError(
            f"the address has bits beyond its prefix: write {found} for the subnet, or {base} for "
            "the one address"
        )
    return found


def written_subnet(net: Subnet) -> str:
    """A subnet, or the one address in it without its prefix."""
    return str(net.network_address) if net.prefixlen == net.max_prefixlen else str(net)


def one_of(kind: type[E], *choices: E) -> Callable[[str], E]:
    """A reader for the members of an enumeration, or for some of them."""
    allowed = {member.value: member for member in choices or tuple(kind)}
    read = word(*allowed)
    return lambda text: allowed[read(text)]


def word(*allowed: str) -> Callable[[str], str]:
    """A reader for one of a few words."""
    expected = " or ".join((", ".join(allowed[:-1]), allowed[-1])) if allowed[1:] else allowed[0]

    def read(text: str) -> str:
        plain = trimmed(text)
        if plain in allowed:
            return plain
        close = get_close_matches(plain.lower(), allowed, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"{expected} is expected{hint}")

    return read
