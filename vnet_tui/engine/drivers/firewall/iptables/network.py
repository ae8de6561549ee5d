"""One network's part of both tables, in one address family."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID

from vnet_tui.engine.drivers.firewall.iptables.dispatch import checked
from vnet_tui.engine.drivers.firewall.iptables.forwards import translation
from vnet_tui.engine.drivers.firewall.iptables.policies import Policy, Side, Verdicts
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    RETURN,
    Chains,
    Extension,
    Rule,
    chain_name,
    digits,
)
from vnet_tui.engine.drivers.firewall.iptables.sets import GuestSet, guest_sets
from vnet_tui.engine.drivers.firewall.iptables.tree import Chains as Growing
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Action, Mode
from vnet_tui.engine.resources import Forward, NetworkRules, PolicyRule, PolicyRules
from vnet_tui.engine.rule_counters import DEFAULT_IN, DEFAULT_OUT
from vnet_tui.engine.rule_log import (
    INCOMING,
    LOG_BURST,
    LOG_BYTES,
    LOG_GROUP,
    LOG_RATE,
    OUTGOING,
    LogMark,
)

FROM_HOST = Extension("addrtype", (("src-type", "LOCAL"),))
"""From one of the host's own addresses."""

INVALID = Extension("conntrack", (("ctstate", "INVALID"),))
"""Of no connection, and not the first packet of one either."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a kernel can do beside the rules: tell of packets (``logs``), count by guest
    (``counts``), and keep to limits. Rules must not fail for the first two."""

    logs: bool = True
    counts: bool = True
    limits: bool = True


ALL = Abilities()


@dataclass(frozen=True, slots=True)
class Part:
    """One network's part of both tables, and where what all networks share has to lead."""

    bridge: str
    digits: str
    filter: Chains
    nat: Chains
    masqueraded: tuple[str, ...]
    forwards: tuple[Forward, ...]
    sets: tuple[GuestSet, ...]

    def chain(self, part: str) -> str:
        """The chain of that name, if the network has it; else empty."""
        name = f"VNET-{part}-{self.digits}"
        return name if name in self.filter or name in self.nat else ""


@lru_cache(maxsize=64)
def compiling(family: int, abilities: Abilities) -> Memo[NetworkRules, Part]:
    """How networks are compiled. What was made is kept, since an edit of one network leaves the
    others as they were."""
    return Memo(lambda rules: _compile(rules, family, abilities), size=1 << 10)


def _compile(rules: NetworkRules, family: int, abilities: Abilities) -> Part:
    uuid, bridge = rules.network, checked(rules.bridge)
    if not abilities.limits and any(
        rule.limit for policy in (rules.incoming, rules.outgoing) for rule in policy.rules
    ):
        raise DriverError(
            f"this kernel has no hashlimit, which a rule's limit on {bridge} needs",
            "load xt_hashlimit, or remove the limit",
        )
    forwards = tuple(
        forward
        for forward in rules.incoming.rules
        if isinstance(forward, Forward) and any(guest.version == family for guest in forward.guests)
    )
    subnets = tuple(str(subnet) for subnet in rules.subnets if subnet.version == family)
    nat: dict[str, tuple[Rule, ...]] = {}
    if forwards:
        nat.update(translation(chain_name("DNAT", uuid), family, forwards))
        nat[chain_name("HAIR", uuid)] = (
            *(Rule(target="MASQUERADE", source=subnet) for subnet in subnets),
            Rule(target="MASQUERADE", matches=(FROM_HOST,)),
        )
    masqueraded = subnets if rules.mode is Mode.NAT else ()
    if masqueraded:
        nat[chain_name("NAT", uuid)] = (
            Rule(target=RETURN, goes_out=bridge),
            *(Rule(target=RETURN, destination=subnet) for subnet in subnets),
            Rule(target=RETURN, matches=(FROM_HOST,)),
            Rule(target="VNET-MASQ", goto=True),
        )
    filters: dict[str, tuple[Rule, ...]] = {}
    asked = any(
        isinstance(rule, Forward) and rule.guests and rule.ports != rule.guest_ports
        for rule in rules.incoming.rules
    )
    for direction, policy in ((OUTGOING, rules.outgoing), (INCOMING, rules.incoming)):
        own = _policy(rules, direction, policy, family, deny_asked=asked and direction == INCOMING)
        filters |= own
        filters |= _ends(rules, direction, policy, abilities)
    sets = guest_sets(uuid, family) if abilities.counts and subnets else ()
    filters |= {chain: tuple(_meter(subnets, of, bridge)) for chain, of in _meters(uuid, sets)}
    return Part(
        bridge=bridge,
        digits=digits(uuid),
        filter=filters,
        nat=nat,
        masqueraded=masqueraded,
        forwards=forwards,
        sets=sets,
    )


