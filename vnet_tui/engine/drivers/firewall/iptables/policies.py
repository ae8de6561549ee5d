"""The chains of one policy in one address family: rules in order, the first match decides.

To let pass is to ``RETURN``: what others have in their chains still counts. Each rule counts what
it decides under its key, and so do the defaults; a rule that needs several of the kernel's has its
key on each of them.

Connections that were led to a guest by a forward have a chain of their own, in which the ports
that were asked for count, too; and so have established connections, where a rule ends any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_network
from itertools import chain
from typing import Literal

from vnet_tui.engine.drivers.firewall.iptables.boxes import Atom, Match, icmp_or
from vnet_tui.engine.drivers.firewall.iptables.rules import RETURN, Extension, Rule
from vnet_tui.engine.drivers.firewall.iptables.tree import Chains, write_rules
from vnet_tui.engine.drivers.firewall.ports import protocols
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Action, Address, Subnet
from vnet_tui.engine.resources import Forward, PolicyRule, PolicyRules

Side = Literal["source", "destination"]

PORTED = ("tcp", "udp")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Where packets of one policy go on: ``deny`` is a chain, and so is ``note``, which tells of
    what it lets pass. ``default`` is the key of what no rule decides; ``network`` are the digits
    that tell the network's limits from those of others."""

    deny: str
    note: str
    default: str
    network: str

    def limit(self, rule: PolicyRule | Forward) -> tuple[Extension, ...]:
        """What a rule's limit adds to it.

        By name, so that what was used of it is kept when tables are written anew; one that isn't
        needed any more is forgotten as soon as it is full again. The kernel keeps a limit for each
        address family.
        """
        if rule.limit is None:
            return ()
        options = (
            ("hashlimit-upto", f"{rule.limit}/second"),
            ("hashlimit-burst", f"{rule.limit}"),
            ("hashlimit-name", f"vnet-{self.network}-{rule.key}-{rule.limit}"),
            ("hashlimit-htable-size", "1"),
            ("hashlimit-htable-max", "1"),
            ("hashlimit-htable-expire", "10000"),
            ("hashlimit-htable-gcinterval", "10000"),
        )
        return (Extension("hashlimit", options),)

    def of(self, rule: PolicyRule | Forward) -> Rule:
        """What a rule does with what it is about."""
        if isinstance(rule, PolicyRule) and rule.action is Action.DENY:
            return Rule(target=self.deny, goto=True, key=rule.key)
        return Rule(target=self.note, goto=True, key=rule.key) if rule.log else self.allow(rule.key)

    @staticmethod
    def allow(key: str = "") -> Rule:
        """To let pass."""
        return Rule(target=RETURN, key=key)


