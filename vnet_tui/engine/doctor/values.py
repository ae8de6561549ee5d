"""Comparing what a packet has with what a rule says: addresses, ports, names, sets of them.

All functions answer True, False, or None where it can't be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from vnet_tui.engine.model import Address

Value = str | int | Address
Test = Callable[[Value], bool | None]
"""Whether one value is among those that a rule names."""


def negated(found: bool | None) -> bool | None:
    """The opposite; what isn't known stays so."""
    return None if found is None else not found


def either(found: Iterable[bool | None]) -> bool | None:
    """Whether any is true."""
    doubt = False
    for one in found:
        if one:
            return True
        doubt = doubt or one is None
    return None if doubt else False


def every(found: Iterable[bool | None]) -> bool | None:
    """Whether all are true."""
    return negated(either(map(negated, found)))


def interface_test(pattern: str, *, wildcard: str) -> Test:
    """A name of an interface, or a prefix of names that ends in the wildcard: ``*`` for nft,
    ``+`` for iptables."""
    if pattern.endswith(wildcard):
        prefix = pattern[: -len(wildcard)]
        return lambda value: str(value).startswith(prefix)
    return lambda value: value == pattern


def subnet_test(text: str) -> Test:
    """An address or a subnet, also with a netmask; raises ValueError where it is neither."""
    subnet = ip_network(text, strict=False)
    return lambda value: not isinstance(value, (str, int)) and value in subnet


def range_test(first: Value, last: Value) -> Test:
    """From first to last, both included; values of another kind are outside."""

    def test(value: Value) -> bool | None:
        if isinstance(first, int) and isinstance(last, int) and isinstance(value, int):
            return first <= value <= last
        if isinstance(first, IPv4Address) and isinstance(last, IPv4Address):
            return isinstance(value, IPv4Address) and first <= value <= last
        if isinstance(first, IPv6Address) and isinstance(last, IPv6Address):
            return isinstance(value, IPv6Address) and first <= value <= last
        return None

    return test


def parsed(text: str | int) -> Value:
    """A number, an address, or the text itself."""
    if isinstance(text, int):
        return text
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return ip_address(text)
    except ValueError:
        return text
