"""Interfaces of the host: looking at all of them, making bridges, hearing what changes."""

from vnet_tui.engine.drivers.links.driver import Links
from vnet_tui.engine.drivers.links.watch import Happened, LinkChange, LinkWatch
from vnet_tui.engine.resources import Link, LinkSnapshot

__all__ = ["Happened", "LinkChange", "LinkWatch", "Links", "ports"]


def ports(snapshot: LinkSnapshot, bridge: str) -> tuple[Link, ...]:
    """The interfaces that are ports of a bridge, by name."""
    found = (link for link in snapshot.links.values() if link.master == bridge)
    return tuple(sorted(found, key=lambda link: link.name))
