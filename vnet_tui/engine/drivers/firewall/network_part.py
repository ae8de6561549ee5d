"""One network's part of the table: its policies, its forwards, what it counts and masquerades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from uuid import UUID

from vnet_tui.engine.drivers.firewall.draft import Draft
from vnet_tui.engine.drivers.firewall.fragments import Fragment
from vnet_tui.engine.drivers.firewall.layout import Chain, Layout, Lookup, part_structure
from vnet_tui.engine.drivers.firewall.leads import Claiming, claiming
from vnet_tui.engine.drivers.firewall.matches import (
    ADDRESS_TYPE,
    FAMILY_OF,
    quoted,
    subnet_match,
)
from vnet_tui.engine.drivers.firewall.policies import openings, write_policy
from vnet_tui.engine.drivers.firewall.shared import (
    BRIDGES_GOT,
    BRIDGES_HAIRPIN,
    BRIDGES_NAT,
    BRIDGES_SENT,
)
from vnet_tui.engine.drivers.firewall.translation import Translation
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Mode
from vnet_tui.engine.resources import Forward, NetworkRules, rules_digest
from vnet_tui.engine.rule_log import INCOMING, OUTGOING

_forward: Memo[Fragment, Forward | None] = Memo(attrgetter("forward"))


@dataclass(frozen=True, slots=True)
class Part:
    """One network's part: what is its own, its elements in the maps that all share, and which
    ports of the host it claims."""

    network: UUID
    bridge: str
    digest: str
    structure: str
    layout: Layout
    dispatch: Mapping[str, str]
    claims: Claiming | None


def _render_network(rules: NetworkRules, *, logs: bool) -> Part:
    name = rules.network.hex
    draft = Draft(rules, name, quoted(rules.bridge), logs)
    found = {direction: openings(draft, direction) for direction in (OUTGOING, INCOMING)}
    for direction, opened in found.items():
        write_policy(draft, direction, opened)
    _meters(draft)
    if rules.mode is Mode.NAT:
        draft.chains[f"masq_{name}"] = Chain(tuple(_masquerade(rules, draft.bridge)))
        draft.dispatch[BRIDGES_NAT] = f"goto masq_{name}"
    forwards = _forward.found(found[INCOMING], name)
    claims = _forwards(draft, forwards) if forwards else None
    chains, lookups, dispatch, bridge = draft.chains, draft.lookups, draft.dispatch, draft.bridge
    entries = [(where, bridge, verdict) for where, verdict in dispatch.items()]
    return Part(
        network=rules.network,
        bridge=bridge,
        digest=rules_digest(rules),
        structure=part_structure(chains, lookups, entries, draft.objects),
        layout=Layout(chains, lookups, draft.objects),
        dispatch=dispatch,
        claims=claims,
    )


render_network: Memo[NetworkRules, Part] = Memo(partial(_render_network, logs=True), size=1024)
"""One network's part. Kept, since an edit of one network leaves the others as they were."""

render_silent: Memo[NetworkRules, Part] = Memo(partial(_render_network, logs=False), size=1024)
"""The same for a kernel that can't tell of packets."""


def _forwards(draft: Draft, forwards: tuple[Forward, ...]) -> Claiming:
    """The chains that lead ports of the host to guests, and answers back."""
    owner = f"dnat_{draft.name}"
    translation = Translation(owner, forwards)
    draft.chains[owner] = Chain(tuple(translation.rules))
    draft.lookups.update(translation.lookups)
    # By source and not by interface: bridge netfilter bridges such packets without one.
    hairpin = [f"{subnet_match('saddr', subnet)} masquerade" for subnet in draft.rules.subnets]
    draft.chains[f"hairpin_{draft.name}"] = Chain(tuple(hairpin))
    draft.dispatch[BRIDGES_HAIRPIN] = f"jump hairpin_{draft.name}"
    return claiming(owner, forwards)


def _meters(draft: Draft) -> None:
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


def _masquerade(rules: NetworkRules, bridge: str) -> Iterator[str]:
    yield f"oifname {bridge} return"
    for subnet in rules.subnets:
        yield f"{subnet_match('daddr', subnet)} return"
    for subnet in rules.subnets:
        yield f"{subnet_match('saddr', subnet)} goto masquerade_all"
