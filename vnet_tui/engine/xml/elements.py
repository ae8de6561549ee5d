"""From the elements of a document to those of the model, one function each.

An element that lacks what it can't be without gives None; the node has told why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vnet_tui.engine.model import (
    Action,
    Address,
    Bridge,
    Connections,
    Dhcp,
    DhcpOption,
    Dns,
    DnsHost,
    Forwarder,
    Forwarding,
    Ip,
    Listen,
    Mode,
    Peer,
    Policy,
    Protocol,
    Range,
    Record,
    Reservation,
    Rule,
    SharedInterface,
    Switch,
)
from vnet_tui.engine.xml import values
from vnet_tui.engine.xml.limits import MAX_RULES
from vnet_tui.engine.xml.offsets import Offsets

if TYPE_CHECKING:
    from vnet_tui.engine.xml.nodes import Node

_read_action = values.one_of(Action)
_read_family = values.word("4", "6")
_read_mode = values.one_of(Mode, Mode.NAT, Mode.ROUTE)
_read_protocol = values.one_of(Protocol)
_read_record_type = values.word("cname", "txt", "srv", "mx")
_read_switch_type = values.word("vde")


class Once:
    """The children of a node of which there may be one each, by tag; further ones are told."""

    def __init__(self, node: Node, *tags: str) -> None:
        self._first: dict[str, Node] = {}
        for child in node.take(*tags):
            first = self._first.setdefault(child.tag, child)
            if first is not child:
                child.problem(
                    f"there is a second <{child.tag}> in <{node.tag}>; the first is in line "
                    f"{first.line}",
                    "leave one of them",
                )

    def __getitem__(self, tag: str) -> Node | None:
        return self._first.get(tag)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._first.values())


def read_bridge(node: Node | None) -> Bridge | None:
    """The bridge device."""
    if node is None:
        return None
    made = Bridge(
        name=node.get("name", values.as_is),
        stp=node.get("stp", values.boolean),
        delay=node.get("delay", values.number),
        mtu=node.get("mtu", values.number),
        mac=node.get("mac", values.mac),
        **node.written,
    )
    node.finish()
    return made


def read_interface(node: Node | None) -> SharedInterface | None:
    """The shared physical interface."""
    if node is None:
        return None
    name = node.need("name", values.as_is)
    node.finish()
    return None if name is None else SharedInterface(name=name, **node.written)


def read_switch(node: Node | None) -> Switch | None:
    """The switch in user space."""
    if node is None:
        return None
    kind = node.need("type", _read_switch_type)
    socket, group = node.get("socket", values.as_is), node.get("group", values.as_is)
    mode = node.get("mode", values.file_mode)
    node.finish()
    if kind is None:
        return None
    return Switch(type=kind, socket=socket, group=group, mode=mode, **node.written)


def read_listen(node: Node | None) -> Listen | None:
    """This host's end of a tunnel."""
    if node is None:
        return None
    address, port = node.need("address", values.address), node.need("port", values.port)
    vni = node.get("vni", values.number)
    node.finish()
    if address is None or port is None:
        return None
    return Listen(address=address, port=port, vni=vni, **node.written)


def read_connections(node: Node | None) -> Connections | None:
    """The other hosts' ends."""
    if node is None:
        return None
    peers = [peer for child in node.take("connection") if (peer := _peer(child))]
    node.close()
    return Connections(peers=tuple(peers), **node.written_container)


def _peer(node: Node) -> Peer | None:
    address, port = node.need("address", values.address), node.need("port", values.port)
    node.finish()
    if address is None or port is None:
        return None
    return Peer(address=address, port=port, **node.written)


def read_dns(node: Node | None) -> Dns | None:
    """The DNS service."""
    if node is None:
        return None
    enabled = node.get("enabled", values.boolean)
    domain = node.get("domain", values.as_is)
    forwarders, hosts, records = [], [], []
    for child in node.take("forwarder", "host", "record"):
        if child.tag == "forwarder" and (forwarder := _forwarder(child)):
            forwarders.append(forwarder)
        elif child.tag == "host" and (host := _dns_host(child)):
            hosts.append(host)
        elif child.tag == "record" and (record := _record(child)):
            records.append(record)
    node.close()
    return Dns(
        enabled=enabled is not False,
        domain=domain,
        forwarders=tuple(forwarders),
        hosts=tuple(hosts),
        records=tuple(records),
        **node.written_container,
    )


def _forwarder(node: Node) -> Forwarder | None:
    address = node.need("address", values.address)
    port, domain = node.get("port", values.port), node.get("domain", values.as_is)
    node.finish()
    if address is None:
        return None
    return Forwarder(address=address, port=port, domain=domain, **node.written)


def _dns_host(node: Node) -> DnsHost | None:
    name, address = node.need("name", values.as_is), node.need("address", values.address)
    node.finish()
    if name is None or address is None:
        return None
    return DnsHost(name=name, address=address, **node.written)


def _record(node: Node) -> Record | None:
    kind = node.need("type", _read_record_type)
    name = node.need("name", values.as_is)
    target, value = node.get("target", values.as_is), node.get("value", values.as_is)
    port = node.get("port", values.port)
    priority, weight = node.get("priority", values.number), node.get("weight", values.number)
    node.finish()
    if kind is None or name is None:
        return None
    return Record(
        type=kind,
        name=name,
        target=target,
        value=value,
        port=port,
        priority=priority,
        weight=weight,
        **node.written,
    )


