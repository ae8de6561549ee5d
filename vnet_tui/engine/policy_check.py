"""What of a network's rules the firewall can't enforce: told before anything is written. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress, count

from vnet_tui.engine.errors import Problem
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Mode, Network, Policy, PortRange, Protocol, Rule
from vnet_tui.engine.policy import is_forward


def unsupported(network: Network) -> tuple[Problem, ...]:
    """What this engine can't enforce of the rules, each with its line.

    Never less than was asked for: a start with any of these has to be refused. Rules that are
    switched off, and those of a network without forwarding, are not looked at.
    """
    if network.mode is Mode.ISOLATED:
        return ()
    return tuple(
        problem
        for outgoing, policy in ((False, network.incoming), (True, network.outgoing))
        for rule in _faulty(policy, network, outgoing=outgoing)
        for problem in _problems(rule, outgoing=outgoing)
    )


def _faulty(policy: Policy, network: Network, *, outgoing: bool) -> Iterator[Rule]:
    faults = (_outgoing if outgoing else _incoming).each(policy.rules, (network.uuid, network.name))
    return map(policy.located, compress(count(), faults))


def _problems(rule: Rule, *, outgoing: bool) -> Iterator[Problem]:
    if not rule.enabled:
        return
    what = f"<{rule.action}> in <{'outgoing' if outgoing else 'incoming'}>"

    def problem(attribute: str, message: str, remedy: str) -> Problem:
        return Problem(message=f"{attribute} of {what}: {message}", remedy=remedy, line=rule.line)

    if rule.port is not None and rule.protocol is Protocol.ICMP:
        yield problem("port", "ICMP has no ports", "remove port, or name tcp or udp")
    if rule.destport is not None:
        if not is_forward(rule, outgoing=outgoing):
            yield problem(
                "destport",
                "only an incoming <allow> with port and domain leads to another port",
                "remove destport",
            )
        elif rule.port is not None and len(rule.destport) not in (1, len(rule.port)):
            yield problem(
                "destport",
                f"{_count(rule.port)} can't be led to {_count(rule.destport)}",
                "give one port, or as many as port has",
            )


_incoming: Memo[Rule, bool] = Memo(lambda rule: any(_problems(rule, outgoing=False)))
_outgoing: Memo[Rule, bool] = Memo(lambda rule: any(_problems(rule, outgoing=True)))


def _count(ports: PortRange) -> str:
    return "1 port" if len(ports) == 1 else f"{len(ports)} ports"
