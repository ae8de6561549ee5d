"""As many networks as one likes, as different from one another as those of a busy host.

Neighbours in the list have nothing in common but the beginnings of their names, so that what moves
from one to another is drawn anew: subnets of all sizes, in one family or both, ranges, reservations
and guests, forwards, rules, traffic from a trickle to gigabits; some wait for an edit or are
drifted, few don't run. Always the same, in every process.
"""

from __future__ import annotations

from hashlib import sha256
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface, ip_interface
from random import Random
from uuid import UUID

from tests.ui.recorded import NOW, Recorded
from vnet_tui.engine.model import Mode
from vnet_tui.engine.views import (
    Disturbance,
    Guest,
    Lease,
    NetworkInfo,
    PlannedStep,
    Preview,
    RuleState,
    RuleStatus,
    State,
)

WORDS = (
    *("web", "db", "cache", "mail", "build", "edge", "lab", "office", "guests", "backup", "voip"),
    *("staging", "printers", "cameras", "monitoring", "warehouse", "dmz", "k8s", "billing", "vpn"),
)
DOMAINS = ("example.test", "corp.example", "lab.internal", "", "")
STEPS = (
    ("write the firewall's rules", Disturbance.LIVE),
    ("give the bridge its address", Disturbance.LIVE),
    ("restart dnsmasq with another range", Disturbance.RESTARTS_SERVICES),
    ("set the bridge's MTU", Disturbance.LIVE),
    ("make the bridge anew", Disturbance.DISCONNECTS_GUESTS),
)
NOTES = (
    "table flushed, repairing",
    "dnsmasq ended, restarting",
    "address 10.8.0.1/24 removed by another program",
)


def varied(count: int) -> tuple[Recorded, ...]:
    """So many of them; their names begin with ``net00000`` and go on in order."""
    return tuple(_network(number) for number in range(count))


def _network(number: int) -> Recorded:
    chance = Random(number)  # noqa: S311 - always the same is what is wanted
    name = f"net{number:05}-{'-'.join(chance.sample(WORDS, chance.choice((1, 1, 2))))}"
    uuid = UUID(bytes=sha256(name.encode()).digest()[:16], version=4)
    state = chance.choices((State.ACTIVE, State.DRIFTED, State.DEFINED), (85, 8, 7))[0]
    running = state is not State.DEFINED
    four = _subnet(number, chance)
    six = ip_interface(f"fd{uuid.hex[:2]}:{uuid.hex[2:6]}:{uuid.hex[6:10]}::1/64")
    ips = (four, six) if chance.random() < 0.3 else (four,)
    guests = _guests(four, chance, running=running)
    info = NetworkInfo(
        uuid=uuid,
        name=name,
        state=state,
        mode=chance.choice(list(Mode)),
        id=chance.randrange(1, 5000) if running else None,
        title=f"{name.partition('-')[2].title()} of site {number % 17}" * (number % 4 == 0),
        bridge=f"vnet-{name.partition('-')[2]}"[:15] if running else None,
        addresses=ips,
        autostart=chance.random() < 0.5,
        pending=running and chance.random() < 0.1,
        started=NOW - chance.randrange(60, 9_000_000) if running else None,
        note=chance.choice(NOTES) if state is State.DRIFTED else "",
    )
    forwards = _forwards(guests, chance)
    return Recorded(
        info=info,
        xml=_document(info, guests, forwards, chance),
        guests=guests,
        rules=tuple(
            RuleStatus(
                direction="incoming",
                position=position,
                text=f"allow tcp port {port} to {guest.name}:{inner}",
                state=RuleState.ACTIVE if guest.port else RuleState.WAITING,
                guest=guest.addresses[0] if guest.port else None,
            )
            for position, (port, guest, inner) in enumerate(forwards)
            if running
        ),
        in_bits=10 ** chance.uniform(3, 9.5) if running else 0.0,
        out_bits=10 ** chance.uniform(3, 9) if running else 0.0,
        plan=_plan(info, chance),
        ports=tuple(guest.port for guest in guests if guest.port),
    )


