"""From rules to the layout of the table ``inet vnet``.

Shared by all networks are the base chains, the maps that lead from a bridge to its network's
chains, and those that lead from a port of the host to the networks that forward it: the cost of a
packet doesn't grow with the number of networks. Each network has

- ``out_ID``: what its guests open beyond it; ``return`` lets pass;
- ``in_ID``: what reaches its guests from beyond; ``accept`` lets pass;
- ``refuse_out_ID`` and ``refuse_in_ID``: where what is denied goes, and is told of;
- ``note_out_ID`` and ``note_in_ID``: the same for what passes, where a rule asks for it;
- ``cut_out_ID`` and ``cut_in_ID`` (and ``back_``, for packets that answer): the rules that end
  established connections, where it has some;
- ``sent_ID`` and ``got_ID``: what each guest sends and gets, counted;
- ``masq_ID``: masquerade, in mode nat;
- ``dnat_ID`` and ``hairpin_ID``: its forwards, where it has some;
- an element of the set ``marks``, whose comment says whose this is and what was installed.

Policies see a connection as it reaches the guest, after translation; a deny of incoming ports
also looks at the port that was asked for, so that it holds before a forward that changes the port.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from uuid import UUID

from vnet_tui.engine.drivers.firewall import fragments
from vnet_tui.engine.drivers.firewall.chains import PolicyChain
from vnet_tui.engine.drivers.firewall.elements import sets_of
from vnet_tui.engine.drivers.firewall.fragments import ALLOW, DENY, NOTE, PASS, Fragment
from vnet_tui.engine.drivers.firewall.layout import (
    EMPTY,
    FAMILY,
    TABLE,
    VERSION,
    Chain,
    Layout,
    Lookup,
    Object,
    structure,
    tag,
)
from vnet_tui.engine.drivers.firewall.matches import (
    ADDRESS_TYPE,
    BACK,
    FAMILY_OF,
    INET_PORT,
    THERE,
    quoted,
    subnet_match,
)
from vnet_tui.engine.drivers.firewall.ports import Claim, overlay, protocols
from vnet_tui.engine.drivers.firewall.shared import (
    BRIDGES,
    BRIDGES_GOT,
    BRIDGES_HAIRPIN,
    BRIDGES_IN,
    BRIDGES_NAT,
    BRIDGES_OUT,
    BRIDGES_SENT,
    CUTS_IN,
    CUTS_IN_BACK,
    CUTS_OUT,
    CUTS_OUT_BACK,
    CUTTING,
    DISPATCHES,
    MARKS,
    PORT_RANGES,
    PORTS,
    SHARED_CHAINS,
    SHARED_MARK,
)
from vnet_tui.engine.drivers.firewall.translation import Translation
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Action, Mode
from vnet_tui.engine.resources import (
    Forward,
    NetworkRules,
    PolicyRule,
    Ruleset,
    rules_digest,
)
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


@dataclass(frozen=True, slots=True)
class Part:
    """One network's part: what is its own, and its elements in the maps that all share."""

    network: UUID
    bridge: str
    digest: str
    structure: str
    layout: Layout
    dispatch: Mapping[str, str]
    forwards: tuple[Forward, ...]
    ports: Mapping[str, str]


def render(ruleset: Ruleset, instance: str, *, logs: bool = True) -> Layout:
    """The whole table for a ruleset, marked with the instance; empty when there is no network.

    Without ``logs`` nothing is told of packets, as the kernel can't.
    """
    if not ruleset.networks:
        return EMPTY
    one = render_network if logs else _render_silent
    parts = [one(ruleset.networks[uuid]) for uuid in sorted(ruleset.networks)]
    chains = dict(SHARED_CHAINS)
    if any(CUTS_OUT in part.dispatch or CUTS_IN in part.dispatch for part in parts):
        chains["established"] = CUTTING
    lookups = dict(_shared_lookups(parts, chains))
    objects: dict[str, Object] = {}
    marks = {SHARED_MARK: mark(instance, "shared", str(VERSION), part_structure(chains, lookups))}
    for part in parts:
        marks[part.bridge] = mark(instance, str(part.network), part.digest, part.structure)
        chains.update(part.layout.chains)
        lookups.update(part.layout.lookups)
        objects.update(part.layout.objects)
    lookups[MARKS] = Lookup("ifname", elements=marks)
    return Layout(chains, lookups, objects)


