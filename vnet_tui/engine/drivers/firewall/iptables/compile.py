"""From rules of networks to the tables of one address family.

``filter``: ``VNET-GUARD`` keeps guests from the host's loopback addresses; ``VNET-FORWARD``, first
in FORWARD, leads established connections past the policies (to ``VNET-EST``, where any network
ends some) and asks of others

- ``VNET-OUT-ID``, by the bridge that a packet came from: what guests open beyond their network;
- ``VNET-IN-ID``, by the bridge that it goes to: what reaches guests from beyond it.

Both lead to ``VNET-REFOUT-ID`` and ``VNET-REFIN-ID``, where what is denied is told of and refused,
or return: then ``VNET-COUNT`` counts what guests send and get, and FORWARD goes on.

``nat``: ``VNET-HOST`` leads ports of the host's own addresses to ``VNET-DNAT-ID``;
``VNET-HAIRPIN`` to ``VNET-HAIR-ID``, which lets replies come back through the host; ``VNET-POST``
to ``VNET-NAT-ID``, which masquerades. All of them see the first packet of a connection only.

Policies see a connection as it reaches the guest, after translation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from uuid import UUID

from vnet_tui.engine.drivers.firewall.iptables.boxes import Atom, Match
from vnet_tui.engine.drivers.firewall.iptables.dispatch import checked, dispatch
from vnet_tui.engine.drivers.firewall.iptables.forwards import translation
from vnet_tui.engine.drivers.firewall.iptables.policies import PORTED, Policy, Side, Verdicts
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    NOTHING,
    RETURN,
    Chains,
    Extension,
    Rule,
    Table,
    chain_name,
    digits,
)
from vnet_tui.engine.drivers.firewall.iptables.sets import GuestSet, guest_sets
from vnet_tui.engine.drivers.firewall.iptables.tree import Chains as Growing
from vnet_tui.engine.drivers.firewall.iptables.tree import write_rules
from vnet_tui.engine.drivers.firewall.ports import protocols
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Action, Mode, PortRange, Protocol
from vnet_tui.engine.resources import Forward, NetworkRules, PolicyRule, PolicyRules, Ruleset
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

OWN_SERVICES = ((Protocol.TCP, (53,)), (Protocol.UDP, (53, 67, 547)))
"""DNS and DHCP at a guest's gateway are never forwarded away from it."""

LOCAL = Extension("addrtype", (("dst-type", "LOCAL"),))
"""To one of the host's own addresses."""

LOCAL_HERE = Extension("addrtype", (("dst-type", "LOCAL"), ("limit-iface-in", "")))
"""To an address of the interface that the packet came from."""

FROM_HOST = Extension("addrtype", (("src-type", "LOCAL"),))
TRANSLATED = Extension("conntrack", (("ctstate", "DNAT"),))
ESTABLISHED = Extension("conntrack", (("ctstate", "RELATED,ESTABLISHED"),))

_LOOPBACK = {4: "127.0.0.0/8", 6: "::1"}
_TO_MANY = {4: ("224.0.0.0/4", "255.255.255.255"), 6: ("ff00::/8",)}


CONNECTION = {way: Extension("conntrack", (("ctdir", way),)) for way in ("ORIGINAL", "REPLY")}
"""Packets in the direction in which the connection was opened, and those that answer."""

