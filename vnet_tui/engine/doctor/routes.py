"""Check: routes of others (a VPN's, mostly) into the network's subnet, or around it."""

from __future__ import annotations

from collections.abc import Iterator

from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.errors import Severity
from vnet_tui.engine.resources import Route


def covering_routes(subject: Subject) -> Iterator[Finding]:
    """Routes that take guests' addresses elsewhere, and those whose targets the network hides."""
    for subnet in subject.network.rules.subnets:
        for route in subject.host.links.routes:
            there = route.destination
            if (
                there.version != subnet.version
                or route.device in (None, subject.bridge)
                or there.prefixlen == 0
                or not there.overlaps(subnet)
            ):
                continue
            if there.prefixlen >= subnet.prefixlen:
                yield Finding(
                    severity=Severity.ERROR,
                    blocks=("guests",),
                    message=f"the host sends packets to guests in {there} to {route.device} "
                    f"instead of {subject.bridge}",
                    where=_text(route),
                    commands=(("ip", *_family(route), "route", "del", *_text(route).split()),),
                )
            else:
                yield Finding(
                    severity=Severity.WARNING,
                    blocks=("what is beyond",),
                    message=f"the network's {subnet} hides a part of {there}, which is reached by "
                    f"{route.device}: nothing there with an address in {subnet} can be reached",
                    where=_text(route),
                )


def _text(route: Route) -> str:
    """As ip-route(8) prints it."""
    via = f" via {route.gateway}" if route.gateway else ""
    return f"{route.destination}{via} dev {route.device}"


def _family(route: Route) -> tuple[str, ...]:
    return ("-6",) if route.destination.version == 6 else ()