def mark(instance: str, of: str, digest: str, made: str) -> str:
    """How a part says whose it is, which rules were installed, and how it was made."""
    return f'comment "vnet:{instance}:{of}:{digest}:{made}"'


@dataclass(slots=True)
class _Draft:
    """One network's part, while it is put together."""

    rules: NetworkRules
    name: str
    bridge: str
    logs: bool
    chains: dict[str, Chain] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    objects: dict[str, Object] = field(default_factory=dict)
    dispatch: dict[str, str] = field(default_factory=dict)

    def take(self, written: PolicyChain) -> None:
        """A policy's chain, with all that it needs."""
        self.chains[written.chain] = Chain(tuple(written.rules))
        self.lookups.update(written.lookups)
        self.objects.update(written.objects)


def _render_network(rules: NetworkRules, *, logs: bool) -> Part:
    name = rules.network.hex
    draft = _Draft(rules, name, quoted(rules.bridge), logs)
    found = {
        direction: [made for made in way.opening.each(policy.rules) if made is not None]
        for direction, policy in ((OUTGOING, rules.outgoing), (INCOMING, rules.incoming))
        for way in (_DIRECTIONS[direction],)
    }
    forwards = tuple(one.rule for one in found[INCOMING] if isinstance(one.rule, Forward))
    for direction, fragments_ in found.items():
        _policy(draft, direction, fragments_)
    _meters(draft)
    if rules.mode is Mode.NAT:
        draft.chains[f"masq_{name}"] = Chain(tuple(_masquerade(rules, draft.bridge)))
        draft.dispatch[BRIDGES_NAT] = f"goto masq_{name}"
    ports: Mapping[str, str] = {}
    if forwards:
        owner = f"dnat_{name}"
        translation = Translation(owner, forwards)
        draft.chains[owner] = Chain(tuple(translation.rules))
        draft.lookups.update(translation.lookups)
        # By source and not by interface: bridge netfilter bridges such packets without one.
        hairpin = [f"{subnet_match('saddr', subnet)} masquerade" for subnet in rules.subnets]
        draft.chains[f"hairpin_{name}"] = Chain(tuple(hairpin))
        draft.dispatch[BRIDGES_HAIRPIN] = f"jump hairpin_{name}"
        ports = _single_ports(owner, forwards)
    chains, lookups, dispatch, bridge = draft.chains, draft.lookups, draft.dispatch, draft.bridge
    entries = [(where, bridge, verdict) for where, verdict in dispatch.items()]
    return Part(
        network=rules.network,
        bridge=bridge,
        digest=rules_digest(rules),
        structure=part_structure(chains, lookups, entries, draft.objects),
        layout=Layout(chains, lookups, draft.objects),
        dispatch=dispatch,
        forwards=forwards,
        ports=ports,
    )


render_network: Memo[NetworkRules, Part] = Memo(partial(_render_network, logs=True), size=1024)
"""One network's part. Kept, since an edit of one network leaves the others as they were."""

_render_silent: Memo[NetworkRules, Part] = Memo(partial(_render_network, logs=False), size=1024)


def part_structure(
    chains: Mapping[str, Chain],
    lookups: Mapping[str, Lookup],
    entries: Sequence[tuple[str, str, str]] = (),
    objects: Mapping[str, Object] | None = None,
) -> str:
    """The structure of a network's part, or of what all share."""
    sizes = {name: len(lookup.elements) for name, lookup in lookups.items()}
    return structure(
        ((name, chain.hook, [tag(rule) for rule in chain.rules]) for name, chain in chains.items()),
        (sizes | dict.fromkeys(objects or (), 0)).items(),
        entries,
    )


FragmentOf = Memo[PolicyRule | Forward, Fragment | None]


