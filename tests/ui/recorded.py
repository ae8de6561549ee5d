"""What the replaying connection plays: a host with networks and traffic, always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_address, ip_interface
from typing import Any
from uuid import UUID

from vnet_tui.engine.model import Action, Mode
from vnet_tui.engine.policy import rule_keys
from vnet_tui.engine.rule_counters import DEFAULT_IN, DEFAULT_OUT, Count, GuestCount
from vnet_tui.engine.views import (
    Denial,
    Event,
    EventKind,
    Flow,
    Guest,
    HistoryPoint,
    HostLink,
    Lease,
    NetworkInfo,
    NetworkTraffic,
    Preview,
    Rates,
    RuleState,
    RuleStatus,
    State,
    Totals,
    Traffic,
)
from vnet_tui.engine.xml import parse

NOW = 1_700_000_000.0
"""The moment at which a replay begins, in seconds since 1970: 2023-11-14 22:13:20 UTC."""

PATTERN = (3, 4, 6, 9, 12, 10, 7, 5, 4, 4, 5, 8, 11, 9, 6, 2)
"""A day in the life of a guest: traffic in eighths of its mean, over and over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A network as it is replayed; ``in_bits`` and ``out_bits`` are its mean rates, ``plan`` what
    it takes to bring it to its definition."""

    info: NetworkInfo
    xml: str
    guests: tuple[Guest, ...] = ()
    rules: tuple[RuleStatus, ...] = ()
    events: tuple[Event, ...] = ()
    in_bits: float = 0.0
    out_bits: float = 0.0
    ports: tuple[str, ...] = field(default=())
    flows: tuple[Flow, ...] = ()
    plan: Preview = field(default=Preview())

    def traffic(self, moment: float) -> NetworkTraffic:
        """Its figures at a moment: the same for the same moment, in every process."""
        step = int(moment) + self.info.uuid.int
        whole = _traffic(self.in_bits, self.out_bits, step, 1)
        ports = {
            port: _traffic(self.in_bits, self.out_bits, step + number, len(self.ports))
            for number, port in enumerate(self.ports)
        }
        return NetworkTraffic(
            traffic=whole,
            ports=ports,
            port_count=len(ports),
            rules=_rule_counts(self.rules, int(moment - NOW)),
            guests={
                address: GuestCount(into=_count(whole.totals.in_packets // number), out=_count(90))
                for number, guest in enumerate(self.guests, start=1)
                for address in guest.addresses
                if self.rules and guest.port
            },
        )

    def history(self, moment: float, length: int, port: str | None) -> Iterable[HistoryPoint]:
        """A point a second over ``length`` seconds up to a moment; of one port, or of all."""

        def figures(at: float) -> Traffic:
            traffic = self.traffic(at)
            return traffic.ports[port] if port else traffic.traffic

        return points(figures, moment, length)


def points(
    figures: Callable[[float], Traffic], moment: float, length: int
) -> Iterable[HistoryPoint]:
    """A point a second over ``length`` seconds up to a moment."""
    for second in range(length):
        at = moment - length + 1 + second
        rates = figures(at).rates
        yield HistoryPoint(time=at, in_bits=rates.in_bits, out_bits=rates.out_bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLink:
    """A link of the host's own as it is replayed."""

    name: str
    in_bits: float
    out_bits: float
    speed: float | None = None
    defaults: tuple[int, ...] = ()
    routes: int = 1

    def at(self, moment: float) -> HostLink:
        """Its figures at a moment, always the same."""
        return HostLink(
            traffic=_traffic(self.in_bits, self.out_bits, int(moment) + len(self.name), 1),
            speed=self.speed,
            defaults=self.defaults,
            routes=self.routes,
        )


LINKS = (
    RecordedLink(name="eth0", in_bits=13e6, out_bits=3e6, speed=1e9, defaults=(4, 6)),
    RecordedLink(name="wg0", in_bits=4e3, out_bits=9e3),
)
"""A host with a network card, which leads to everywhere, and a tunnel to somewhere."""


def _count(packets: int) -> Count:
    return Count(packets, packets * 60)


