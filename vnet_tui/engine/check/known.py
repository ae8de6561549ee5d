"""Guests that rules name and that nobody knows now. Pure: who is known is given."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Sequence

from vnet_tui.engine.check.report import warning
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.guests import plain_name
from vnet_tui.engine.model import Mode, Network, Policy, Rule

_MOST = 50
"""So many names are told and, which takes a while, compared with those that are known."""


def never_known(network: Network) -> Callable[[str], bool]:
    """Tells of a name whether no guest can become known by it through DHCP."""
    dhcp = network.dhcp
    if dhcp is None or (dhcp.enabled and any(ip.ranges for ip in dhcp.ips)):
        return lambda _: False
    own = network.dns.domain if network.dns else None
    reserved = {plain_name(one.name or "", own) for one in dhcp.reservations}
    return lambda domain: plain_name(domain, own) not in reserved


def unknown_guests(
    network: Network, known: Collection[str], *, only_slips: bool = False
) -> Iterator[Problem]:
    """Each name that rules wait for, told once, at the first of them.

    ``known`` are the names of guests, as :func:`~vnet_tui.engine.guests.guest_names` gives them.
    Those that can't become known are :func:`never_known`, and told of as such. ``only_slips``:
    only names that look like slips of the pen for known ones.
    """
    if network.mode is Mode.ISOLATED:
        return
    own = network.dns.domain if network.dns else None
    never = never_known(network)
    waiting: dict[str, list[tuple[Policy, int]]] = {}
    for policy in (network.incoming, network.outgoing):
        for at, rule in enumerate(policy.rules):
            if rule.enabled and rule.domain is not None and not never(rule.domain):
                name = plain_name(rule.domain, own)
                if name not in known:
                    waiting.setdefault(name, []).append((policy, at))
    for name, rules in [*waiting.items()][:_MOST]:
        close = difflib.get_close_matches(name, known, n=1)
        if only_slips and not close:
            continue
        first = _first(rules)
        others = len(rules) - 1
        more = ("", ", as one more does")[others] if others < 2 else f", as {others} more do"
        yield warning(
            first,
            f"no guest is known as {first.domain} now: this rule waits until one is{more}",
            f"did you mean {close[0]}?"
            if close
            else f'give the guest this host name, or add <host name="{name}" …/> to <dhcp>',
        )
    if len(waiting) > _MOST and not only_slips:
        rest = [*waiting.values()][_MOST]
        yield warning(
            _first(rest),
            f"rules from here on wait for {len(waiting) - _MOST} more guests whom nobody knows now",
            "the rules of the running network tell which",
        )


def _first(rules: Sequence[tuple[Policy, int]]) -> Rule:
    policy, at = rules[0]
    return policy.located(at)