@dataclass(frozen=True, slots=True)
class _Direction:
    """How one of the two policies is written."""

    short: str
    allow: str
    default: str
    opening: FragmentOf
    cutting: FragmentOf
    bridges: str
    dispatch: str
    cuts: str
    cuts_back: str


_DIRECTIONS = {
    OUTGOING: _Direction(
        short="out",
        allow="return",
        default=DEFAULT_OUT,
        opening=fragments.outgoing_fragment,
        cutting=fragments.outgoing_cut,
        bridges=BRIDGES_OUT,
        dispatch="jump",
        cuts=CUTS_OUT,
        cuts_back=CUTS_OUT_BACK,
    ),
    INCOMING: _Direction(
        short="in",
        allow="accept",
        default=DEFAULT_IN,
        opening=fragments.incoming_fragment,
        cutting=fragments.incoming_cut,
        bridges=BRIDGES_IN,
        dispatch="goto",
        cuts=CUTS_IN,
        cuts_back=CUTS_IN_BACK,
    ),
}


def _policy(draft: _Draft, name: str, found: Sequence[Fragment]) -> None:
    """The chains of one policy: for new connections, and for those that it ends."""
    direction = _DIRECTIONS[name]
    policy = draft.rules.outgoing if name == OUTGOING else draft.rules.incoming
    refuse, note, opening = (
        f"{kind}_{draft.name}"
        for kind in (f"refuse_{direction.short}", f"note_{direction.short}", direction.short)
    )
    verdicts = {
        ALLOW: direction.allow,
        NOTE: f"goto {note}",
        DENY: f"goto {refuse}",
        PASS: "return",
    }
    within = f"oifname {draft.bridge}" if name == OUTGOING else ""
    asked = any(one.moves for one in found)
    written = PolicyChain(opening, draft.name, verdicts, deny_asked=asked)
    if within:
        written.rules.append(f"{within} accept")
    written.policy(found)
    written.default(ALLOW if policy.default is Action.ALLOW else DENY, direction.default)
    draft.take(written)
    draft.dispatch[direction.bridges] = f"{direction.dispatch} {opening}"
    draft.chains[refuse] = Chain((*_log(draft, name, Action.DENY), "goto deny"))
    if written.notes:
        draft.chains[note] = Chain((*_log(draft, name, Action.ALLOW), direction.allow))
    last = max((at for at, one in enumerate(found, 1) if one.cuts), default=0)
    if not last:
        return
    cuts = [made for one in found[:last] if (made := direction.cutting(one.rule)) is not None]
    for kind, view, where in (("cut", THERE, direction.cuts), ("back", BACK, direction.cuts_back)):
        chain = f"{kind}_{direction.short}_{draft.name}"
        cutting = PolicyChain(chain, draft.name, verdicts, view=view, deny_asked=asked)
        if within:
            cutting.rules.append(f"iifname {draft.bridge} {within} return")
        cutting.policy(cuts)
        draft.take(cutting)
        draft.dispatch[where] = f"jump {chain}"


def _log(draft: _Draft, direction: str, action: Action) -> Iterator[str]:
    """Tell the engine of a packet, unless there are too many of them."""
    if draft.logs:
        prefix = LogMark(draft.rules.network, direction, action)
        yield (
            f"limit rate {LOG_RATE}/second burst {LOG_BURST} packets "
            f'log prefix "{prefix}" group {LOG_GROUP} snaplen {LOG_BYTES}'
        )


PROBE_LOG = (
    f"add table {FAMILY} {TABLE}-probe",
    f"add chain {FAMILY} {TABLE}-probe probe",
    f'add rule {FAMILY} {TABLE}-probe probe log prefix "probe" group {LOG_GROUP}',
    f"delete table {FAMILY} {TABLE}-probe",
)
"""What a kernel accepts that can tell of packets; to be tried without doing it."""


