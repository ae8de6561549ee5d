"""The rules of what may pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, count
from operator import attrgetter

from vnet_tui.engine.census import Census
from vnet_tui.engine.check.between import Between, Found, Placed
from vnet_tui.engine.check.forwards import (
    PortIndex,
    covers,
    guest_name,
    protocols,
    takes_port,
)
from vnet_tui.engine.check.known import never_known
from vnet_tui.engine.check.names import is_guest_name, one_line
from vnet_tui.engine.check.reach import out_of_reach
from vnet_tui.engine.check.report import at_line, bounds, error, port_bounds, warning
from vnet_tui.engine.check.shadows import shadowed
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import (
    Action,
    Forwarding,
    Mode,
    Network,
    Policy,
    PortRange,
    Protocol,
    Rule,
)

_COMMENT = 128
"""Bytes of a rule's comment: what nftables keeps (NFTNL_UDATA_COMMENT_MAXLEN)."""

_LIMIT = 1, 1_000_000

_TOLD = 3
"""So many earlier rules are named in one warning."""


def check_forwarding(network: Network) -> Iterator[Problem]:
    """Rules that can match, each alone and beside the others of its policy."""
    forwarding = network.forwarding
    if forwarding is None:
        return
    if forwarding.mode is Mode.ISOLATED:
        yield error(
            forwarding,
            "there is no mode isolated",
            'write enabled="false", or leave <forwarding> out',
        )
    if forwarding.enabled and not network.ips:
        yield warning(
            forwarding,
            "nothing can be forwarded: the network has no address of the host",
            "add <dhcp><ip …/></dhcp>",
        )
    for policy in (forwarding.incoming, forwarding.outgoing):
        if policy is not None:
            yield from _policy(policy, forwarding, network)


def _policy(policy: Policy, forwarding: Forwarding, network: Network) -> Iterator[Problem]:
    incoming = policy is forwarding.incoming
    rules = policy.rules
    faults = (_incoming_faults if incoming else _outgoing_faults).each(
        rules, (network.uuid, network.name)
    )
    for at in compress(count(), faults):
        yield from _faults(policy.located(at), incoming=incoming)
    yield from _reach(policy, network, incoming=incoming)
    for at, earlier in shadowed(rules, incoming=incoming).items():
        which = [policy.located(by) for by in earlier]
        yield _never(policy.located(at), which, incoming=incoming)
    if incoming:
        for at, (by, *_) in _taken_ports(rules).items():
            rule, first = policy.located(at), policy.located(by)
            yield error(
                rule,
                f"port {rule.port} of the host leads to {first.domain} already{at_line(first)}",
                "take another port, or tell them apart by protocol, source or destination",
            )


def _faults(rule: Rule, *, incoming: bool) -> Iterator[Problem]:
    """What is wrong with a rule, whatever the others and the network are."""
    yield from check_ports(rule)
    yield from _sense(rule, incoming)


_incoming_faults: Memo[Rule, bool] = Memo(lambda rule: any(_faults(rule, incoming=True)))
_outgoing_faults: Memo[Rule, bool] = Memo(lambda rule: any(_faults(rule, incoming=False)))


def _never(rule: Rule, earlier: Sequence[Rule], *, incoming: bool) -> Problem:
    lines = [f"line {one.line}" for one in earlier if one.line]
    if len(lines) > _TOLD:
        lines[_TOLD:] = [f"{len(lines) - _TOLD} more"]
    where = f" ({' and '.join(lines)})" if lines else ""
    which = "an earlier one" if len(earlier) == 1 else "earlier ones"
    each = "s" if len(earlier) == 1 else ""
    if incoming and takes_port(rule) and not takes_port(earlier[0]):
        return warning(
            rule,
            f"this rule lets nobody from beyond the network reach {rule.domain}: {which}{where} "
            f"{'denies' if each else 'deny'} it",
            "move it before that, or delete it",
        )
    return warning(
        rule,
        f"this rule never decides anything: {which}{where} match{each and 'es'} all that it does",
        "delete it, or move it before that",
    )


