"""Finding a private subnet that nothing uses. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network

from vnet_tui.engine.errors import StateError, VnetError
from vnet_tui.engine.model import Subnet
from vnet_tui.engine.observe import is_default
from vnet_tui.engine.resources import LinkSnapshot

_PRIVATE = (IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
"""RFC 1918. 10/8 comes first because it has the most room."""

_UNIQUE_LOCAL = IPv6Network("fd00::/8")
"""RFC 4193, section 3.1: the locally assigned half of fc00::/7."""


def in_use(links: LinkSnapshot) -> tuple[Subnet, ...]:
    """The subnets that the host has addresses in or routes to, without default routes."""
    addresses = {address.network for link in links.links.values() for address in link.addresses}
    routes = {route.destination for route in links.routes if not is_default(route)}
    return tuple(addresses | routes)


def suggest_subnet(taken: Iterable[Subnet], prefix: int, family: int) -> Subnet:
    """The first free IPv4 subnet, or a random IPv6 one as RFC 4193 asks for.

    Raises :class:`~vnet_tui.engine.errors.VnetError` for a prefix length that makes no sense, and
    :class:`~vnet_tui.engine.errors.StateError` when every private subnet is taken.
    """
    if family == 4 and not 12 <= prefix <= 29:
        raise VnetError(f"an IPv4 prefix length of {prefix}", "from 12 to 29 make sense")
    if family == 6 and prefix != 64:
        raise VnetError(
            f"an IPv6 prefix length of {prefix}", "guests configure themselves in a /64"
        )
    if family == 6:
        return _random_unique_local(taken)
    busy = [net for net in taken if isinstance(net, IPv4Network)]
    for candidate in _candidates(prefix):
        if not any(candidate.overlaps(other) for other in busy):
            return candidate
    raise StateError(f"every private IPv4 subnet of /{prefix} is taken")


def _candidates(prefix: int) -> Iterator[IPv4Network]:
    for block in _PRIVATE:
        if prefix >= block.prefixlen:
            yield from block.subnets(new_prefix=prefix)


def _random_unique_local(taken: Iterable[Subnet]) -> IPv6Network:
    busy = [net for net in taken if isinstance(net, IPv6Network)]
    while True:
        global_id = secrets.randbits(40) << 80
        candidate = IPv6Network((int(_UNIQUE_LOCAL.network_address) | global_id, 64))
        if not any(candidate.overlaps(other) for other in busy):
            return candidate