def _meters(draft: _Draft) -> None:
    """Count what each guest sends to and gets from beyond its network, by address."""
    for kind, end, other, where in (
        ("sent", "saddr", "oifname", BRIDGES_SENT),
        ("got", "daddr", "iifname", BRIDGES_GOT),
    ):
        chain = f"{kind}_{draft.name}"
        rules = [f"{other} {draft.bridge} return"]
        for subnet in draft.rules.subnets:
            name = f"{chain}_{subnet.version}"
            draft.lookups[name] = Lookup(ADDRESS_TYPE[subnet.version], dynamic=True)
            field_ = f"{FAMILY_OF[subnet.version]} {end}"
            rules.append(f"{subnet_match(end, subnet)} update @{name} {{ {field_} counter }}")
        draft.chains[chain] = Chain(tuple(rules))
        draft.dispatch[where] = f"jump {chain}"


@dataclass(frozen=True, slots=True)
class _Lead:
    """The elements by which the ports of a forward lead to its network."""

    pairs: tuple[tuple[str, tuple[str, str]], ...]
    atoms: tuple[()] = ()
    spans: bool = False
    protocols: tuple[()] = ()
    ports: None = None

    def elements(self, *_: object) -> tuple[()]:
        """None: ranges are laid over those of other networks."""
        return ()


@lru_cache(maxsize=1024)
def _leading(owner: str) -> Memo[Forward, _Lead | None]:
    """How forwards lead to a network; None where that takes a range."""
    value = (PORTS, f"goto {owner}")

    def lead(forward: Forward) -> _Lead | None:
        if len(forward.ports) > 1:
            return None
        transports = protocols(forward.protocol)
        return _Lead(tuple((f"{one} . {forward.ports.first}", value) for one in transports))

    return Memo(lead)


def _single_ports(owner: str, forwards: Sequence[Forward]) -> Mapping[str, str]:
    """The elements by which ports lead to a network; none where some are ranges."""
    leads = [lead for lead in _leading(owner).each(forwards) if lead is not None]
    if len(leads) < len(forwards):
        return {}
    return sets_of((owner, PORTS), leads)[PORTS]


def _masquerade(rules: NetworkRules, bridge: str) -> Iterator[str]:
    yield f"oifname {bridge} return"
    for subnet in rules.subnets:
        yield f"{subnet_match('daddr', subnet)} return"
    for subnet in rules.subnets:
        yield f"{subnet_match('saddr', subnet)} goto masquerade_all"


def _shared_lookups(
    parts: Sequence[Part], chains: dict[str, Chain]
) -> Iterator[tuple[str, Lookup]]:
    """The maps that lead to networks; a port that several forward gets a chain in ``chains``."""
    for name in DISPATCHES:
        leads = {part.bridge: part.dispatch[name] for part in parts if name in part.dispatch}
        yield name, Lookup("ifname", "verdict", elements=leads)
    yield BRIDGES, Lookup("ifname", elements={part.bridge: "" for part in parts})
    singles, ranges = _leads(parts, chains)
    yield PORTS, Lookup(INET_PORT, "verdict", elements=singles)
    yield PORT_RANGES, Lookup(INET_PORT, "verdict", interval=True, elements=ranges)


def _leads(
    parts: Sequence[Part], chains: dict[str, Chain]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The elements of the maps from ports to networks, single ports and ranges."""
    singles: dict[str, str] = {}
    ranges: dict[str, str] = {}
    claiming = [part for part in parts if part.forwards]
    if len(claiming) == 1 and claiming[0].ports:
        return claiming[0].ports, ranges
    if all(part.ports for part in claiming):
        for part in claiming:
            singles.update(part.ports)
        if len(singles) == sum(len(part.ports) for part in claiming):
            return singles, ranges
        singles.clear()
    claims: list[Claim[tuple[str, ...]]] = [
        Claim(protocols(forward.protocol), forward.ports, (f"dnat_{part.network.hex}",))
        for part in claiming
        for forward in part.forwards
    ]
    for piece in overlay(claims, lambda old, new: old if new[0] in old else old + new):
        target = piece.value[0]
        if len(piece.value) > 1:
            owners = hashlib.sha256(" ".join(piece.value).encode()).hexdigest()[:16]
            target = f"share_{owners}"
            chains[target] = Chain(tuple(f"jump {owner}" for owner in piece.value))
        (singles if piece.single else ranges)[str(piece)] = f"goto {target}"
    return singles, ranges
