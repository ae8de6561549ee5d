"""All checks of one network, worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address

from vnet_tui.engine.doctor.dhcp_servers import other_servers
from vnet_tui.engine.doctor.filters import foreign_filters
from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.doctor.mtu import packet_sizes
from vnet_tui.engine.doctor.resolvers import upstream
from vnet_tui.engine.doctor.routes import covering_routes
from vnet_tui.engine.doctor.routing_rules import routing_rules
from vnet_tui.engine.doctor.settings import forwarding, no_way_out, reverse_path
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.errors import Severity

Check = Callable[[Subject], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    foreign_filters,
    forwarding,
    no_way_out,
    reverse_path,
    covering_routes,
    routing_rules,
    packet_sizes,
    upstream,
)


def doctor(subject: Subject, servers: frozenset[IPv4Address] = frozenset()) -> tuple[Finding, ...]:
    """Everything that stands in a network's way; empty when all is well. Pure.

    ``servers`` are the DHCP servers that answered on the bridge
    (:func:`~vnet_tui.engine.doctor.dhcp_servers.ask`).
    """
    found = [finding for check in CHECKS for finding in check(subject)]
    found += other_servers(subject, servers)
    return tuple(sorted(found, key=lambda one: one.severity is not Severity.ERROR))
