"""The journeys that a network lives by: its services, its way out, its forwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from itertools import product

from vnet_tui.engine.doctor.asked_ports import named_numbers, worth_following
from vnet_tui.engine.doctor.host import SOMEWHERE
from vnet_tui.engine.doctor.journeys import Journey, addressed, through, to_host
from vnet_tui.engine.doctor.lookup import Asked, look_up
from vnet_tui.engine.doctor.packet import CLIENT_PORT, Packet
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.model import Action, Address, Mode, Protocol
from vnet_tui.engine.policy import is_forward
from vnet_tui.engine.resources import Forward, PolicyRule
from vnet_tui.engine.rule_words import describe

DHCP = "DHCP"
DNS = "DNS"
WAY_OUT = "the way out"
NEIGHBOURS = "IPv6 between guests and host"
ARP = "IPv4 between guests and host"
UPLINK_ARP = "IPv4 on the way out"
UPLINK_NEIGHBOURS = "IPv6 on the way out"
ADVERTISING = "IPv6 router advertisement"
DHCP6 = "DHCPv6"
BRIDGED = "guests of the network to each other"

_WEB = 443
_LINK_LOCAL = {"host": ip_address("fe80::1"), "guest": ip_address("fe80::2")}
_ALL_NODES, _ALL_ROUTERS = ip_address("ff02::1"), ip_address("ff02::2")  # RFC 4291, section 2.7.1
_ALL_DHCP = ip_address("ff02::1:2")  # RFC 8415, section 7.1


def services(subject: Subject) -> Iterator[Journey]:
    """What guests ask of the host, as far as the network serves it."""
    network = subject.network.network
    served = {ip.address.version for ip in network.ips if ip.ranges}
    if network.dhcp:
        served |= {one.address.version for one in network.dhcp.reservations}
    if network.serves_dhcp and 4 in served:
        yield _dhcp4(subject)
    for version in (4, 6):
        guest, gateway = subject.first_guest(version), subject.gateway(version)
        if guest is None or gateway is None:
            continue
        if version == 6:
            yield _neighbours(NEIGHBOURS, gateway, subject.bridge)
        if network.serves_dns:
            for protocol in ("udp", "tcp"):
                asking = _packet(subject, protocol, guest, gateway, dport=53, iif=subject.bridge)
                yield to_host(DNS, asking)
    if network.serves_dhcp and 6 in served:
        yield _advertising(subject)
        yield _dhcp6(subject)


def beyond(subject: Subject) -> Iterator[Journey]:
    """The way out, for each address family that guests have."""
    rules = subject.network.rules
    if rules.mode is Mode.ISOLATED:
        return
    opened = _opened(subject)
    if opened is None:
        return
    protocol, port = opened
    for version in (4, 6):
        guest = subject.first_guest(version)
        uplink = way_out(subject, version)
        if guest is None or not uplink:
            continue
        packet = _packet(subject, protocol, guest, SOMEWHERE[version], dport=port)
        packet = addressed(subject.host, replace(packet, iif=subject.bridge, oif=uplink))
        on_uplink = subject.host.address_on(uplink, version)
        if on_uplink is not None and version == 6:
            yield _neighbours(UPLINK_NEIGHBOURS, on_uplink, uplink)
        own = on_uplink if rules.mode is Mode.NAT else None
        yield through(WAY_OUT, packet, masqueraded=own)


def way_out(subject: Subject, version: int) -> str:
    """The interface by which guests' packets leave for the world; empty where there is none."""
    guest = subject.first_guest(version)
    if guest is not None and subject.routing.rules:
        found = look_up(subject.routing, Asked(guest, SOMEWHERE[version], subject.bridge))
        if not found.doubtful:
            return found.device
    return subject.host.device(SOMEWHERE[version])


def inward(subject: Subject) -> Iterator[Journey]:
    """Each forward, and in mode route each port that is open to the outside."""
    network, rules = subject.network.network, subject.network.rules
    if rules.mode is Mode.ISOLATED:
        return
    written = [rule for rule in network.incoming.rules if rule.enabled]
    ranges = any(rule.port is not None and len(rule.port) > 1 for rule in written)
    named = named_numbers(subject.others.tables) if ranges else frozenset()
    for rule, resolved in zip(written, rules.incoming.rules, strict=True):
        what = describe(rule)
        if is_forward(rule) and isinstance(resolved, Forward):
            for guest in sorted(resolved.guests, key=str):
                yield from _forward(subject, what, resolved, guest, named)
        elif isinstance(resolved, PolicyRule) and rules.mode is Mode.ROUTE:
            yield from _open_port(subject, what, resolved, named)


def bridged(subject: Subject) -> Iterator[Journey]:
    """From guest to guest, for kernels that have bridges ask the IP tables too."""
    for version in (4, 6):
        guest = subject.first_guest(version)
        if guest is not None:
            packet = _packet(subject, "tcp", guest, guest + 1, dport=_WEB)
            packet = replace(packet, iif=subject.bridge, oif=subject.bridge)
            yield through(BRIDGED, packet)


def _opened(subject: Subject) -> tuple[str, int] | None:
    """A protocol and port that guests may open; None where the policy lets nothing out."""
    policy = subject.network.rules.outgoing
    if policy.default is Action.ALLOW:
        return "tcp", _WEB
    for rule in policy.rules:
        if (
            isinstance(rule, PolicyRule)
            and rule.action is Action.ALLOW
            and rule.guests != frozenset()
        ):
            protocol = rule.protocol or Protocol.TCP
            if protocol is not Protocol.ICMP:
                return protocol.value, rule.ports.first if rule.ports else _WEB
    return None


