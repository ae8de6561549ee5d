"""From the rules of a document to rules with addresses.

Pure: guests are looked up by a function that the caller gives, so that a changed lease is a new
value and nothing more.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from operator import attrgetter
from typing import cast
from uuid import UUID

from vnet_tui.engine.alike import alike, known_alike
from vnet_tui.engine.check.forwards import takes_port
from vnet_tui.engine.followed import followed
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import (
    Action,
    Address,
    Mode,
    Network,
    Policy,
    Rule,
)
from vnet_tui.engine.resources import Forward, NetworkRules, PolicyRule, PolicyRules

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
        self._domains = followed(network).keys()
        self._made: NetworkRules | None = None
        self._made_as: object = None

    def rules(self, uuid: UUID, bridge: str, find_guest: FindGuest) -> NetworkRules:
        network = self._network
        rank = order(network)
        found: dict[str | None, _Found | None] = {None: None}
        for domain in self._domains:
            guests = find_guest(domain)
            found[domain] = _found(guests, _first_of_each(sorted(guests, key=rank)))
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


_compiled: Memo[Network, _Compiled] = Memo(_Compiled, size=1 << 8)


def is_forward(rule: Rule, *, outgoing: bool = False) -> bool:
    """Whether a rule leads a port of the host to a guest, instead of only letting pass."""
    return not outgoing and takes_port(rule)


def has_forwards(network: Network) -> bool:
    """Whether any port of the host leads to a guest, or will when the guest is known."""
    return network.mode is not Mode.ISOLATED and any(_forwards.each(*_incoming(network)))


def forwards_loopback(network: Network) -> bool:
    """Whether the host uses any of a network's forwards by 127.0.0.1."""
    return network.mode is not Mode.ISOLATED and any(_loopback.each(*_incoming(network)))


def _live_forward(rule: Rule) -> bool:
    return rule.enabled and is_forward(rule)


def _from_loopback(rule: Rule) -> bool:
    """Whether the host uses a rule as a forward by 127.0.0.1."""
    ends = (rule.source, rule.destination)
    return _live_forward(rule) and all(end is None or end.overlaps(_LOOPBACK) for end in ends)


def _incoming(network: Network) -> tuple[tuple[Rule, ...], Hashable]:
    """The rules of ``<incoming>``, and how to tell them from others."""
    return network.incoming.rules, (network.uuid, network.name)


_forwards: Memo[Rule, bool] = Memo(_live_forward)
_loopback: Memo[Rule, bool] = Memo(_from_loopback)


def names_guests(network: Network) -> bool:
    """Whether any rule follows a guest, so that a changed lease can change what the rules do."""
    return network.mode is not Mode.ISOLATED and bool(followed(network))


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


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of a policy, None for rules that are switched off (``whole``: there are none);
    where the guests were, and the keys, where each is there once."""

    rules: tuple[Rule, ...]
    drafts: Sequence[_Draft | None]
    made: tuple[PolicyRule | Forward | None, ...]
    found: Mapping[str | None, _Found | None]
    keys: set[str] | None
    whole: bool

    @property
    def live(self) -> tuple[PolicyRule | Forward, ...]:
        """Those that are switched on."""
        if self.whole:
            return cast("tuple[PolicyRule | Forward, ...]", self.made)
        return tuple(one for one in self.made if one is not None)


_made: OrderedDict[object, _Made] = OrderedDict()
"""What was made of policies the last time."""

_KEPT = 1 << 8
"""So many of them are kept."""


def _policy(
    network: Network, direction: str, found: Mapping[str | None, _Found | None]
) -> PolicyRules:
    policy, of = _policy_of(network, direction), (network.uuid, network.name, direction)
    drafts = _drafts(network, direction)
    known = _made.pop(of, None)  # what is made of it takes from it
    now = _edited(known, policy.rules, drafts, found) if known is not None else None
    if now is None:
        now = _all(policy.rules, drafts, found)
    _made[of] = now
    if len(_made) > _KEPT:
        _made.popitem(last=False)
    return PolicyRules(default=policy.default or Action.DENY, rules=now.live)


def _edited(
    known: _Made,
    rules: tuple[Rule, ...],
    drafts: Sequence[_Draft | None],
    found: Mapping[str | None, _Found | None],
) -> _Made | None:
    """What is made of a policy, from what was; None where another rule may say the same, or a
    guest is elsewhere."""
    if known.keys is None or any(
        domain not in known.found or known.found[domain] is not at for domain, at in found.items()
    ):
        return None
    first, last = alike(known.rules, rules)
    end, known_end = len(rules) - last, len(known.rules) - last
    come = _all(rules[first:end], drafts[first:end], found)
    gone = {one.key for one in known.drafts[first:known_end] if one is not None}
    if come.keys is None or not known.keys.isdisjoint(come.keys - gone):
        return None
    made = (*known.made[:first], *come.made, *known.made[known_end:])
    known_alike(known.made, made, (first, last))
    known.keys.difference_update(gone)
    known.keys.update(come.keys)
    return _Made(rules, drafts, made, found, known.keys, whole=known.whole and come.whole)


def _all(
    rules: tuple[Rule, ...],
    drafts: Sequence[_Draft | None],
    found: Mapping[str | None, _Found | None],
) -> _Made:
    """What is made of a policy."""
    made = [
        None
        if draft is None
        else draft.made
        if draft.made_for is (at := found[draft.domain])
        else draft.follow(at)
        for draft in drafts
    ]
    live = list(filter(None, drafts))
    keys = set(map(attrgetter("key"), live))
    whole = len(live) == len(drafts)
    if len(keys) == len(live):
        return _Made(rules, drafts, tuple(made), found, keys, whole)
    numbers: dict[str, int] = {}
    for place, draft in enumerate(drafts):
        if draft is not None:
            number = numbers[draft.key] = numbers.get(draft.key, 0) + 1
            if number > 1:
                made[place] = draft.make(_numbered(draft.key, number), found[draft.domain])
    return _Made(rules, drafts, tuple(made), found, None, whole)


def order(network: Network) -> Callable[[Address], tuple[bool, int, int]]:
    """How a guest's addresses are sorted: those of the network's own subnets before others, IPv4
    before IPv6, low before high."""
    subnets = [ip.subnet for ip in network.ips]

    def rank(address: Address) -> tuple[bool, int, int]:
        return (not any(address in subnet for subnet in subnets), address.version, int(address))

    return rank


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
