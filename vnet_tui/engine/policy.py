"""From the rules of a document to rules with addresses, and to words.

Pure: guests are looked up by a function that the caller gives, so that a changed lease is a new
value and nothing more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_network
from itertools import chain
from operator import attrgetter
from uuid import UUID

from vnet_tui.engine.check.forwards import takes_port
from vnet_tui.engine.check.shadows import shadowed
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import (
    Action,
    Address,
    Mode,
    Network,
    Policy,
    PortRange,
    Protocol,
    Rule,
)
from vnet_tui.engine.resources import Forward, NetworkRules, PolicyRule, PolicyRules
from vnet_tui.engine.views import RuleState, RuleStatus

FindGuest = Callable[[str], frozenset[Address]]
"""The addresses of the guest of that name; empty while it has none or nobody knows it."""

_LOOPBACK = ip_network("127.0.0.0/8")

CLOSED = PolicyRules(default=Action.DENY)


def network_rules(network: Network, uuid: UUID, bridge: str, find_guest: FindGuest) -> NetworkRules:
    """What the firewall has to do for a network, its guests found by ``find_guest``.

    Rules that are switched off are left out; those whose guest is unknown are there with no
    guest, and match nothing. An isolated network has no rules: nothing passes either way.

    What stays the same from one call to the next is the same object, so that who compares needn't
    look into it.
    """
    return _compiled(network).rules(uuid, bridge, find_guest)


class _Compiled:
    """A document's rules, with the last outcome and where the guests were then."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._domains = _domains(network)
        self._made: NetworkRules | None = None
        self._made_as: object = None

    def rules(self, uuid: UUID, bridge: str, find_guest: FindGuest) -> NetworkRules:
        network = self._network
        order = _order(network)
        found: dict[str | None, _Found | None] = {None: None}
        for domain in self._domains:
            guests = find_guest(domain)
            found[domain] = _found(guests, _first_of_each(sorted(guests, key=order)))
        made_as = (uuid, bridge, found)
        if self._made is None or self._made_as != made_as:
            incoming = outgoing = CLOSED
            if network.mode is not Mode.ISOLATED:
                incoming = _policy(network, "incoming", found)
                outgoing = _policy(network, "outgoing", found)
            self._made_as = made_as
            self._made = NetworkRules(
                network=uuid,
                bridge=bridge,
                mode=network.mode,
                subnets=tuple(dict.fromkeys(ip.subnet for ip in network.ips)),
                incoming=incoming,
                outgoing=outgoing,
            )
        return self._made


_compiled: Memo[Network, _Compiled] = Memo(_Compiled, size=1 << 12)


def is_forward(rule: Rule, *, outgoing: bool = False) -> bool:
    """Whether a rule leads a port of the host to a guest, instead of only letting pass."""
    return not outgoing and takes_port(rule)


def has_forwards(network: Network) -> bool:
    """Whether any port of the host leads to a guest, or will when the guest is known."""
    return network.mode is not Mode.ISOLATED and any(
        rule.enabled and is_forward(rule) for rule in network.incoming.rules
    )


def forwards_loopback(network: Network) -> bool:
    """Whether the host uses any of a network's forwards by 127.0.0.1."""
    return network.mode is not Mode.ISOLATED and any(
        rule.enabled
        and is_forward(rule)
        and all(end is None or end.overlaps(_LOOPBACK) for end in (rule.source, rule.destination))
        for rule in network.incoming.rules
    )


def names_guests(network: Network) -> bool:
    """Whether any rule follows a guest, so that a changed lease can change what the rules do."""
    return network.mode is not Mode.ISOLATED and bool(_domains(network))


def _domains(network: Network) -> frozenset[str]:
    """The guests that rules name which aren't switched off."""
    drafts = chain(_drafts(network, "incoming"), _drafts(network, "outgoing"))
    return frozenset(set(map(attrgetter("domain"), filter(None, drafts))) - {None})


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
        for rule in policy.rules
        if rule.enabled
        for problem in _rule_problems(rule, outgoing=outgoing)
    )