def _packet(
    subject: Subject, protocol: str, source: Address, target: Address, *, dport: int, iif: str = ""
) -> Packet:
    packet = Packet(
        protocol=protocol,
        source=source,
        target=target,
        sport=CLIENT_PORT,
        dport=dport,
        iif=iif,
    )
    return addressed(subject.host, packet)


def _dhcp4(subject: Subject) -> Journey:
    bridge = subject.bridge
    guest, gateway = subject.first_guest(4), subject.gateway(4)
    assert guest is not None  # noqa: S101  (a network that serves DHCP has a subnet)
    assert gateway is not None  # noqa: S101
    asking = Packet(
        protocol="udp",
        source=ip_address("0.0.0.0"),  # noqa: S104  (a client without an address)
        target=ip_address("255.255.255.255"),
        iif=bridge,
        sport=68,
        dport=67,
        target_type="broadcast",
    )
    # Not between the addresses that asked: conntrack takes an offer for a new connection.
    offer = replace(asking, source=gateway, target=guest, iif="", oif=bridge, sport=67, dport=68)
    offer = replace(offer, source_type="local", target_type="unicast")
    return to_host(DHCP, asking, answer=offer)


def _dhcp6(subject: Subject) -> Journey:
    asking = Packet(
        protocol="udp",
        source=_LINK_LOCAL["guest"],
        target=_ALL_DHCP,
        iif=subject.bridge,
        sport=546,
        dport=547,
        target_type="multicast",
    )
    answer = replace(
        asking,
        source=_LINK_LOCAL["host"],
        target=_LINK_LOCAL["guest"],
        iif="",
        oif=subject.bridge,
        sport=547,
        dport=546,
        source_type="local",
        target_type="unicast",
    )
    return to_host(DHCP6, asking, answer=answer)


def _discovery(
    what: str, kinds: tuple[str, str], device: str, target: Address, answers_to: Address
) -> Journey:
    """A question of neighbour discovery (RFC 4861), which conntrack doesn't track."""
    asks, answers = kinds
    asking = Packet(
        protocol="icmpv6",
        source=_LINK_LOCAL["guest"],
        target=target,
        iif=device,
        icmp_type=asks,
        state="untracked",
        target_type="multicast",
    )
    answer = replace(
        asking,
        source=_LINK_LOCAL["host"],
        target=answers_to,
        iif="",
        oif=device,
        icmp_type=answers,
        source_type="local",
        target_type="multicast" if answers_to.is_multicast else "unicast",
    )
    return replace(to_host(what, asking, answer=answer), device=device)


def _advertising(subject: Subject) -> Journey:
    kinds = ("nd-router-solicit", "nd-router-advert")
    return _discovery(ADVERTISING, kinds, subject.bridge, _ALL_ROUTERS, _ALL_NODES)


def _neighbours(what: str, address: Address, device: str) -> Journey:
    low = int(address) & 0xFFFFFF  # the solicited-node address of RFC 4291, section 2.7.1
    kinds = ("nd-neighbor-solicit", "nd-neighbor-advert")
    solicited = ip_address("ff02::1:ff00:0") + low
    asked = _discovery(what, kinds, device, solicited, _LINK_LOCAL["guest"])
    # The host asks in its turn: the same packets, each the other way round.
    turned = [
        replace(
            stage,
            hook={"input": "output", "output": "input"}.get(stage.hook, stage.hook),
            packet=replace(stage.packet, iif=stage.packet.oif, oif=stage.packet.iif),
        )
        for stage in asked.stages
        if stage.hook in ("input", "output")
    ]
    return replace(asked, stages=(*asked.stages, *turned))


def _forward(
    subject: Subject, what: str, forward: Forward, guest: Address, named: frozenset[int]
) -> Iterator[Journey]:
    host, version = subject.host, guest.version
    if any(one is not None and one.version != version for one in (forward.source, forward.address)):
        return
    source = _outsider(forward.source.network_address if forward.source else None, version)
    uplink = host.device(source)
    asked = forward.address.network_address if forward.address else None
    asked = asked or host.address_on(uplink, version)
    if asked is None or not uplink:
        return
    places = [*worth_following(forward.ports, forward.guest_ports, named)]
    for protocol, place in product(_protocols(forward.protocol), places):
        packet = Packet(
            protocol=protocol,
            source=source,
            target=guest,
            iif=uplink,
            oif=subject.bridge,
            sport=CLIENT_PORT,
            dport=forward.guest_ports.first + (place if len(forward.guest_ports) > 1 else 0),
            translated=True,
            asked=asked,
            asked_port=forward.ports.first + place,
        )
        yield through(what, addressed(host, packet))


def _open_port(
    subject: Subject, what: str, rule: PolicyRule, named: frozenset[int]
) -> Iterator[Journey]:
    if rule.action is not Action.ALLOW or rule.guests == frozenset():
        return
    for version in (4, 6):
        guests = [one for one in rule.guests or () if one.version == version]
        target = guests[0] if guests else (None if rule.guests else subject.first_guest(version))
        if rule.source is not None and rule.source.version != version:
            continue
        source = _outsider(rule.source.network_address if rule.source else None, version)
        uplink = subject.host.device(source)
        if target is None or not uplink or rule.protocol is Protocol.ICMP:
            continue
        asked = [_WEB]
        if rule.ports is not None:
            places = worth_following(rule.ports, rule.ports, named)
            asked = [rule.ports.first + place for place in places]
        for protocol, port in product(_protocols(rule.protocol), asked):
            packet = _packet(subject, protocol, source, target, dport=port, iif=uplink)
            yield through(what, replace(packet, oif=subject.bridge))


def _outsider(named: Address | None, version: int) -> Address:
    return named if named is not None else SOMEWHERE[version]


def _protocols(protocol: Protocol | None) -> tuple[str, ...]:
    return ("tcp", "udp") if protocol is None else (protocol.value,)
