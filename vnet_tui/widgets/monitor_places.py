"""What the monitor has rows for: the host's links, networks and their ports. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from vnet_tui.engine.views import NetworkInfo
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line
from vnet_tui.widgets.ways_out import Links, link_words, uplinks


class Place(NamedTuple):
    """A network, or one of its ports; without a network, a link of the host's own."""

    network: UUID | None
    port: str | None = None


def places(infos: Sequence[NetworkInfo], known: Iterable[Place], links: Links) -> list[Place]:
    """In the order in which they are shown: uplinks, networks by name, each with its ports below
    it, other links of the host."""
    by_network: dict[UUID | None, list[str]] = {}
    running = set()
    for place in known:
        if place.port is None:
            running.add(place.network)
        else:
            by_network.setdefault(place.network, []).append(place.port)
    own = by_network.get(None, [])
    first = [name for name in uplinks(links) if name in own]
    found = [Place(None, name) for name in first]
    for info in infos:
        if info.uuid in running:
            found.append(Place(info.uuid))
            found += [Place(info.uuid, name) for name in _by_number(by_network.get(info.uuid, ()))]
    return found + [Place(None, name) for name in _by_number(own) if name not in first]


def _by_number(names: Collection[str]) -> list[str]:
    """``tap2`` comes before ``tap10``."""
    return sorted(names, key=lambda name: (len(name), name))


def chosen(found: Sequence[Place], infos: Sequence[NetworkInfo], wanted: str) -> list[Place]:
    """Those whose names, or whose network's, have all of these words."""
    words = wanted.casefold().split()
    names = names_of(infos)

    def texts(place: Place) -> tuple[str, str]:
        return ((place.port or "").casefold(), names.get(place.network, "").casefold())

    return [
        place
        for place in found
        if all(any(word in text for text in texts(place)) for word in words)
    ]


def names_of(infos: Sequence[NetworkInfo]) -> dict[UUID | None, str]:
    """What networks are called."""
    return {info.uuid: info.name for info in infos}


def link_rate(place: Place, links: Links) -> float | None:
    """What can flow at a place, in bits a second: what the link carries; of what is virtual, what
    the first uplink does that has a rate. None: nobody knows."""
    own = links.get(place.port or "") if place.network is None else None
    if own is not None and own.speed:
        return own.speed
    return next((speed for name in uplinks(links) if (speed := links[name].speed)), None)


def title_of(place: Place, infos: Sequence[NetworkInfo], links: Links) -> Line:
    """What a place is, in a line."""
    if place.network is None:
        link = links.get(place.port or "")
        words = ["this host's own", *(link_words(link) if link is not None else [])]
        return (Cell(place.port or "", "strong"), Cell(f" · {' · '.join(words)}", "dim"))
    name = names_of(infos).get(place.network, "")
    rest = f" / {place.port}" if place.port else " · the whole network"
    return (Cell(name, "strong"), Cell(rest, "dim"))
