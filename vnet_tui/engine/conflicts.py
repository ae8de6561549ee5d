"""What on the host is in the way of a start. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from vnet_tui.engine.check.together import taken_forwards
from vnet_tui.engine.desired import IP6_FORWARD, DesiredNetwork
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Ip, Network, Subnet
from vnet_tui.engine.observe import Observed, is_default


def unsupported(network: Network) -> tuple[Problem, ...]:
    """The elements that this engine keeps but can't run yet, each with its line."""
    elements = {
        "interface": network.interface,
        "listen": network.listen,
        "connections": network.connections,
    }
    return tuple(
        Problem(
            message=f"this version can't run a network with <{name}>",
            remedy="the definition is kept; take the element out to start the network without it",
            line=element.line,
        )
        for name, element in elements.items()
        if element is not None
    )


def host_conflicts(
    one: DesiredNetwork,
    before: DesiredNetwork | None,
    others: Iterable[DesiredNetwork],
    observed: Observed,
    ours: Mapping[str, UUID],
) -> tuple[Problem, ...]:
    """Everything in the way of running a network beside ``others``.

    Of one that runs (as ``before`` says) only those of its subnets that it hasn't had until now,
    and no forwards where nothing changed.
    ``ours`` are the bridges of our networks, by name.
    """
    others = list(others)
    found = [
        *_name_conflicts(one, observed, ours),
        *_switch_conflicts(one, before, others, observed),
    ]
    if before is None or before.network != one.network:
        for other in others:
            found.extend(taken_forwards(one.network, other.network))
    for ip in one.network.ips:
        if is_new(ip, before):
            found.extend(_subnet_conflicts(ip, others, observed, ours))
            if ip.address.version == 6 and observed.sysctls.get(IP6_FORWARD) is None:
                found.append(
                    Problem(
                        message=f"{ip.interface} is IPv6, which this kernel has switched off",
                        remedy="boot without ipv6.disable=1, or use IPv4",
                        line=ip.line,
                    )
                )
    return tuple(found)


def is_new(ip: Ip, before: DesiredNetwork | None) -> bool:
    """Whether a network's subnet is one that it hasn't had while it ran as ``before`` says."""
    return before is None or ip.subnet not in {theirs.network for theirs in before.addresses}


def _name_conflicts(
    one: DesiredNetwork, observed: Observed, ours: Mapping[str, UUID]
) -> Iterator[Problem]:
    name = one.bridge.name
    link = observed.links.links.get(name)
    if link is None or ours.get(name) == one.record.uuid:
        return
    owner = f"a {link.kind} interface" if link.kind else "an interface"
    if link.alias.startswith("vnet:"):
        owner = "a bridge of another network or another vnet engine"
    yield Problem(
        message=f"there is {owner} called {name} already",
        remedy='give the network another bridge name: <bridge name="..."/>',
        line=one.network.bridge.line if one.network.bridge else 0,
    )


def _switch_conflicts(
    one: DesiredNetwork,
    before: DesiredNetwork | None,
    others: Iterable[DesiredNetwork],
    observed: Observed,
) -> Iterator[Problem]:
    switch = one.switch
    if switch is None:
        return
    line = one.network.switch.line if one.network.switch else 0
    link = observed.links.links.get(switch.tap)
    had = before is not None and before.switch is not None
    ours = had or any(running.spec.tap == switch.tap for running in observed.switches)
    if link is not None and not ours:
        yield Problem(
            message=f"there is an interface called {link.name} already, as that of the network's "
            "vde_switch is to be",
            remedy=f"remove or rename it: ip link delete {link.name}",
            line=line,
        )
    for other in others:
        if other.switch is not None and other.switch.socket == switch.socket:
            yield Problem(
                message=f"the sockets of the vde_switch of network {other.record.name} are in "
                f"{switch.socket}, too",
                remedy="name another directory, or none",
                line=line,
            )


def _subnet_conflicts(
    ip: Ip, others: Iterable[DesiredNetwork], observed: Observed, ours: Mapping[str, UUID]
) -> Iterator[Problem]:
    remedy = "choose a subnet that is free"
    subnet = ip.subnet
    for other in others:
        for theirs in other.addresses:
            if _overlap(subnet, theirs.network):
                yield Problem(
                    message=f"{subnet} overlaps {theirs.network} of the running network "
                    f"{other.record.name}",
                    remedy=remedy,
                    line=ip.line,
                )
    reported: set[tuple[str, Subnet]] = set()
    for link in observed.links.links.values():
        if link.name in ours:
            continue
        for address in sorted(link.addresses, key=str):
            if not address.ip.is_link_local and _overlap(subnet, address.network):
                reported.add((link.name, address.network))
                yield Problem(
                    message=f"{subnet} overlaps the host's address {address} on {link.name}",
                    remedy=remedy,
                    line=ip.line,
                )
    for route in observed.links.routes:
        device = observed.links.links.get(route.device or "")
        if (
            device is None
            or device.name in ours
            or is_default(route)
            or (device.name, route.destination) in reported
            or not _overlap(subnet, route.destination)
        ):
            continue
        via = f" via {route.gateway}" if route.gateway else ""
        yield Problem(
            message=f"{subnet} overlaps the host's route to {route.destination}{via} "
            f"on {device.name}",
            remedy=remedy,
            line=ip.line,
        )


def _overlap(one: Subnet, other: Subnet) -> bool:
    return one.version == other.version and one.overlaps(other)