def _rule_counts(rules: tuple[RuleStatus, ...], seconds: int) -> dict[str, Count]:
    """The first rule decides something every second, the others did once, those that wait never;
    of incoming ones the default decides something every three seconds."""
    if not rules:
        return {}
    counts = {DEFAULT_IN: _count(1204 + seconds // 3), DEFAULT_OUT: _count(0)}
    for number, rule in enumerate(rules):
        if rule.key and rule.state is RuleState.ACTIVE:
            counts[rule.key] = _count(7 * number if number else 310 + seconds)
    return counts


def _traffic(in_bits: float, out_bits: float, step: int, sharers: int) -> Traffic:
    tide = PATTERN[step // 7 % len(PATTERN)] / 8
    swell = tide * (1 + PATTERN[step % len(PATTERN)] / 40)
    ebb = tide * (1 + PATTERN[(step + 5) % len(PATTERN)] / 30)
    rates = Rates(
        in_bits=in_bits * swell / sharers,
        out_bits=out_bits * ebb / sharers,
        in_packets=in_bits * swell / sharers / 8000,
        out_packets=out_bits * ebb / sharers / 4000,
    )
    seconds = step % 100_000
    totals = Totals(
        in_bytes=int(in_bits / 8 * seconds),
        out_bytes=int(out_bits / 8 * seconds),
        in_packets=int(in_bits / 8000 * seconds),
        out_packets=int(out_bits / 4000 * seconds),
        in_drops=seconds // 1000,
    )
    return Traffic(rates=rates, totals=totals)


FOO_XML = """\
<network id="1">
  <name>Foo</name>
  <uuid>596a5d21-71f4-8fb2-e068-e2386a5c413e</uuid>
  <!-- the lab's first network -->
  <dhcp enabled="true">
    <ip address="10.0.0.1" netmask="255.255.255.0" start="10.0.0.128" end="10.0.0.254"/>
    <host mac="52:54:00:00:00:0a" name="web" address="10.0.0.10"/>
  </dhcp>
  <forwarding enabled="true">
    <incoming default="deny">
      <allow port="123" domain="foobar" destport="321"/>
      <allow port="8080" protocol="tcp" domain="web" destport="80"/>
      <allow port="2222" protocol="tcp" domain="spare" destport="22"/>
    </incoming>
    <outgoing default="allow">
      <deny port="25"/>
    </outgoing>
  </forwarding>
</network>
"""

FOO_KEYS_IN, FOO_KEYS_OUT = (rule_keys(parse(FOO_XML), way) for way in ("incoming", "outgoing"))
"""What the rules' counters are known by."""


def plain_xml(name: str, uuid: UUID, address: str) -> str:
    """A small document of a network with one address."""
    interface = ip_interface(address)
    return (
        f"<network>\n  <name>{name}</name>\n  <uuid>{uuid}</uuid>\n"
        f'  <dhcp>\n    <ip address="{interface.ip}" prefix="{interface.network.prefixlen}"/>\n'
        "  </dhcp>\n</network>\n"
    )


def uuid_of(number: int) -> UUID:
    """The UUID of the recorded network with a number."""
    return UUID(int=0x596A5D21_71F4_4FB2_8068_E2386A5C0000 + number)


def _guest(
    number: int,
    name: str,
    *,
    port: str | None,
    lease: float | None = 2460.0,
    reserved: bool = False,
    subnet: str = "10.0.0",
) -> Guest:
    address = ip_address(f"{subnet}.{number}")
    mac = f"52:54:00:00:00:{number % 256:02x}"
    held = None
    if lease is not None:
        held = Lease(address=address, mac=mac, name=name, expires=NOW + lease)
    return Guest(name=name, mac=mac, addresses=(address,), port=port, lease=held, reserved=reserved)


def denied(seconds_ago: float, info: NetworkInfo, **fields: Any) -> Event:
    """Guest ``web`` was denied its mail, or something else."""
    mail = Denial(
        time=NOW - seconds_ago,
        network=info.uuid,
        direction="outgoing",
        action=Action.DENY,
        guest="web",
        protocol="tcp",
        source=ip_address("10.0.0.10"),
        destination=ip_address("198.51.100.7"),
        source_port=40123,
        port=25,
        rule=f"rule 1 of <outgoing> of {info.name}: deny tcp+udp 25",
    )
    told = replace(mail, **fields)
    kind = EventKind.DENIED if told.action is Action.DENY else EventKind.LOGGED
    return replace(_event(seconds_ago, kind, info, str(told)), denial=told)


def _event(seconds_ago: float, kind: EventKind, info: NetworkInfo, message: str) -> Event:
    return Event(
        time=datetime.fromtimestamp(NOW - seconds_ago, UTC),
        kind=kind,
        network=info.uuid,
        name=info.name,
        message=message,
    )


FOO = NetworkInfo(
    uuid=UUID("596a5d21-71f4-8fb2-e068-e2386a5c413e"),
    name="Foo",
    state=State.ACTIVE,
    mode=Mode.NAT,
    id=1,
    bridge="vnet-foo",
    addresses=(ip_interface("10.0.0.1/24"),),
    autostart=True,
    started=NOW - 11_000,
)
LAB = NetworkInfo(
    uuid=uuid_of(2),
    name="lab",
    state=State.ACTIVE,
    mode=Mode.NAT,
    id=2,
    title="Machines of the course",
    bridge="vnet-lab",
    addresses=(ip_interface("10.20.0.1/22"), ip_interface("fd00:20::1/64")),
    pending=True,
    started=NOW - 400_000,
)
WEB = NetworkInfo(
    uuid=uuid_of(3),
    name="web",
    state=State.DRIFTED,
    mode=Mode.ROUTE,
    id=3,
    bridge="vnet-web",
    addresses=(ip_interface("10.9.0.1/24"),),
    autostart=True,
    started=NOW - 86_000,
    note="table flushed, repairing",
)
OLD = NetworkInfo(
    uuid=uuid_of(4),
    name="old",
    state=State.DEFINED,
    mode=Mode.ISOLATED,
    addresses=(ip_interface("192.168.50.1/24"),),
)
SCRATCH = NetworkInfo(
    uuid=uuid_of(5),
    name="scratch",
    state=State.ACTIVE,
    mode=Mode.ISOLATED,
    id=4,
    bridge="vnet-scratch",
    addresses=(ip_interface("172.31.255.1/28"),),
    persistent=False,
    started=NOW - 95,
)

FLOWS = (
    Flow(
        id=1,
        protocol="tcp",
        opened="out",
        guest=ip_address("10.0.0.10"),
        guest_port=51514,
        peer=ip_address("203.0.113.80"),
        peer_port=443,
        in_packets=41_000,
        in_bytes=59_000_000,
        out_packets=20_400,
        out_bytes=1_100_000,
        in_bits=3.1e6,
        out_bits=66_000.0,
        state="established",
    ),
    Flow(
        id=2,
        protocol="tcp",
        opened="in",
        guest=ip_address("10.0.0.131"),
        guest_port=321,
        peer=ip_address("198.51.100.7"),
        peer_port=40112,
        asked=ip_address("198.51.100.2"),
        asked_port=123,
        in_packets=900,
        in_bytes=52_000,
        out_packets=1_300,
        out_bytes=1_700_000,
        in_bits=4_000.0,
        out_bits=210_000.0,
        state="established",
    ),
    Flow(
        id=3,
        protocol="udp",
        opened="out",
        guest=ip_address("10.0.0.132"),
        guest_port=33000,
        peer=ip_address("10.0.0.1"),
        peer_port=53,
        in_packets=0,
        in_bytes=0,
        out_packets=3,
        out_bytes=210,
        in_bits=0.0,
        out_bits=0.0,
        state="unanswered",
    ),
)

DEMO: tuple[Recorded, ...] = (
    Recorded(
        info=FOO,
        xml=FOO_XML,
        guests=(
            _guest(10, "web", port="tap3", reserved=True),
            _guest(131, "foobar", port="tap4"),
            _guest(132, "mallory[red]\x1b[2J", port="tap5", lease=None),
            Guest(
                name="spare",
                mac="52:54:00:00:00:63",
                addresses=(ip_address("10.0.0.99"),),
                reserved=True,
            ),
        ),
        flows=FLOWS,
        rules=(
            RuleStatus(
                direction="incoming",
                position=0,
                text="allow port 123 to foobar:321",
                key=FOO_KEYS_IN[0],
                state=RuleState.ACTIVE,
                guest=ip_address("10.0.0.131"),
            ),
            RuleStatus(
                direction="incoming",
                position=1,
                text="allow tcp port 8080 to web:80",
                key=FOO_KEYS_IN[1],
                state=RuleState.ACTIVE,
                guest=ip_address("10.0.0.10"),
            ),
            RuleStatus(
                direction="incoming",
                position=2,
                text="allow tcp port 2222 to spare:22",
                key=FOO_KEYS_IN[2],
                state=RuleState.WAITING,
            ),
            RuleStatus(
                direction="outgoing",
                position=0,
                text="deny port 25",
                state=RuleState.ACTIVE,
                key=FOO_KEYS_OUT[0],
            ),
        ),
        events=(
            _event(11_000, EventKind.STARTED, FOO, "started"),
            _event(10_950, EventKind.PORT_ADDED, FOO, "port tap3 attached"),
            _event(10_948, EventKind.LEASE_ADDED, FOO, "web got 10.0.0.10"),
            _event(900, EventKind.PORT_ADDED, FOO, "port tap4 attached"),
            _event(897, EventKind.LEASE_ADDED, FOO, "foobar got 10.0.0.131"),
            denied(640, FOO, times=3),
            denied(
                300,
                FOO,
                direction="incoming",
                action=Action.ALLOW,
                guest="foobar",
                protocol="udp",
                source=ip_address("198.51.100.7"),
                destination=ip_address("10.0.0.131"),
                port=321,
                rule="rule 1 of <incoming> of Foo: allow udp 123 → foobar:321 and log",
            ),
            _event(12, EventKind.WARNING, FOO, "rule for spare waits: no such guest"),
        ),
        in_bits=4.1e6,
        out_bits=812e3,
        ports=("tap3", "tap4", "tap5"),
    ),
    Recorded(
        info=LAB,
        xml=plain_xml("lab", LAB.uuid, "10.20.0.1/22"),
        guests=tuple(
            _guest(number, f"seat{number:02}", port=f"seat{number}", subnet="10.20.0")
            for number in range(2, 43)
        ),
        in_bits=8.3e6,
        out_bits=2.2e6,
        ports=tuple(f"seat{number}" for number in range(2, 43)),
    ),
    Recorded(
        info=OLD,
        xml=plain_xml("old", OLD.uuid, "192.168.50.1/24"),
        events=(_event(500_000, EventKind.DEFINED, OLD, "defined"),),
    ),
    Recorded(
        info=SCRATCH,
        xml=plain_xml("scratch", SCRATCH.uuid, "172.31.255.1/28"),
        ports=(),
    ),
    Recorded(
        info=WEB,
        xml=plain_xml("web", WEB.uuid, "10.9.0.1/24"),
        guests=(
            _guest(11, "front", port="tap7", subnet="10.9.0"),
            _guest(12, "back", port="tap8", subnet="10.9.0"),
        ),
        events=(_event(3, EventKind.WARNING, WEB, "table flushed by another program"),),
        ports=("tap7", "tap8"),
    ),
)


def many(count: int, *, running: bool = True) -> tuple[Recorded, ...]:
    """As many networks as one likes, with traffic on all of them while they run."""
    made = []
    for number in range(count):
        address = f"10.{number // 250 % 250}.{number % 250}.1/24"
        info = NetworkInfo(
            uuid=uuid_of(1000 + number),
            name=f"net{number:05}",
            state=State.ACTIVE if running else State.DEFINED,
            mode=Mode.NAT,
            id=number + 1 if running else None,
            bridge=f"vnet-{number}" if running else None,
            addresses=(ip_interface(address),),
            started=NOW - 400_000 if running else None,
        )
        made.append(
            Recorded(
                info=info,
                xml=plain_xml(info.name, info.uuid, address),
                in_bits=1.7e6 * (1 + number % 7) if running else 0.0,
                out_bits=0.4e6 * (1 + number % 5) if running else 0.0,
                ports=(f"tap{number}",) if running else (),
            )
        )
    return tuple(made)
