"""Rules that no packet can match, because of the addresses that they name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import compress, count

from vnet_tui.engine.check.forwards import covers, takes_port
from vnet_tui.engine.check.report import warning
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Mode, Network, Policy, Rule, Subnet


def out_of_reach(policy: Policy, network: Network, *, incoming: bool) -> Iterator[Problem]:
    """The rules of a policy that name addresses which no connection has that asks it."""
    subnets = tuple(ip.subnet for ip in network.ips if ip.prefix <= ip.address.max_prefixlen)
    if not subnets or network.mode is Mode.ISOLATED:
        return
    faulty = _faulty(subnets, incoming).each(policy.rules, (network.uuid, network.name))
    for at in compress(count(), faulty):
        if (why := _why(policy.rules[at], subnets, incoming)) is not None:
            yield warning(policy.line_of(at), *why)


@lru_cache(maxsize=128)
def _faulty(subnets: tuple[Subnet, ...], incoming: bool) -> Memo[Rule, bool]:
    """Whether a rule of a network with these subnets is out of reach."""
    return Memo(lambda rule: _why(rule, subnets, incoming) is not None)


def _why(rule: Rule, subnets: tuple[Subnet, ...], incoming: bool) -> tuple[str, str] | None:
    """Why nothing matches a rule, and what to do about it."""
    if not rule.enabled or (rule.source is None and rule.destination is None):
        return None
    if rule.source and rule.destination and rule.source.version != rule.destination.version:
        return None  # an error, whatever the network has
    versions = {subnet.version for subnet in subnets}
    for end in (rule.source, rule.destination):
        if end is not None and end.version not in versions:
            return (
                f"no connection has an address in {end}: the network has no IPv{end.version}",
                f"add an <ip> of IPv{end.version} to <dhcp>, or delete the rule",
            )
    if incoming and takes_port(rule):
        return None  # for guests of the network itself, too, and to addresses of the host
    guests, others = (rule.source, rule.destination)[:: -1 if incoming else 1]
    if guests is not None and not any(guests.overlaps(subnet) for subnet in subnets):
        ends = "source is where guests are, destination where they connect to"
        if incoming:
            ends = "destination is where guests are, source where connections to them come from"
        return f"no guest has an address in {guests}", ends
    if others is not None and any(covers(subnet, others) for subnet in subnets):
        return (
            f"nothing from {others} or to it asks this rule: that is in the network itself, where "
            "guests reach each other",
            "name addresses beyond the network",
        )
    return None
