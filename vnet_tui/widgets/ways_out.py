"""Through which links of the host traffic leaves it, as a sample tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from vnet_tui.engine.model import Mode
from vnet_tui.engine.views import HostLink, NetworkInfo
from vnet_tui.units import bit_rate

Links = Mapping[str, HostLink]


def uplinks(links: Links) -> list[str]:
    """Those that have a default route, IPv4's first."""
    found = [name for name, link in links.items() if link.defaults]
    return sorted(found, key=lambda name: (links[name].defaults, name))


def ways_out(links: Links) -> list[str]:
    """Those and all others to which routes lead."""
    others = [name for name, link in links.items() if link.routes and not link.defaults]
    return uplinks(links) + sorted(others)


def through(info: NetworkInfo, links: Links) -> tuple[str, ...]:
    """The uplinks through which what a network sends to the world leaves, by its addresses."""
    if info.mode is Mode.ISOLATED:
        return ()
    versions = {address.version for address in info.addresses}
    return tuple(name for name in uplinks(links) if versions.intersection(links[name].defaults))


def link_words(link: HostLink) -> list[str]:
    """What there is to say about a link but for its traffic."""
    words = [bit_rate(link.speed).strip() if link.speed else "no link rate"]
    if link.defaults:
        versions = " and ".join(f"IPv{version}" for version in link.defaults)
        words.append(f"default route of {versions}")
    if link.routes:
        others = "other " if link.defaults else ""
        words.append(f"{link.routes} {others}route{'' if link.routes == 1 else 's'}")
    return words
