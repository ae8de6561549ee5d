"""Check: rules of others that stop what the network lives by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vnet_tui.engine.doctor.findings import Command, Finding
from vnet_tui.engine.doctor.frames import at_ports, between_guests, matter, ports, resolution
from vnet_tui.engine.doctor.journeys import Arrival, Journey, travel
from vnet_tui.engine.doctor.remedies import remedy
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.doctor.trace import Decision
from vnet_tui.engine.doctor.ways import DNS, beyond, bridged, inward, services
from vnet_tui.engine.errors import Severity

BRIDGE_NETFILTER = {
    4: "net/bridge/bridge-nf-call-iptables",
    6: "net/bridge/bridge-nf-call-ip6tables",
}
"""Where 1, bridged packets go through the IP tables too (sysctl/net.rst)."""


@dataclass(slots=True)
class _Group:
    """Journeys that are stopped at one place, and what opens them all."""

    stop: Decision
    blocks: list[str] = field(default_factory=list)
    ports: set[str] = field(default_factory=set)
    commands: list[Command] = field(default_factory=list)
    hopeless: bool = False

    def add(self, what: str, port: str, commands: tuple[Command, ...]) -> None:
        """One more journey, of the guest at that port, with what opens it."""
        self.ports.add(port)
        if what not in self.blocks:
            self.blocks.append(what)
        self.hopeless = self.hopeless or not commands
        self.commands.extend(one for one in commands if one not in self.commands)


def foreign_filters(subject: Subject) -> Iterator[Finding]:
    """What others' tables stop, for sure or perhaps, and whom they lead elsewhere."""
    for problem in subject.others.unread:
        yield Finding(
            severity=Severity.WARNING,
            blocks=(),
            message=f"can't read all firewall rules of this host: {problem}",
        )
    journeys = [*services(subject), *beyond(subject), *inward(subject)]
    if matter(subject.others.tables):
        at = ports(subject) or ("",)
        journeys += resolution(subject)
        framed = [(port, at_ports(one, {subject.bridge: port})) for one in journeys for port in at]
        yield from _stopped(subject, [*framed, *between_guests(subject)])
    else:
        yield from _stopped(subject, [("", one) for one in journeys])
    yield from _bridge_netfilter(subject)


def _bridge_netfilter(subject: Subject) -> Iterator[Finding]:
    on = {version for version, key in BRIDGE_NETFILTER.items() if subject.setting(key) == "1"}
    journeys = [one for one in bridged(subject) if one.stages[0].packet.version in on]
    for finding in _stopped(subject, [("", one) for one in journeys]):
        version = 6 if "ip6" in finding.where.split(",")[0] else 4
        key = BRIDGE_NETFILTER[version if version in on else min(on)]
        yield Finding(
            severity=finding.severity,
            blocks=finding.blocks,
            message=f"{finding.message}; bridged packets go there because "
            f"{key.replace('/', '.')} is 1",
            where=finding.where,
            commands=finding.commands,
        )


def _stopped(subject: Subject, journeys: Iterable[tuple[str, Journey]]) -> Iterator[Finding]:
    """What is stopped of journeys, each with the port of the guest who makes it; without a port
    it is any guest's."""
    tables = subject.others.tables
    groups: dict[tuple[str, bool], _Group] = {}
    everywhere = set(ports(subject))
    elsewhere: dict[str, Finding] = {}
    for port, journey in journeys:
        arrival = travel(journey, tables)
        if arrival.translation is not None:
            led = _led_elsewhere(journey, arrival.translation)
            elsewhere.setdefault(str(led), led)
        if arrival.stop is not None:
            key = (str(arrival.stop.place), arrival.blocked)
            group = groups.setdefault(key, _Group(arrival.stop))
            group.add(journey.what, port, _commands(subject, journey, arrival))
    yield from elsewhere.values()
    for group in groups.values():
        yield _finding(group, everywhere)


def _commands(subject: Subject, journey: Journey, arrival: Arrival) -> tuple[Command, ...]:
    if not arrival.blocked:
        return ()
    device = journey.device or subject.bridge
    return remedy(journey, subject.others.tables, device, subject.others.programs)


def _finding(group: _Group, everywhere: set[str]) -> Finding:
    place = group.stop.place
    whose = ""
    if "" not in group.ports and group.ports != everywhere:
        whose = f" (for the guests at {', '.join(sorted(group.ports))})"
    stops = "stopped by the policy of its chain" if not place.rule else "stopped by a rule"
    if group.stop.doubt is not None:
        doubt = group.stop.doubt
        which = "which" if doubt == place else f"depending on {doubt}, which"
        return Finding(
            severity=Severity.WARNING,
            blocks=tuple(group.blocks),
            message=f"may be stopped by {place}, {which} can't be worked out on paper{whose}",
            where=str(place),
        )
    message = f"{stops}: {place}{whose}"
    if group.hopeless:
        message += "; no single command is known to open it: change that firewall's own settings"
    return Finding(
        severity=Severity.ERROR,
        blocks=tuple(group.blocks),
        message=message,
        where=str(place),
        commands=() if group.hopeless else tuple(group.commands),
    )


def _led_elsewhere(journey: Journey, translation: Decision) -> Finding:
    certain = "is" if translation.doubt is None and journey.what == DNS else "may be"
    return Finding(
        severity=Severity.WARNING,
        blocks=(journey.what,),
        message=f"{certain} led to another target by {translation.place}",
        where=str(translation.place),
    )