def describe(rule: Rule, *, outgoing: bool = False) -> str:
    """A rule in words for screens, such as ``allow tcp+udp 123 → foobar:321``.

    ``outgoing`` tells which policy it is in: there a domain is the guest that opens something.
    """
    if rule.protocol is not None:
        words = [rule.action.value, rule.protocol.value]
    else:
        words = [rule.action.value, "tcp+udp" if rule.port else "everything"]
    if rule.port is not None:
        words.append(str(rule.port))
    if is_forward(rule, outgoing=outgoing):
        if rule.destination is not None:
            words.append(f"at {_short(rule.destination)}")
        target = rule.destport or rule.port
        words.append(f"→ {rule.domain}" + ("" if target == rule.port else f":{target}"))
    elif rule.domain is not None:
        words.append(f"from {rule.domain}" if outgoing else f"→ {rule.domain}")
    if rule.source is not None:
        words.append(f"from {_short(rule.source)}")
    if rule.destination is not None and not is_forward(rule, outgoing=outgoing):
        words.append(f"to {_short(rule.destination)}")
    if rule.limit is not None:
        words.append(f"at most {rule.limit}/s")
    if rule.log:
        words.append("and log")
    return " ".join(words)


def rule_status(
    network: Network, find_guest: FindGuest, remark: Callable[[str], str] = lambda _: ""
) -> tuple[RuleStatus, ...]:
    """Every rule in document order, incoming first, and whether it does its work.

    ``remark`` gives what there is to say of the guest of a name, in a few words.
    """
    remarks: dict[str, str] = {}

    def about(rule: Rule) -> str:
        if rule.domain is None:
            return ""
        if rule.domain not in remarks:
            remarks[rule.domain] = remark(rule.domain)
        return remarks[rule.domain]

    return tuple(
        replace(
            _status(
                network, rule, position, direction, find_guest, about, shadows.get(position, ())
            ),
            key=key,
        )
        for direction, policy in (("incoming", network.incoming), ("outgoing", network.outgoing))
        for shadows in [shadowed(policy.rules, incoming=direction == "incoming")]
        for position, (rule, key) in enumerate(
            zip(policy.rules, rule_keys(network, direction), strict=True)
        )
    )


def rule_keys(network: Network, direction: str) -> list[str]:
    """The key that the firewall has for each rule; empty for those that it hasn't got."""
    if network.mode is Mode.ISOLATED:
        return [""] * len(_policy_of(network, direction).rules)
    numbers: dict[str, int] = {}
    keys = []
    for draft in _drafts(network, direction):
        key = "" if draft is None else draft.key
        number = numbers[key] = numbers.get(key, 0) + 1
        keys.append(_numbered(key, number) if key else "")
    return keys


def _numbered(key: str, number: int) -> str:
    """The key of the first, second, … rule of a policy that says the same."""
    return key if number == 1 else f"{key}-{number}"