def _plan(info: NetworkInfo, chance: Random) -> Preview:
    """Some steps, where it isn't as it is defined."""
    count = chance.randrange(1, 6) if info.unsettled else 0
    steps = chance.sample(STEPS, count)
    return Preview(steps=tuple(PlannedStep(text=text, disturbs=worst) for text, worst in steps))


def _subnet(number: int, chance: Random) -> IPv4Interface:
    """One that no other has: the number is in it."""
    length = chance.choice((20, 22, 24, 24, 24, 26, 28))
    if number % 5 == 0:
        return IPv4Interface(f"192.168.{number % 256}.{chance.choice((1, 17, 193))}/28")
    return IPv4Interface((int(IPv4Address("10.0.0.0")) + number * 4096 + 1, length))


def _guests(subnet: IPv4Interface, chance: Random, *, running: bool) -> tuple[Guest, ...]:
    """Some with reservations, some without a lease, some that aren't there."""
    room = min(subnet.network.num_addresses - 3, 60)
    numbers = chance.sample(range(2, room + 2), min(room, int(10 ** chance.uniform(0, 1.6))))
    made = []
    for number in sorted(numbers):
        address = subnet.network.network_address + number
        mac = f"52:54:00:{chance.randrange(256):02x}:{chance.randrange(256):02x}:{number:02x}"
        word = chance.choice(WORDS)
        there = running and chance.random() < 0.8
        lease = Lease(address=address, mac=mac, name=word, expires=NOW + chance.randrange(3600))
        made.append(
            Guest(
                name=f"{word}{number}",
                mac=mac,
                addresses=(address,),
                port=f"tap{chance.randrange(10_000)}" if there else None,
                lease=lease if there and chance.random() < 0.9 else None,
                reserved=chance.random() < 0.3,
            )
        )
    return tuple(made)


def _forwards(guests: tuple[Guest, ...], chance: Random) -> list[tuple[int, Guest, int]]:
    """From a port of the host to a guest's; each is a rule."""
    to = [guest for guest in guests if guest.reserved]
    ports = chance.sample(range(1024, 60000), len(to))
    return [(*pair, chance.choice((22, 80, 443, 5432))) for pair in zip(ports, to, strict=True)]


def _document(
    info: NetworkInfo,
    guests: tuple[Guest, ...],
    forwards: list[tuple[int, Guest, int]],
    chance: Random,
) -> str:
    lines = [f"  <name>{info.name}</name>", f"  <uuid>{info.uuid}</uuid>"]
    if domain := chance.choice(DOMAINS):
        asked = chance.choice(("", f'<forwarder address="192.0.2.{chance.randrange(1, 255)}"/>'))
        lines.append(f'  <dns domain="{domain}">{asked}</dns>')
    lines.append("  <dhcp>")
    for ip in info.addresses:
        lines.append(f"    <ip {_ip(ip, chance)}/>")
    lines += [
        f'    <host mac="{guest.mac}" name="{guest.name}" address="{guest.addresses[0]}"/>'
        for guest in guests
        if guest.reserved
    ]
    lines.append("  </dhcp>")
    if info.mode is not Mode.ISOLATED:
        lines += [f'  <forwarding mode="{info.mode.value}">', "    <incoming>"]
        lines += [
            f'      <allow port="{port}" protocol="tcp" domain="{guest.name}" destport="{inner}"/>'
            for port, guest, inner in forwards
        ]
        lines += ["    </incoming>", "  </forwarding>"]
    return "\n".join(["<network>", *lines, "</network>", ""])


def _ip(ip: IPv4Interface | IPv6Interface, chance: Random) -> str:
    network = ip.network
    written = f'address="{ip.ip}" prefix="{network.prefixlen}"'
    if isinstance(ip, IPv6Interface) or chance.random() < 0.15:
        return written
    size = network.num_addresses
    start, end = sorted(chance.sample(range(size // 4, size - 1), 2))
    first = network.network_address
    return f'{written} start="{first + start}" end="{first + end}"'
