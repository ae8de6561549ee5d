"""Which interfaces are the host's own, and through which of them traffic leaves it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from vnet_tui.engine.meter import NOT_MEASURED, OwnLinks
from vnet_tui.engine.observe import is_default
from vnet_tui.engine.resources import Link, LinkSnapshot
from vnet_tui.engine.views import HostLink

LOOPBACK = "lo"

MADE_UP = frozenset(("veth", "tun"))
"""Kinds of links whose drivers tell a speed that nothing is bound to: ``SPEED_10000`` in
``drivers/net/veth.c`` and ``drivers/net/tun.c``."""

BRIDGE = "bridge"
"""This kind tells the speed of its fastest port, made up or not (``br_get_link_ksettings``)."""


def with_speed(found: LinkSnapshot) -> tuple[str, ...]:
    """The links whose speed their drivers know."""
    return tuple(link.name for link in found.links.values() if link.kind not in (BRIDGE, *MADE_UP))


def own_links(
    found: LinkSnapshot, bridges: Collection[str], speeds: Mapping[str, float]
) -> OwnLinks:
    """What is up beside the loopback interface, these bridges of networks and their ports;
    ``speeds`` is what the drivers of :func:`with_speed` tell."""
    own = [
        link
        for link in found.links.values()
        if link.up and link.name not in (LOOPBACK, *bridges) and link.master not in bridges
    ]
    defaults = _defaults(found)
    others = Counter(
        route.device
        for route in found.routes
        if not is_default(route) and not route.destination.is_link_local
    )
    return {
        link.index: (
            link.name,
            HostLink(
                traffic=NOT_MEASURED,
                speed=_speed(link, found, speeds),
                defaults=tuple(
                    version for version, device in defaults.items() if device == link.name
                ),
                routes=others[link.name],
            ),
        )
        for link in own
    }


def _defaults(found: LinkSnapshot) -> Mapping[int, str | None]:
    """The device of the default route of each version of IP. Of several it is the most specific
    one; the kernel tells those of the same subnet by their metric."""
    best: dict[int, tuple[int, str | None]] = {}
    for route in filter(is_default, found.routes):
        length, version = route.destination.prefixlen, route.destination.version
        if version not in best or length > best[version][0]:
            best[version] = (length, route.device)
    return {version: device for version, (_, device) in sorted(best.items())}


def _speed(link: Link, found: LinkSnapshot, speeds: Mapping[str, float]) -> float | None:
    if link.kind != BRIDGE:
        return speeds.get(link.name)
    ports = (port.name for port in found.links.values() if port.master == link.name)
    return max((speeds[port] for port in ports if port in speeds), default=None)