@dataclass(frozen=True, slots=True)
class _Written:
    """What a rule comes to.

    ``plain`` is for connections that were led nowhere, ``led`` for those that were, ``asked`` for
    those by the port that was asked for. ``denies`` for ever, not within a limit.
    """

    plain: tuple[Atom, ...]
    led: tuple[Atom, ...]
    asked: tuple[Atom, ...]
    denies: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy in one address family, ready to be written.

    ``guests_are`` tells which end of a packet the guest of a rule is. With ``deny_asked``, denied
    ports are those that were asked for, too.
    """

    family: int
    guests_are: Side
    verdicts: Verdicts
    rules: PolicyRules
    deny_asked: bool = False

    def opening(self, chains: Chains, first: Iterable[Rule], led: Chains) -> bool:
        """How new connections meet it, after the ``first`` rules; tells whether the chain ``led``
        is needed."""
        into = chains.first()
        into.extend(first)
        rules = self.rules.rules
        # Named, so that of many rules only those are looked up that are new.
        kept = _opening(self.family, self.guests_are, self.verdicts, self.deny_asked)
        written = kept.each(rules, chains.name)
        asking = self._asking(written)
        if asking:
            into.extend(
                Rule(target=led.name, goto=True, protocol=protocol, matches=(LED,))
                for protocol in PORTED
            )
        rest = ""
        if asking and asking < len(rules):
            rest, onward = chains.further("rest")
            into.append(Rule(target=rest, goto=True))
            into = onward
        plain = list(chain.from_iterable(one.plain for one in written))
        into = write_rules(chains, into, plain, self.family)
        into.append(self._default())
        if asking:
            end = write_rules(led, led.first(), self._led(written[:asking]), self.family)
            end.append(Rule(target=rest, goto=True) if rest else self._default())
        return bool(asking)

    def cutting(self, chains: Chains, first: Rule) -> bool:
        """How established connections meet it, in either direction; False where it ends none."""
        rules = self.rules.rules
        last = max((at for at, rule in enumerate(rules, 1) if _cuts(rule)), default=0)
        if not last:
            return False
        into = chains.first()
        into.append(first)
        atoms = [
            atom
            for rule in rules[:last]
            if not (_denies(rule) and rule.limit is not None)  # a limit is one of new connections
            for atom in self._established(rule)
        ]
        write_rules(chains, into, atoms, self.family, established=True, ends=True)
        return True

    def _default(self) -> Rule:
        key = self.verdicts.default
        if self.rules.default is Action.ALLOW:
            return self.verdicts.allow(key)
        return Rule(target=self.verdicts.deny, goto=True, key=key)

    def _asking(self, written: Sequence[_Written]) -> int:
        """How many rules it takes until no more look at what was asked for; 0: none does."""
        for at in range(len(written), 0, -1):
            one = written[at - 1]
            if one.asked or len(one.led) > len(one.plain):
                return at
        return 0

    def _led(self, written: Iterable[_Written]) -> list[Atom]:
        """The atoms for what was led to a guest, in order; of adjacent denies those about ports
        that were asked for after the others, which is all the same to who is denied."""
        made: list[Atom] = []
        waiting: list[Atom] = []
        for one in written:
            if not one.denies:
                made += waiting
                waiting.clear()
            made += one.led
            (waiting if one.denies else made).extend(one.asked)
        return made + waiting

    def _established(self, rule: PolicyRule | Forward) -> Iterator[Atom]:
        does = self.verdicts.of(rule) if _cuts(rule) else self.verdicts.allow()
        for match in _matches(rule, self.family, self.guests_are):
            yield _atom(replace(match, established=True), self.family, does)
        if self.deny_asked:
            for match in _asked(rule, self.family, self.guests_are):
                yield _atom(replace(match, established=True), self.family, does)


LED = Extension("conntrack", (("ctstate", "DNAT"),))
"""Only what was led to a guest."""


@lru_cache(maxsize=1 << 12)
def _opening(
    family: int, guests_are: Side, verdicts: Verdicts, deny_asked: bool
) -> Memo[PolicyRule | Forward, _Written]:
    """What rules come to. Kept, so that an edit of one leaves those of the others as they are."""

    def written(rule: PolicyRule | Forward) -> _Written:
        does, limit, final = verdicts.of(rule), verdicts.limit(rule), _final(rule)

        def atoms(matches: Iterable[Match]) -> tuple[Atom, ...]:
            return tuple(_atom(match, family, does, limit, final=final) for match in matches)

        led = atoms(_matches(rule, family, guests_are))
        return _Written(
            plain=() if isinstance(rule, Forward) else led,
            led=led,
            asked=atoms(_asked(rule, family, guests_are)) if deny_asked else (),
            denies=_denies(rule) and rule.limit is None,
        )

    return Memo(written, size=1 << 15)


def _atom(
    match: Match, family: int, does: Rule, more: tuple[Extension, ...] = (), *, final: bool = True
) -> Atom:
    """What is about that and does this."""
    rule = match.rule(does.target, goto=does.goto, key=does.key, more=more)
    return Atom(match.box(family), rule, final)


def _matches(rule: PolicyRule | Forward, family: int, guests_are: Side) -> Iterator[Match]:
    """What a rule is about."""
    if isinstance(rule, Forward):
        guest = _guest(rule, family)
        if guest is not None and _of_family(family, rule.source, rule.address):
            yield Match(
                protocol=str(rule.protocol or ""),
                asked=rule.ports,
                source=rule.source,
                destination=_single(guest),
                address=rule.address,
                led=True,
            )
        return
    for source, destination in _ends(rule, family, guests_are):
        if rule.ports is None:
            protocol = icmp_or(rule.protocol, family)
            yield Match(protocol=protocol, source=source, destination=destination)
            continue
        for transport in protocols(rule.protocol):
            yield Match(
                protocol=str(transport), ports=rule.ports, source=source, destination=destination
            )


def _asked(rule: PolicyRule | Forward, family: int, guests_are: Side) -> Iterator[Match]:
    """What a deny is about by the ports that were asked for."""
    if isinstance(rule, PolicyRule) and _denies(rule) and rule.ports is not None:
        for source, destination in _ends(rule, family, guests_are):
            for transport in protocols(rule.protocol):
                yield Match(
                    protocol=str(transport),
                    asked=rule.ports,
                    source=source,
                    destination=destination,
                    led=True,
                )


def _ends(
    rule: PolicyRule, family: int, guests_are: Side
) -> Iterator[tuple[Subnet | None, Subnet | None]]:
    """The sources and destinations that a rule is about; none where nothing can match."""
    if not _of_family(family, rule.source, rule.destination):
        return
    if rule.guests is None:
        yield rule.source, rule.destination
        return
    within = rule.source if guests_are == "source" else rule.destination
    for guest in sorted(rule.guests, key=int):
        if guest.version == family and (within is None or guest in within):
            if guests_are == "source":
                yield _single(guest), rule.destination
            else:
                yield rule.source, _single(guest)


def _final(rule: PolicyRule | Forward) -> bool:
    """Whether a rule decides of all that is in its box: that tells nothing of the address that
    was asked for, and what is beyond a limit goes on."""
    return rule.limit is None and not (isinstance(rule, Forward) and rule.address is not None)


def _denies(rule: PolicyRule | Forward) -> bool:
    return isinstance(rule, PolicyRule) and rule.action is Action.DENY


def _cuts(rule: PolicyRule | Forward) -> bool:
    """Whether it ends connections that are established."""
    return (
        isinstance(rule, PolicyRule)
        and rule.action is Action.DENY
        and not rule.established
        and rule.limit is None
    )


def _guest(forward: Forward, family: int) -> Address | None:
    return next((guest for guest in forward.guests if guest.version == family), None)


def _of_family(family: int, *subnets: Subnet | None) -> bool:
    """Whether there are none of another address family among these."""
    return all(subnet is None or subnet.version == family for subnet in subnets)


@lru_cache(maxsize=1 << 14)
def _single(address: Address) -> Subnet:
    return ip_network(address)
