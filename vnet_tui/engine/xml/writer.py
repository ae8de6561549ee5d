"""From the model to a document: one canonical form, which reads back as the same model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from vnet_tui.engine.errors import DocumentError, Problem
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import (
    Connections,
    Container,
    Dhcp,
    Dns,
    Element,
    Forwarding,
    Ip,
    Network,
    Range,
    Rule,
)
from vnet_tui.engine.xml.source import CONTROL
from vnet_tui.engine.xml.values import written_lease_time, written_netmask, written_subnet

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_IN_TEXT = str.maketrans(_ESCAPES)
_IN_ATTRIBUTE = str.maketrans(_ESCAPES | {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})

Attributes = Mapping[str, object]


def write(network: Network, *, id: int | None = None) -> str:
    """The document of a network, with ``id`` as that of a running one.

    Children stand in the order of the model, indented by two spaces; IPv4 subnets are written as
    netmask, IPv6 ones as prefix; the first range as ``start`` and ``end`` where it says no more.
    Reading it gives the same model, of anything that was read. Raises
    :class:`~vnet_tui.engine.errors.DocumentError` for text that XML can't hold.
    """
    document, at = _document(network)
    return document if id is None else f'{document[:at]} id="{id}"{document[at:]}'


def is_written_as(network: Network, document: str) -> None:
    """A network was just read from a document of :func:`write`, so that this needn't write it."""
    _document.learn(network, (document, _end_of_name(network)))


def _end_of_name(network: Network) -> int:
    """Where the name of the root's tag ends in a document, which is where its ``id`` would be."""
    before = "".join(f"<!--{comment}-->\n" for comment in network.prologue + network.comments)
    return len(before) + len("<network")


def _whole(network: Network) -> tuple[str, int]:
    out = _Writer()
    out.comments(network.prologue + network.comments)
    out.container(network, "network", {}, lambda: _network(out, network))
    out.comments(network.epilogue)
    return "\n".join(out.lines) + "\n", _end_of_name(network)


_document: Memo[Network, tuple[str, int]] = Memo(_whole, size=1 << 4)
"""The text of one that was just changed is asked for several times."""


class _Writer:
    """Lines of a document that grows, and how deep the next one stands."""

    def __init__(self, indent: str = "") -> None:
        self.lines: list[str] = []
        self._indent = indent

    def line(self, text: str) -> None:
        if found := CONTROL.search(text):
            problem = Problem(
                message=f"{text!r} holds the control character U+{ord(found.group()):04X}",
                remedy="take it out of the name or text that it is in",
            )
            raise DocumentError("the network can't be written as XML", [problem])
        self.lines.append(self._indent + text)

    def comments(self, comments: Iterable[str]) -> None:
        for comment in comments:
            if "--" in comment or comment.endswith("-"):
                problem = Problem(message=f"a comment can't hold '--' or end with '-': {comment!r}")
                raise DocumentError("the network can't be written as XML", [problem])
            self.line(f"<!--{comment}-->")

    def leaf(self, element: Element, tag: str, attributes: Attributes) -> None:
        self.comments(element.comments)
        self.line(f"<{tag}{_written(attributes)}/>")

    def text(self, tag: str, text: str, comments: Iterable[str]) -> None:
        self.comments(comments)
        self.line(f"<{tag}>{text.translate(_IN_TEXT)}</{tag}>" if text else f"<{tag}/>")

    def container(
        self, element: Container, tag: str, attributes: Attributes, children: Callable[[], None]
    ) -> None:
        if not isinstance(element, Network):
            self.comments(element.comments)
        begin = len(self.lines)
        self.line(f"<{tag}{_written(attributes)}>")
        outer, self._indent = self._indent, self._indent + "  "
        children()
        self.comments(element.trailing)
        self._indent = outer
        if len(self.lines) == begin + 1:
            self.lines[begin] = f"{outer}<{tag}{_written(attributes)}/>"
        else:
            self.line(f"</{tag}>")


def _written(attributes: Attributes) -> str:
    return "".join(
        f' {name}="{_value(value).translate(_IN_ATTRIBUTE)}"'
        for name, value in attributes.items()
        if value is not None
    )


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _named(element: Element, *names: str) -> dict[str, object]:
    """The attributes that are called as the fields of the model are."""
    return {name: getattr(element, name) for name in names}