def check_ports(rule: Rule) -> Iterator[Problem]:
    """Ports that there are, as many where a forward leads as where it begins."""
    for name, ports in (("port", rule.port), ("destport", rule.destport)):
        if ports is None:
            continue
        for value in dict.fromkeys((ports.first, ports.last)):
            yield from port_bounds(rule, name, value)
        if ports.first > ports.last:
            yield error(
                rule,
                f"{name} {ports.first}-{ports.last} ends before it starts",
                f"write {ports.last}-{ports.first}",
            )
    if rule.destport is not None:
        if rule.port is None:
            yield error(
                rule, "destport stands without port", "add the port of the host that leads there"
            )
        elif _size(rule.port) != _size(rule.destport):
            yield error(
                rule,
                f"{_size(rule.port)} ports ({rule.port}) can't lead to {_size(rule.destport)} "
                f"({rule.destport})",
                "give as many in destport as in port",
            )


def _size(ports: PortRange) -> int:
    return ports.last - ports.first + 1


def _sense(rule: Rule, incoming: bool) -> Iterator[Problem]:
    if rule.destport is not None:
        if rule.domain is None:
            yield error(
                rule,
                "destport stands without domain",
                "add the guest that it is a port of, or delete destport",
            )
        if not incoming:
            yield error(rule, "destport has no meaning in <outgoing>", "delete it, or write port")
        elif rule.action is Action.DENY:
            yield error(rule, "a <deny> leads nowhere", "delete destport")
    if rule.protocol is Protocol.ICMP and (rule.port, rule.destport) != (None, None):
        yield error(rule, "icmp has no ports", "delete port, or write tcp or udp")
    if rule.source and rule.destination and rule.source.version != rule.destination.version:
        yield error(
            rule,
            f"no connection goes from {rule.source} to {rule.destination}",
            "write source and destination of one family",
        )
    if rule.domain is not None and not is_guest_name(rule.domain):
        yield error(
            rule,
            f"{rule.domain!r} is no name of a guest",
            "letters, digits, ., _ and -, the first and last a letter or digit",
        )
    yield from check_limit(rule)
    yield from check_comment(rule)


def check_limit(rule: Rule) -> Iterator[Problem]:
    """A limit that can be counted."""
    yield from bounds(rule, "a limit", rule.limit, *_LIMIT, " connections a second")


def check_comment(rule: Rule) -> Iterator[Problem]:
    """A comment that is one line, and that nftables keeps."""
    if rule.comment is not None:
        length = len(rule.comment.encode("utf-8", "surrogatepass"))
        if not one_line(rule.comment):
            yield error(rule, "the comment has control characters", "one line of text")
        elif length > _COMMENT:
            yield error(rule, f"the comment has {length} bytes", f"at most {_COMMENT} are possible")


_domains: Census[Rule, str | None] = Census(attrgetter("domain"))


def _reach(policy: Policy, network: Network, *, incoming: bool) -> Iterator[Problem]:
    """Rules that look as if they never matched."""
    yield from out_of_reach(policy, network, incoming=incoming)
    never = never_known(network)
    domains = _domains(policy.rules, (network.uuid, network.name, incoming))
    unknown = {domain for domain in domains if domain is not None and never(domain)}
    for at, rule in enumerate(policy.rules if unknown else ()):
        if rule.enabled and rule.domain in unknown:
            yield warning(
                policy.line_of(at),
                f"no guest can become known as {rule.domain} by DHCP: it has no reservation, and "
                "no range is served",
                f'add <host name="{rule.domain}" address="…"/> to <dhcp>',
            )


def _taken(rules: Placed, _: bool) -> Found:
    """Ports of the host that lead to two guests, where the order of rules doesn't make sense of it:
    the later rules, each with the earlier one.

    A forward after one that matches less (another source, another address of the host) gets the
    rest. A limit doesn't change whose the port is: what is beyond it isn't led elsewhere.
    """
    live = [(at, rule) for at, rule in rules if rule.enabled and takes_port(rule)]
    index = PortIndex(rule for _, rule in live)
    found = {}
    for number, (at, rule) in enumerate(live):
        if rule.port is None:
            continue
        for earlier, first in index.overlapping(rule.port):
            if (
                earlier < number
                and guest_name(first) != guest_name(rule)
                and protocols(first) & protocols(rule)
                and covers(first.source, rule.source)
                and covers(first.destination, rule.destination)
            ):
                found[at] = (live[earlier][0],)
                break
    return found


_taken_ports = Between(_taken)
