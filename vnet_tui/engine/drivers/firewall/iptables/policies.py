"""The chains of one policy in one address family: rules in order, the first match decides.

To let pass is to ``RETURN``: what others have in their chains still counts. Adjacent rules about
ports that are about the same addresses become one group, in which their order is worked out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from vnet_tui.engine.drivers.firewall.iptables.port_rules import (
    Growing,
    both,
    merged,
    ports,
    write_ports,
)
from vnet_tui.engine.drivers.firewall.iptables.rules import RETURN, Chains, Extension, Rule
from vnet_tui.engine.drivers.firewall.ports import Claim, Piece, first_match, protocols
from vnet_tui.engine.model import Action, Address, Protocol, Subnet
from vnet_tui.engine.resources import Forward, PolicyRule, PolicyRules

Side = Literal["source", "destination"]

ICMP = {4: "icmp", 6: "icmpv6"}
"""The protocol's name in each address family."""

_REFUSAL = {4: "icmp-admin-prohibited", 6: "icmp6-adm-prohibited"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which addresses a rule is about. Adjacent rules of one scope can be one group."""

    source: Subnet | None = None
    destination: Subnet | None = None
    guests: frozenset[Address] | None = None

    def heads(self, family: int, guests_are: Side) -> list[Rule]:
        """The beginnings of the rules that match it; none where nothing can match."""
        if not of_family(family, self.source, self.destination):
            return []
        head = Rule(source=str(self.source or ""), destination=str(self.destination or ""))
        if self.guests is None:
            return [head]
        within = self.source if guests_are == "source" else self.destination
        guests = [
            str(guest)
            for guest in sorted(self.guests, key=int)
            if guest.version == family and (within is None or guest in within)
        ]
        if guests_are == "source":
            return [replace(head, source=guest) for guest in guests]
        return [replace(head, destination=guest) for guest in guests]


def policy_chains(
    chain: str,
    family: int,
    policy: PolicyRules,
    first: Rule,
    *,
    guests_are: Side,
    deny_asked: bool = False,
) -> Chains:
    """The chain of a policy, which begins with ``first``, and those it needs for many ports.

    ``guests_are`` tells which end of a packet the guest of a rule is. With ``deny_asked``, denied
    ports are those that were asked for, too: those before any translation.
    """
    writer = _Writer(chain, family, policy.default, guests_are, deny_asked)
    writer.rules.append(first)
    for rule in policy.rules:
        if isinstance(rule, Forward):
            writer.forward(rule)
        else:
            writer.rule(rule)
    return writer.end(first)


class _Writer:
    """``rules`` is the end of the policy so far; ports and forwards wait for their group."""

    def __init__(
        self, chain: str, family: int, default: Action, guests_are: Side, deny_asked: bool
    ) -> None:
        self._grow = Growing(chain)
        self._family = family
        self._guests_are: Side = guests_are
        self._deny_asked = deny_asked
        self._allow = Rule(target=RETURN)
        self._deny = Rule(target="REJECT", options=(("reject-with", _REFUSAL[family]),))
        self._default = self._verdict(default)
        self._group: list[PolicyRule] = []
        self._forwards: list[Forward] = []
        _, self.rules = self._grow.chain()

    def end(self, first: Rule) -> Chains:
        """Write the default after all rules; all chains of the policy."""
        self._flush()
        # What does the same as the default and stands right before it need not be there.
        while self.rules and self.rules[-1] is not first and self._like_default(self.rules[-1]):
            self.rules.pop()
        if self._default != self._allow:  # the end of a chain lets pass by itself
            self.rules.append(self._default)
        return self._grow.done()

    def _like_default(self, rule: Rule) -> bool:
        return (rule.target, rule.options) == (self._default.target, self._default.options)

    def _verdict(self, action: Action) -> Rule:
        return self._allow if action is Action.ALLOW else self._deny

    def rule(self, rule: PolicyRule) -> None:
        """A rule that lets pass or denies."""
        if rule.ports is None:
            self._flush()
            protocol = str(rule.protocol or "")
            if rule.protocol is Protocol.ICMP:
                protocol = ICMP[self._family]
            does = replace(self._verdict(rule.action), protocol=protocol)
            heads = _scope(rule).heads(self._family, self._guests_are)
            self.rules.extend(both(head, does) for head in heads)
            return
        if self._forwards or (self._group and not self._belongs(rule)):
            self._flush()
        self._group.append(rule)

    def _belongs(self, rule: PolicyRule) -> bool:
        last = self._group[-1]
        return _scope(last) == _scope(rule) and not (
            self._deny_asked and last.action != rule.action
        )

    def forward(self, forward: Forward) -> None:
        """Let pass what was led to a guest by this forward, and nothing else."""
        if self._group or (self._forwards and reach(self._forwards[-1]) != reach(forward)):
            self._flush()
        self._forwards.append(forward)

    def _flush(self) -> None:
        if self._group:
            self._write_group(self._group)
        if self._forwards:
            self._write_forwards(self._forwards)
        self._group, self._forwards = [], []

    def _write_group(self, group: list[PolicyRule]) -> None:
        heads = _scope(group[0]).heads(self._family, self._guests_are)
        claims = [
            Claim(protocols(rule.protocol), rule.ports, self._verdict(rule.action))
            for rule in group
            if rule.ports is not None
        ]
        pieces = first_match(claims)
        self._write_ports(heads, pieces)
        if self._deny_asked:
            self.rules.extend(
                both(head, self._asked(piece))
                for head in heads
                for piece in merged(pieces)
                if piece.value == self._deny
            )

    def _asked(self, piece: Piece[Rule]) -> Rule:
        """The same for the ports that a client asked for."""
        original = Extension("conntrack", (("ctstate", "DNAT"), ("ctorigdstport", ports(piece))))
        return replace(piece.value, protocol=str(piece.protocol), matches=(original,))

    def _write_forwards(self, forwards: list[Forward]) -> None:
        claims: dict[Address, list[Claim[Rule]]] = {}
        for forward in forwards:
            for guest in forward.guests:
                if guest.version == self._family:
                    claim = Claim(protocols(forward.protocol), forward.guest_ports, self._allow)
                    claims.setdefault(guest, []).append(claim)
        source, address = reach(forwards[0])
        if not of_family(self._family, source, address):
            return
        options = [("ctstate", "DNAT")]
        if address is not None:
            options.append(("ctorigdst", str(address)))
        for guest in sorted(claims, key=int):
            head = Rule(
                source=str(source or ""),
                destination=str(guest),
                matches=(Extension("conntrack", tuple(options)),),
            )
            self._write_ports([head], first_match(claims[guest]))

    def _write_ports(self, heads: list[Rule], pieces: list[Piece[Rule]]) -> None:
        """Where a tree is needed, the policy goes on in another chain after it."""
        onward: list[tuple[str, list[Rule]]] = []

        def missed() -> str:
            if not onward:
                onward.append(self._grow.chain())
            return onward[0][0]

        for _, of_protocol in groupby(pieces, key=lambda piece: piece.protocol):
            write_ports(
                self.rules,
                list(of_protocol),
                self._grow,
                heads=heads,
                last=self._default,
                missed=missed,
            )
        for name, rules in onward:
            self.rules.append(Rule(target=name, goto=True))
            self.rules = rules


def reach(forward: Forward) -> tuple[Subnet | None, Subnet | None]:
    """Who may use a forward, and at which address of the host; None: everybody, every address."""
    return forward.source, forward.address


def of_family(family: int, *subnets: Subnet | None) -> bool:
    """Whether there are none of another address family among these."""
    return all(subnet is None or subnet.version == family for subnet in subnets)


def _scope(rule: PolicyRule) -> Scope:
    return Scope(rule.source, rule.destination, rule.guests)