def _names(direction: str) -> tuple[str, Side, str]:
    """How the chains of a policy are called, where its guests are, and what its default counts
    for."""
    if direction == OUTGOING:
        return "OUT", "source", DEFAULT_OUT
    return "IN", "destination", DEFAULT_IN


def _policy(
    rules: NetworkRules, direction: str, policy: PolicyRules, family: int, *, deny_asked: bool
) -> Chains:
    """The chains of one policy: for new connections, and for those that it ends."""
    uuid, bridge = rules.network, rules.bridge
    short, guests_are, default = _names(direction)
    verdicts = Verdicts(
        deny=chain_name(f"REF{short}", uuid),
        note=chain_name(f"NOTE{short}", uuid),
        default=default,
        network=digits(uuid),
    )
    written = Policy(family, guests_are, verdicts, policy, deny_asked)
    first = [Rule(target=RETURN, goes_out=bridge)]
    if direction == INCOMING:
        first = [Rule(target=RETURN, came_in=bridge)]
    elif rules.mode is Mode.NAT:
        # What belongs to no connection isn't translated: it would leave as it is.
        first.append(Rule(target="DROP", matches=(INVALID,)))
    opening, led, cutting = (
        Growing(chain_name(part, uuid)) for part in (short, "LED", f"CUT{short}")
    )
    written.opening(opening, first, led)
    written.cutting(cutting, Rule(target=RETURN, came_in=bridge, goes_out=bridge))
    return {**opening.done(), **led.done(), **cutting.done()}


def _ends(rules: NetworkRules, direction: str, policy: PolicyRules, abilities: Abilities) -> Chains:
    """Where packets go that are denied, or that pass and are told of."""
    uuid = rules.network
    short, _, _ = _names(direction)
    deny = (*_log(uuid, direction, Action.DENY, abilities), Rule(target="VNET-DENY", goto=True))
    made = {chain_name(f"REF{short}", uuid): deny}
    if any(rule.log and not _denies(rule) for rule in policy.rules):
        told = (*_log(uuid, direction, Action.ALLOW, abilities), Rule(target=RETURN))
        made[chain_name(f"NOTE{short}", uuid)] = told
    return made


def _log(uuid: UUID, direction: str, action: Action, abilities: Abilities) -> Iterator[Rule]:
    """Tell the engine of a packet, unless there are too many of them."""
    if abilities.logs:
        rate = (("limit", f"{LOG_RATE}/second"), ("limit-burst", f"{LOG_BURST}"))
        yield Rule(
            target="NFLOG",
            matches=(Extension("limit", rate),),
            options=(
                ("nflog-prefix", f"{LogMark(uuid, direction, action)}"),
                ("nflog-group", f"{LOG_GROUP}"),
                ("nflog-size", f"{LOG_BYTES}"),
            ),
        )


def _denies(rule: object) -> bool:
    return isinstance(rule, PolicyRule) and rule.action is Action.DENY


def _meters(uuid: UUID, sets: Sequence[GuestSet]) -> Iterator[tuple[str, GuestSet]]:
    for one in sets:
        yield chain_name("SENT" if one.sent else "GOT", uuid), one


def _meter(subnets: Sequence[str], of: GuestSet, bridge: str) -> Iterator[Rule]:
    """Count a packet for its guest: the kernel finds it in the set, or puts it there."""
    end = "src" if of.sent else "dst"
    known = Extension("set", (("match-set", f"{of.name} {end}"),))
    if of.sent:
        yield Rule(target=RETURN, goes_out=bridge)
    else:
        yield Rule(target=RETURN, came_in=bridge)
    yield Rule(target=RETURN, matches=(known,))
    for subnet in subnets:
        adds = Rule(target="SET", options=(("add-set", f"{of.name} {end}"),))
        yield replace(adds, source=subnet) if of.sent else replace(adds, destination=subnet)
