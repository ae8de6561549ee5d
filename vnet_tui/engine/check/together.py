"""In what two networks of one host collide."""

from __future__ import annotations

from collections.abc import Iterator

from vnet_tui.engine.check.forwards import PortIndex, forwards, overlap, protocols
from vnet_tui.engine.check.report import error, scalar_line
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Mode, Network, Policy


def conflicts(network: Network, other: Network) -> Iterator[Problem]:
    """Everything that ``network`` can't have beside ``other``, told at the lines of the former."""
    if network.name == other.name:
        yield error(
            scalar_line(network, "name"),
            f"there is another network named {other.name}",
            f"choose another name, or give it that one's UUID, {other.uuid}, to replace it"
            if other.uuid
            else "choose another name",
        )
    if network.uuid is not None and network.uuid == other.uuid:
        yield error(
            scalar_line(network, "uuid"),
            f"the network {other.name} has this UUID",
            "delete it, and a new one is made",
        )
    yield from _devices(network, other)
    for ip in network.ips:
        for theirs in other.ips:
            if ip.address.version == theirs.address.version and ip.subnet.overlaps(theirs.subnet):
                yield error(
                    ip,
                    f"the subnet {ip.subnet} overlaps {theirs.subnet} of the network {other.name}",
                    "choose another; both can't be reached from one host",
                )
    if network.forwarding and other.forwarding:
        yield from taken_forwards(network, other)


def _devices(network: Network, other: Network) -> Iterator[Problem]:
    mine, theirs = network.bridge, other.bridge
    if mine and mine.name:
        if theirs and mine.name == theirs.name:
            yield error(
                mine,
                f"the bridge {mine.name} belongs to the network {other.name}",
                "choose another name, or leave it out and one is derived",
            )
        if other.interface and mine.name == other.interface.name:
            yield error(
                mine,
                f"{mine.name} is the shared interface of the network {other.name}",
                "choose another name for the bridge",
            )
    if mine and theirs and mine.mac and mine.mac == theirs.mac:
        yield error(
            mine,
            f"the MAC {mine.mac} is that of the bridge of the network {other.name}",
            "choose another, or leave it out and one is derived",
        )
    if network.interface and other.interface and network.interface.name == other.interface.name:
        yield error(
            network.interface,
            f"the interface {network.interface.name} is shared by the network {other.name}",
            "an interface can be a port of one bridge only",
        )
    if network.interface and theirs and network.interface.name == theirs.name:
        yield error(
            network.interface,
            f"{theirs.name} is the bridge of the network {other.name}",
            "share a physical interface",
        )
    listen, taken = network.listen, other.listen
    if (
        listen
        and taken
        and (listen.address, listen.port) == (taken.address, taken.port)
        and (listen.vni is None or taken.vni is None or listen.vni == taken.vni)
    ):
        yield error(
            listen,
            f"the network {other.name} listens on {taken.address} port {taken.port} already",
            "take another port, or give each of the two a vni of its own",
        )


def taken_forwards(network: Network, other: Network) -> Iterator[Problem]:
    """Ports of the host that ``network`` forwards and ``other`` does, too."""
    policy, mine = _live_forwards(network)
    if not mine:
        return
    their_policy, theirs = _live_forwards(other)
    index = PortIndex(their_policy.rules[at] for at in theirs)
    for place in mine:
        rule = policy.rules[place]
        if rule.port is None:
            continue
        for number, taken in index.overlapping(rule.port):
            if (
                protocols(rule) & protocols(taken)
                and overlap(rule.source, taken.source)
                and overlap(rule.destination, taken.destination)
            ):
                line = their_policy.line_of(theirs[number])
                where = f" (line {line} of its document)" if line else ""
                yield error(
                    policy.line_of(place),
                    f"port {rule.port} of the host leads to {taken.domain} of the network "
                    f"{other.name}{where}",
                    "take another port, or tell them apart by protocol, source or destination",
                )
                break


def _live_forwards(network: Network) -> tuple[Policy, list[int]]:
    """The policy of a network, and the places of the forwards in it."""
    policy = network.incoming
    return policy, [] if network.mode is Mode.ISOLATED else forwards(policy)
