"""Whether what a network says makes sense: alone, and beside the other networks of the host.

Pure: nothing is asked of the host. Everything that a :class:`~vnet_tui.engine.model.Network` can
hold is looked at, however it was made; :mod:`vnet_tui.engine.xml` has looked at its form before.
"""

from __future__ import annotations

from collections.abc import Iterable

from vnet_tui.engine.check.addresses import check_addresses
from vnet_tui.engine.check.devices import check_devices
from vnet_tui.engine.check.dns import check_dns
from vnet_tui.engine.check.forwarding import check_forwarding
from vnet_tui.engine.check.options import check_options
from vnet_tui.engine.check.reservations import check_reservations
from vnet_tui.engine.check.scalars import check_scalars
from vnet_tui.engine.check.together import conflicts
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Network

_CHECKS = (
    check_scalars,
    check_devices,
    check_dns,
    check_addresses,
    check_reservations,
    check_options,
    check_forwarding,
)


def check(network: Network) -> tuple[Problem, ...]:
    """Everything that makes no sense in one network, errors and warnings, by line."""
    return _by_line(problem for one in _CHECKS for problem in one(network))


def check_together(network: Network, others: Iterable[Network]) -> tuple[Problem, ...]:
    """Everything in which a network collides with others, by line.

    ``others`` are those that stay beside it; one with both its UUID and its name is taken for an
    earlier version of it, and passed over.
    """
    return _by_line(
        problem
        for other in others
        if other.uuid is None or (other.uuid, other.name) != (network.uuid, network.name)
        for problem in conflicts(network, other)
    )


def _by_line(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