def _network(out: _Writer, network: Network) -> None:
    comments = dict(network.scalar_comments)
    scalars = {
        "name": network.name,
        "uuid": str(network.uuid) if network.uuid else None,
        "title": network.title,
        "description": network.description,
    }
    for tag, text in scalars.items():
        if text is not None:
            out.text(tag, text, comments.get(tag, ()))
    if network.metadata is not None:
        out.comments(comments.get("metadata", ()))
        out.line(network.metadata)
    if bridge := network.bridge:
        out.leaf(bridge, "bridge", _named(bridge, "name", "stp", "delay", "mtu", "mac"))
    if network.interface:
        out.leaf(network.interface, "interface", _named(network.interface, "name"))
    if switch := network.switch:
        out.leaf(switch, "switch", _named(switch, "type", "socket", "group", "mode"))
    if listen := network.listen:
        out.leaf(listen, "listen", _named(listen, "address", "port", "vni"))
    if connections := network.connections:
        out.container(connections, "connections", {}, lambda: _connections(out, connections))
    if dns := network.dns:
        out.container(dns, "dns", _named(dns, "enabled", "domain"), lambda: _dns(out, dns))
    if dhcp := network.dhcp:
        attributes = _named(dhcp, "enabled") | {"leasetime": _lease_time(dhcp.lease_time)}
        out.container(dhcp, "dhcp", attributes, lambda: _dhcp(out, dhcp))
    if forwarding := network.forwarding:
        attributes = _named(forwarding, "enabled", "mode")
        policies = partial(_policies, out, network, forwarding)
        out.container(forwarding, "forwarding", attributes, policies)


def _connections(out: _Writer, connections: Connections) -> None:
    for peer in connections.peers:
        out.leaf(peer, "connection", _named(peer, "address", "port"))


def _dns(out: _Writer, dns: Dns) -> None:
    for server in dns.forwarders:
        out.leaf(server, "forwarder", _named(server, "address", "port", "domain"))
    for host in dns.hosts:
        out.leaf(host, "host", _named(host, "name", "address"))
    for record in dns.records:
        names = ("type", "name", "target", "value", "port", "priority", "weight")
        out.leaf(record, "record", _named(record, *names))


def _dhcp(out: _Writer, dhcp: Dhcp) -> None:
    for ip in dhcp.ips:
        _ip(out, ip)
    for host in dhcp.reservations:
        out.leaf(host, "host", _named(host, "mac", "name", "address"))
    for option in dhcp.options:
        family = None if option.family == 4 else option.family
        attributes = _named(option, "number", "name", "value") | {"family": family}
        out.leaf(option, "option", attributes)


def _ip(out: _Writer, ip: Ip) -> None:
    attributes = _named(ip, "address")
    if ip.address.version == 4:
        attributes["netmask"] = written_netmask(ip.prefix)
    else:
        attributes["prefix"] = ip.prefix
    ranges = ip.ranges
    if ranges and ranges[0].lease_time is None and not ranges[0].comments:
        attributes |= _named(ranges[0], "start", "end")
        ranges = ranges[1:]
    out.container(ip, "ip", attributes, lambda: _ranges(out, ranges))


def _ranges(out: _Writer, ranges: Iterable[Range]) -> None:
    for one in ranges:
        attributes = _named(one, "start", "end") | {"leasetime": _lease_time(one.lease_time)}
        out.leaf(one, "range", attributes)


def _lease_time(seconds: int | None) -> str | None:
    return None if seconds is None else written_lease_time(seconds)


def _policies(out: _Writer, network: Network, forwarding: Forwarding) -> None:
    for tag, policy in (("incoming", forwarding.incoming), ("outgoing", forwarding.outgoing)):
        if policy is not None:
            rules = _rules.each(policy.rules, (network.uuid, network.name, tag))
            out.container(
                policy, tag, {"default": policy.default}, partial(out.lines.extend, rules)
            )


def _written_rule(rule: Rule) -> str:
    """A rule with its comments, as it stands in its policy."""
    out = _Writer("      ")
    out.leaf(rule, rule.action, _rule(rule))
    return "\n".join(out.lines)


_rules: Memo[Rule, str] = Memo(_written_rule)


def _rule(rule: Rule) -> Attributes:
    return {
        **_named(rule, "port", "protocol"),
        "source": rule.source and written_subnet(rule.source),
        "destination": rule.destination and written_subnet(rule.destination),
        **_named(rule, "domain", "destport"),
        "log": rule.log or None,
        **_named(rule, "comment", "limit"),
        "established": None if rule.established else False,
        "enabled": None if rule.enabled else False,
    }