_REFUSAL = {4: "icmp-admin-prohibited", 6: "icmp6-adm-prohibited"}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a kernel can do beside the rules: tell of packets (``logs``), and count by guest
    (``counts``). Rules must not fail for it."""

    logs: bool = True
    counts: bool = True


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


@dataclass(frozen=True, slots=True)
class Compiled:
    """Both tables of one address family, and the sets that they use."""

    filter: Table = NOTHING
    nat: Table = NOTHING
    sets: tuple[GuestSet, ...] = ()

    def table(self, name: str) -> Table:
        """``filter`` or ``nat``."""
        return self.filter if name == "filter" else self.nat


def compile_tables(ruleset: Ruleset, family: int, abilities: Abilities = ALL) -> Compiled:
    """The tables for a ruleset; empty ones when there is no network."""
    networks = ruleset.networks
    if not networks:
        return Compiled()
    one = _compiling(family, abilities)
    parts = [one(networks[uuid]) for uuid in sorted(networks)]
    marked = {part.digits: uuid for part, uuid in zip(parts, sorted(networks), strict=True)}
    filters, nats = _shared_filter(parts, family), _shared_nat(parts, family)
    for part in parts:
        filters.chains.update(part.filter)
        nats.chains.update(part.nat)
    return Compiled(
        filter=Table(filters.chains, filters.hooks, marked),
        nat=Table(nats.chains, nats.hooks, marked),
        sets=tuple(one for part in parts for one in part.sets),
    )


@lru_cache(maxsize=64)
def _compiling(family: int, abilities: Abilities) -> Memo[NetworkRules, Part]:
    """How networks are compiled. What was made is kept, since an edit of one network leaves the
    others as they were."""
    return Memo(lambda rules: _compile(rules, family, abilities), size=1 << 10)


def _compile(rules: NetworkRules, family: int, abilities: Abilities) -> Part:
    uuid, bridge = rules.network, checked(rules.bridge)
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
    within = Rule(target=RETURN, goes_out=bridge)
    if direction == INCOMING:
        within = Rule(target=RETURN, came_in=bridge)
    opening, led, cutting = (
        Growing(chain_name(part, uuid)) for part in (short, "LED", f"CUT{short}")
    )
    written.opening(opening, within, led)
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


def _shared_filter(parts: Sequence[Part], family: int) -> _Shared:
    # The host's loopback addresses are for the host alone, though bridges with forwards route them
    # (route_localnet), so that it can use its forwards by 127.0.0.1.
    guarded = family == 4
    spoofed = (Rule(target="VNET-GUARD", source=_LOOPBACK[4]),) if guarded else ()
    counting = any(part.sets for part in parts)
    cutting = [part for part in parts if part.chain("CUTOUT") or part.chain("CUTIN")]
    known = Rule(target=RETURN, matches=(ESTABLISHED,))
    if counting or cutting:
        known = Rule(
            target="VNET-EST" if cutting else "VNET-COUNT", goto=True, matches=(ESTABLISHED,)
        )
    to = Rule(target="VNET-TO", goto=not counting)
    entry = [known, *spoofed, Rule(target="VNET-FROM"), to]
    made = _Shared(chains={}, hooks={"FORWARD": (Rule(target="VNET-FORWARD"),)})
    chains = made.chains
    chains["VNET-FORWARD"] = (
        (*entry, Rule(target="VNET-COUNT", goto=True)) if counting else (*entry,)
    )
    chains["VNET-DENY"] = (
        # Who is cut off from an established connection is told so that it ends at once.
        Rule(
            target="REJECT",
            protocol="tcp",
            matches=(ESTABLISHED,),
            options=(("reject-with", "tcp-reset"),),
        ),
        Rule(target="REJECT", options=(("reject-with", _REFUSAL[family]),)),
    )
    chains |= dispatch("VNET-FROM", "came_in", _leads(parts, "OUT"))
    chains |= dispatch("VNET-TO", "goes_out", _leads(parts, "IN"))
    if cutting:
        chains["VNET-EST"] = (
            Rule(target="VNET-CUT", matches=(CONNECTION["ORIGINAL"],)),
            Rule(target="VNET-BACK", matches=(CONNECTION["REPLY"],)),
            Rule(target="VNET-COUNT" if counting else RETURN, goto=counting),
        )
        for name in ("VNET-CUT", "VNET-BACK"):
            both = (Rule(target=f"{name}OUT"), Rule(target=f"{name}IN", goto=True))
            chains[name] = both
        out, into = _leads(parts, "CUTOUT"), _leads(parts, "CUTIN")
        chains |= dispatch("VNET-CUTOUT", "came_in", out)
        chains |= dispatch("VNET-CUTIN", "goes_out", into)
        chains |= dispatch("VNET-BACKOUT", "goes_out", out)
        chains |= dispatch("VNET-BACKIN", "came_in", into)
    if counting:
        chains["VNET-COUNT"] = (Rule(target="VNET-SENT"), Rule(target="VNET-GOT", goto=True))
        chains |= dispatch("VNET-SENT", "came_in", _leads(parts, "SENT"))
        chains |= dispatch("VNET-GOT", "goes_out", _leads(parts, "GOT"))
    if guarded:
        chains["VNET-GUARD"] = (
            Rule(target=RETURN, matches=(ESTABLISHED,)),
            *(Rule(target="DROP", came_in=part.bridge) for part in parts),
        )
        made.hooks["INPUT"] = (Rule(target="VNET-GUARD", destination=_LOOPBACK[4]), *spoofed)
    return made


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all networks share of a table, while it is put together."""

    chains: dict[str, tuple[Rule, ...]]
    hooks: dict[str, tuple[Rule, ...]]


def _leads(parts: Iterable[Part], part: str) -> dict[str, str]:
    """From bridges to the chains of that name, where their networks have one."""
    return {one.bridge: chain for one in parts if (chain := one.chain(part))}


