"""Check: rules of policy routing that take guests' packets elsewhere, or throw them away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vnet_tui.engine.doctor.findings import Command, Finding
from vnet_tui.engine.doctor.host import SOMEWHERE, Host
from vnet_tui.engine.doctor.lookup import Asked, Outcome, look_up
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.doctor.ways import WAY_OUT
from vnet_tui.engine.drivers.routing import MAIN, Action, Routing, RoutingRule
from vnet_tui.engine.errors import Severity
from vnet_tui.engine.model import Mode, Subnet

GUESTS = "guests"
_HOST = "lo"


def routing_rules(subject: Subject) -> Iterator[Finding]:
    """Rules before that of the main table, for the way to guests and for their way out."""
    if not subject.routing.rules:
        return
    for version in (4, 6):
        guest, gateway = subject.first_guest(version), subject.gateway(version)
        subnet = next(
            (one for one in subject.network.rules.subnets if one.version == version), None
        )
        if guest is None or gateway is None or subnet is None:
            continue
        uplink = subject.host.device(SOMEWHERE[version])
        ways = [Asked(gateway, guest, _HOST)]
        if subject.network.rules.mode is not Mode.ISOLATED and uplink:
            ways.append(Asked(SOMEWHERE[version], guest, uplink))
        yield from _to_guests(subject, subnet, ways)
        if len(ways) > 1:
            yield from _from_guests(
                subject, subnet, Asked(guest, SOMEWHERE[version], subject.bridge)
            )


def _to_guests(subject: Subject, subnet: Subnet, ways: list[Asked]) -> Iterator[Finding]:
    """Of the subnet, and of each part of it that a rule or a route is about: the first rule that
    takes it elsewhere."""
    told: set[RoutingRule | None] = set()
    for part in (subnet, *_parts(subject.host, subject.routing, subnet)):
        asked = ways
        if part != subnet:
            asked = [replace(way, target=part.network_address) for way in ways]
        led = [(way, look_up(subject.routing, way)) for way in asked]
        wrong = [
            (way, found)
            for way, found in led
            if found.device != subject.bridge and not _by_main(found)
        ]
        if not wrong or wrong[0][1].rule in told:
            continue
        way, found = wrong[0]
        told.add(found.rule)
        rule = RoutingRule(
            version=subnet.version, priority=0, action=Action.LOOKUP, table=MAIN, target=subnet
        )
        which = {_HOST: "packets of the host"}.get(way.iif, f"packets that come in by {way.iif}")
        if len(wrong) == len(ways):
            which = "packets"
        else:
            rule = replace(rule, iif=way.iif)
        yield _finding(
            subject,
            found,
            [one for one, _ in wrong],
            rule,
            (GUESTS,),
            f"{which} to guests in {part}",
            f"instead of to {subject.bridge}",
        )


def _parts(host: Host, routing: Routing, subnet: Subnet) -> list[Subnet]:
    """The smaller subnets in it that rules and routes are about."""
    named = [rule.target for rule in routing.rules if rule.target is not None]
    named += [route.target for route in routing.routes if route.table != MAIN]
    inside = {
        one
        for one in named
        if one.version == subnet.version
        and one.prefixlen > subnet.prefixlen
        and one.overlaps(subnet)
        and not host.is_local(one.network_address)
    }
    return sorted(inside, key=str)


def _from_guests(subject: Subject, subnet: Subnet, way: Asked) -> Iterator[Finding]:
    found = look_up(subject.routing, way)
    if found.device or found.rule is None or _by_main(found):
        return  # which way it is sent is the administrator's choice
    rule = RoutingRule(
        version=subnet.version,
        priority=0,
        action=Action.LOOKUP,
        table=MAIN,
        source=subnet,
        iif=subject.bridge,
    )
    yield _finding(subject, found, [way], rule, (WAY_OUT,), f"what guests in {subnet} send out", "")


def _by_main(found: Outcome) -> bool:
    """Whether it is the main table's doing, which others look at."""
    return found.rule is not None and found.rule.table == MAIN


def _finding(
    subject: Subject,
    found: Outcome,
    ways: list[Asked],
    rule: RoutingRule,
    blocks: tuple[str, ...],
    what: str,
    instead: str,
) -> Finding:
    if found.rule is None:
        where, message = "ip rule", f"no routing rule says where {what} go"
    elif found.device:
        where = str(found.rule)
        message = f"the routing rule {where!r} sends {what} to {found.device} {instead}".rstrip()
    else:
        where = str(found.rule)
        message = f"the routing rule {where!r} throws away {what} ({found.action})"
    first = _opening(subject, found, ways, rule)
    return Finding(
        severity=Severity.WARNING if found.doubtful else Severity.ERROR,
        blocks=blocks,
        message=message + (", unless one before it does otherwise" if found.doubtful else ""),
        where=where,
        commands=(_command(first),) if first is not None and not found.doubtful else (),
    )


def _opening(
    subject: Subject, found: Outcome, ways: list[Asked], rule: RoutingRule
) -> RoutingRule | None:
    """The rule with the lowest place at which it leads these packets where they should go; None
    where there is none."""
    before = found.rule.priority if found.rule is not None else 0
    places = {max(one.priority - 1, 0) for one in subject.routing.rules if one.priority <= before}
    for place in sorted({*places, 0}, reverse=True):
        first = replace(rule, priority=place)
        opened = _with(subject.routing, first)
        if all(_arrives(subject, look_up(opened, way), way) for way in ways):
            return first
    return None


def _arrives(subject: Subject, found: Outcome, way: Asked) -> bool:
    """Whether a packet goes to the bridge or, where it comes from there, out of it."""
    return bool(found.device) and (found.device != subject.bridge) is (way.iif == subject.bridge)


def _with(routing: Routing, rule: RoutingRule) -> Routing:
    """With one more rule, after those of its priority, as the kernel puts it."""
    rules = sorted([*routing.rules, rule], key=lambda one: one.priority)
    return replace(routing, rules=tuple(rules))


def _command(rule: RoutingRule) -> Command:
    words = ["ip", *(["-6"] if rule.version == 6 else []), "rule", "add"]
    words += ["from", str(rule.source)] if rule.source else []
    words += ["to", str(rule.target)] if rule.target else []
    words += ["iif", rule.iif] if rule.iif else []
    return (*words, "lookup", "main", "priority", str(rule.priority))