def _status(
    network: Network,
    rule: Rule,
    position: int,
    direction: str,
    find_guest: FindGuest,
    remark: Callable[[Rule], str],
    shadowed_by: Sequence[int],
) -> RuleStatus:
    guest: Address | None = None
    state, note = RuleState.ACTIVE, ""
    if not rule.enabled or network.mode is Mode.ISOLATED:
        state = RuleState.OFF
    elif rule.domain is not None:
        found = find_guest(rule.domain)
        guest = min(found, key=_order(network)) if found else None
        state = RuleState.ACTIVE if found else RuleState.WAITING
        note = remark(rule) if found else f"waits for a guest named {rule.domain}"
    if shadowed_by and state is not RuleState.OFF:
        numbers = " and ".join(str(by + 1) for by in shadowed_by)
        note = f"never decides: rule{'s' if len(shadowed_by) > 1 else ''} {numbers} before it"
    return RuleStatus(
        direction=direction,
        position=position,
        text=describe(rule, outgoing=direction == "outgoing"),
        state=state,
        guest=guest,
        note=note,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """A guest's addresses: all, and those that forwards lead to, one a family."""

    all: frozenset[Address]
    first: frozenset[Address]


_found = lru_cache(maxsize=1 << 14)(_Found)
"""One object for a guest that stays where it is, so that rules needn't look again."""


def _first_of_each(addresses: Iterable[Address]) -> frozenset[Address]:
    """The first address of each family that isn't only of the link."""
    chosen: dict[int, Address] = {}
    for address in addresses:
        if not address.is_link_local:
            chosen.setdefault(address.version, address)
    return frozenset(chosen.values())


class _Draft:
    """What a rule comes to, whatever the others are; with the last outcome, to be had again."""

    __slots__ = ("_forward", "_rule", "domain", "key", "made", "made_for")

    def __init__(self, rule: Rule, *, outgoing: bool) -> None:
        self._rule = rule
        self._forward = is_forward(rule, outgoing=outgoing)
        self.key = _key("outgoing" if outgoing else "incoming", rule)
        self.domain = rule.domain
        self.made_for: _Found | None = None
        self.made = self.make(self.key, None)

    def follow(self, found: _Found | None) -> PolicyRule | Forward:
        """The rule with its guest there."""
        self.made, self.made_for = self.make(self.key, found), found
        return self.made

    def make(self, key: str, found: _Found | None) -> PolicyRule | Forward:
        """The rule under that key, its guest there."""
        rule = self._rule
        if self._forward:
            assert rule.port is not None  # noqa: S101  (is_forward)
            return Forward(
                key=key,
                ports=rule.port,
                guest_ports=rule.destport or rule.port,
                protocol=rule.protocol,
                source=rule.source,
                address=rule.destination,
                guests=found.first if found else frozenset(),
                log=rule.log,
                limit=rule.limit,
                comment=rule.comment or "",
            )
        return PolicyRule(
            key=key,
            action=rule.action,
            protocol=rule.protocol,
            ports=rule.port,
            source=rule.source,
            destination=rule.destination,
            guests=found.all if found else None,
            established=rule.established,
            log=rule.log,
            limit=rule.limit,
            comment=rule.comment or "",
        )


Drafts = Memo[Rule, _Draft | None]

_incoming_drafts: Drafts = Memo(lambda rule: _Draft(rule, outgoing=False) if rule.enabled else None)
_outgoing_drafts: Drafts = Memo(lambda rule: _Draft(rule, outgoing=True) if rule.enabled else None)


def _drafts(network: Network, direction: str) -> Sequence[_Draft | None]:
    """The drafts of a policy's rules; None for those that are switched off."""
    drafts = _outgoing_drafts if direction == "outgoing" else _incoming_drafts
    return drafts.each(_policy_of(network, direction).rules, (network.uuid, network.name))


def _policy_of(network: Network, direction: str) -> Policy:
    return network.outgoing if direction == "outgoing" else network.incoming


def _policy(
    network: Network, direction: str, found: Mapping[str | None, _Found | None]
) -> PolicyRules:
    default = _policy_of(network, direction).default or Action.DENY
    live = list(filter(None, _drafts(network, direction)))
    rules = [
        draft.made if draft.made_for is (at := found[draft.domain]) else draft.follow(at)
        for draft in live
    ]
    if len(set(map(attrgetter("key"), live))) < len(live):
        numbers: dict[str, int] = {}
        for place, draft in enumerate(live):
            number = numbers[draft.key] = numbers.get(draft.key, 0) + 1
            if number > 1:
                rules[place] = draft.make(_numbered(draft.key, number), found[draft.domain])
    return PolicyRules(default=default, rules=tuple(rules))


def _order(network: Network) -> Callable[[Address], tuple[bool, int, int]]:
    """Addresses of the network's own subnets before others, IPv4 before IPv6, low before high."""
    subnets = [ip.subnet for ip in network.ips]

    def order(address: Address) -> tuple[bool, int, int]:
        return (not any(address in subnet for subnet in subnets), address.version, int(address))

    return order


def _key(direction: str, rule: Rule) -> str:
    """Twelve hex digits for what a rule says; where it stands and its comment take no part."""
    said = (
        rule.action,
        rule.port,
        rule.protocol,
        rule.source,
        rule.destination,
        rule.domain,
        rule.destport,
        rule.log,
        rule.limit,
        rule.established,
    )
    text = "|".join([direction, *(str(item) for item in said)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _rule_problems(rule: Rule, *, outgoing: bool) -> Iterator[Problem]:
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


def _count(ports: PortRange) -> str:
    return "1 port" if len(ports) == 1 else f"{len(ports)} ports"


def _short(subnet: object) -> str:
    """A subnet as a person writes it: a single address without its prefix length."""
    text = str(subnet)
    return text.removesuffix("/32") if "." in text else text.removesuffix("/128")