def _shared_nat(parts: Sequence[Part], family: int) -> _Shared:
    made = _Shared(chains={}, hooks={})
    chains, hooks = made.chains, made.hooks
    hairpins = _leads(parts, "HAIR")
    if hairpins:
        spared = _own_services(parts)
        chains |= {
            **_to_host(parts, family),
            **spared,
            **dispatch("VNET-HAIRPIN", "goes_out", hairpins),
        }
        entry = "VNET-PRE" if spared else "VNET-HOST"
        hooks["PREROUTING"] = (Rule(target=entry, matches=(LOCAL,)),)
        loopback = f"!{_LOOPBACK[family]}"
        hooks["OUTPUT"] = (Rule(target="VNET-HOST", destination=loopback, matches=(LOCAL,)),)
        if family == 4:  # the rest of the loopback addresses is often a resolver's own
            hooks["OUTPUT"] += (Rule(target="VNET-HOST", destination="127.0.0.1"),)
        hooks["POSTROUTING"] = (Rule(target="VNET-HAIRPIN", matches=(TRANSLATED,)),)
    if any(part.masqueraded for part in parts):
        chains["VNET-POST"] = tuple(
            Rule(target=part.chain("NAT"), goto=True, source=subnet)
            for part in parts
            for subnet in part.masqueraded
        )
        # A guest must not get a port below 1024 of the host, which some servers trust.
        high = (("to-ports", "1024-65535"),)
        chains["VNET-MASQ"] = (
            *(Rule(target=RETURN, destination=many) for many in _TO_MANY[family]),
            Rule(target="MASQUERADE", protocol="tcp", options=high),
            Rule(target="MASQUERADE", protocol="udp", options=high),
            Rule(target="MASQUERADE"),
        )
        hooks["POSTROUTING"] = (*hooks.get("POSTROUTING", ()), Rule(target="VNET-POST"))
    return made


_SPANS = 4
"""So many ranges say about where a network's forwards are: it looks itself what is within."""


def _to_host(parts: Sequence[Part], family: int) -> Chains:
    """From a port of the host to each network that may forward it, one after another."""
    forwarding = [part for part in parts if part.forwards]
    grow = Growing("VNET-HOST")
    if len(forwarding) == 1:
        rules = [Rule(target=forwarding[0].chain("DNAT"), protocol=one) for one in PORTED]
        grow.first().extend(rules)
        return grow.done()
    atoms = []
    for part in forwarding:
        for protocol in PORTED:
            for span in _spans(part.forwards, protocol):
                match = Match(protocol=protocol, ports=span)
                rule = match.rule(part.chain("DNAT"))
                atoms.append(Atom(match.box(family), rule, final=False))
    write_rules(grow, grow.first(), atoms, family, ends=True)
    return grow.done()


def _spans(forwards: Sequence[Forward], protocol: str) -> list[PortRange]:
    """A few ranges with all ports of one protocol that are forwarded."""
    claimed = sorted(
        {
            (forward.ports.first, forward.ports.last)
            for forward in forwards
            if protocol in protocols(forward.protocol)
        }
    )
    spans: list[tuple[int, int]] = []
    for first, last in claimed:
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], last))
        else:
            spans.append((first, last))
    gaps = sorted((after[0] - before[1], at) for at, (before, after) in enumerate(pairwise(spans)))
    kept = {at for _, at in gaps[len(gaps) - _SPANS + 1 :]} if len(gaps) >= _SPANS else None
    joined: list[tuple[int, int]] = []
    for at, (first, last) in enumerate(spans):
        if joined and kept is not None and at - 1 not in kept:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return [PortRange(first=first, last=last) for first, last in joined]


def _own_services(parts: Sequence[Part]) -> Chains:
    """Past our own services, where a forward is in their way: the chain that packets to the host
    meet first, and those it needs."""
    spared: list[Rule] = []
    forwards = [forward for part in parts for forward in part.forwards]
    for protocol, numbers in OWN_SERVICES:
        taken = [
            str(number)
            for number in numbers
            if any(
                protocol in protocols(forward.protocol)
                and forward.ports.first <= number <= forward.ports.last
                for forward in forwards
            )
        ]
        if taken:
            match = Extension("multiport", (("dports", ",".join(taken)),))
            spared.append(
                Rule(
                    target="VNET-OWN",
                    goto=True,
                    protocol=str(protocol),
                    matches=(match, LOCAL_HERE),
                )
            )
    if not spared:
        return {}
    returning = {part.bridge: RETURN for part in parts}
    return {
        "VNET-PRE": (*spared, Rule(target="VNET-HOST", goto=True)),
        **dispatch("VNET-OWN", "came_in", returning, missed="VNET-HOST"),
    }
