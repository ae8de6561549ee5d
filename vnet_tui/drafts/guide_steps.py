"""The steps in which a new network is described, and to which of them a problem belongs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Network


class GuideStep(StrEnum):
    """A step, by the word that is shown for it."""

    NAME = "Name"
    ADDRESSES = "Addresses"
    DHCP = "DHCP"
    FORWARDING = "Forwarding"
    REVIEW = "Review"


def steps_of(network: Network | None, problem: Problem) -> frozenset[GuideStep]:
    """Where to mend a problem of the document that ``network`` was read from.

    On a line that belongs to two steps (a subnet with its range) it is told at both; without a
    line, or when the document couldn't be read, at the review.
    """
    if network is None or not problem.line:
        return frozenset({GuideStep.REVIEW})
    places = [(line, step) for line, step in _places(network) if 0 < line <= problem.line]
    nearest = max((line for line, _ in places), default=0)
    return frozenset(step for line, step in places if line == nearest) or frozenset(
        {GuideStep.NAME}
    )


def _places(network: Network) -> Iterator[tuple[int, GuideStep]]:
    """Where each element begins, and the step that asks for it."""
    for _, line in network.scalar_lines:
        yield line, GuideStep.NAME
    devices = (
        network.bridge,
        network.interface,
        network.switch,
        network.listen,
        network.connections,
    )
    for device in devices:
        if device is not None:
            yield device.line, GuideStep.NAME
    if network.dns is not None:
        yield network.dns.line, GuideStep.DHCP
    if (dhcp := network.dhcp) is not None:
        yield dhcp.line, GuideStep.DHCP
        for ip in dhcp.ips:
            yield ip.line, GuideStep.ADDRESSES
            yield from ((one.line, GuideStep.DHCP) for one in ip.ranges)
        for element in (*dhcp.reservations, *dhcp.options):
            yield element.line, GuideStep.DHCP
    if network.forwarding is not None:
        yield network.forwarding.line, GuideStep.FORWARDING