def read_dhcp(node: Node | None) -> Dhcp | None:
    """Addresses and what is served in them."""
    if node is None:
        return None
    enabled = node.get("enabled", values.boolean)
    lease_time = node.get("leasetime", values.lease_time)
    ips, reservations, options = [], [], []
    for child in node.take("ip", "host", "option"):
        if child.tag == "ip" and (ip := _ip(child)):
            ips.append(ip)
        elif child.tag == "host" and (reservation := _reservation(child)):
            reservations.append(reservation)
        elif child.tag == "option" and (option := _option(child)):
            options.append(option)
    node.close()
    return Dhcp(
        enabled=enabled is not False,
        lease_time=lease_time,
        ips=tuple(ips),
        reservations=tuple(reservations),
        options=tuple(options),
        **node.written_container,
    )


def _ip(node: Node) -> Ip | None:
    address = node.need("address", values.address)
    prefix = _prefix(node, address)
    ranges = []
    take = node.need if node.has("start") or node.has("end") else node.get
    start, end = take("start", values.address), take("end", values.address)
    if start is not None and end is not None:
        ranges.append(Range(start=start, end=end, line=node.line))
    ranges += [one for child in node.take("range") if (one := _range(child))]
    node.close()
    if address is None or prefix is None:
        return None
    return Ip(address=address, prefix=prefix, ranges=tuple(ranges), **node.written_container)


def _prefix(node: Node, address: Address | None) -> int | None:
    """The prefix length, from whichever of the two ways it is written in."""
    both = node.has("netmask") and node.has("prefix")
    if not node.has("netmask") and not node.has("prefix"):
        node.problem(
            f"<{node.tag}> has neither netmask nor prefix",
            'add netmask="255.255.255.0" or prefix="24", or what the subnet is',
        )
    netmask, prefix = node.get("netmask", values.netmask), node.get("prefix", values.prefix)
    version = address.version if address else None
    if both:
        node.problem("netmask and prefix are both given", "leave one of them")
    elif netmask is not None and version == 6:
        node.problem("an IPv6 address has no netmask", f'write prefix="64" for {address}')
    elif prefix is not None and version == 4 and prefix > 32:
        node.problem(f"an IPv4 address has no prefix of {prefix}", "it has 32 bits")
    else:
        length = prefix if netmask is None else netmask
        if length is None:
            node.lose()
        return length
    node.lose()
    return None


def _range(node: Node) -> Range | None:
    start, end = node.need("start", values.address), node.need("end", values.address)
    lease_time = node.get("leasetime", values.lease_time)
    node.finish()
    if start is None or end is None:
        return None
    return Range(start=start, end=end, lease_time=lease_time, **node.written)


def _reservation(node: Node) -> Reservation | None:
    mac, name = node.get("mac", values.mac), node.get("name", values.as_is)
    address = node.need("address", values.address)
    node.finish()
    if address is None:
        return None
    return Reservation(address=address, mac=mac, name=name, **node.written)


def _option(node: Node) -> DhcpOption | None:
    number, name = node.get("number", values.number), node.get("name", values.as_is)
    value = node.need("value", values.as_is)
    family = node.get("family", _read_family)
    node.finish()
    if value is None:
        return None
    return DhcpOption(
        value=value, number=number, name=name, family=int(family or 4), **node.written
    )


def read_forwarding(node: Node | None) -> Forwarding | None:
    """What may pass."""
    if node is None:
        return None
    enabled = node.get("enabled", values.boolean)
    mode = node.get("mode", _read_mode)
    children = Once(node, "incoming", "outgoing")
    node.close()
    return Forwarding(
        enabled=enabled is not False,
        mode=mode,
        incoming=_policy(children["incoming"]),
        outgoing=_policy(children["outgoing"]),
        **node.written_container,
    )


def _policy(node: Node | None) -> Policy | None:
    if node is None:
        return None
    default = node.get("default", _read_action)
    children = list(node.take("allow", "deny"))
    if len(children) > MAX_RULES:
        node.problem(
            f"<{node.tag}> has more than {MAX_RULES} rules (MAX_RULES)",
            "put neighbouring ports into one rule as a range",
        )
        children = []
    node.close()
    return Policy(
        default=default,
        rules=tuple(_rule(child) for child in children),
        lines=Offsets(child.line for child in children),
        **node.written_container,
    )


def _rule(node: Node) -> Rule:
    made = Rule(
        action=Action(node.tag),
        port=node.get("port", values.ports),
        protocol=node.get("protocol", _read_protocol),
        source=node.get("source", values.subnet),
        destination=node.get("destination", values.subnet),
        domain=node.get("domain", values.as_is),
        destport=node.get("destport", values.ports),
        log=node.get("log", values.boolean) is True,
        comment=node.get("comment", values.as_is),
        limit=node.get("limit", values.number),
        established=node.get("established", values.boolean) is not False,
        enabled=node.get("enabled", values.boolean) is not False,
        comments=node.written["comments"],
    )
    node.finish()
    return made
