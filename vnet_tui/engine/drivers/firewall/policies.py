"""A network's two policies: the chains for what is opened, and for what is to be ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from vnet_tui.engine.census import Census
from vnet_tui.engine.drivers.firewall import fragments
from vnet_tui.engine.drivers.firewall.chains import PolicyChain
from vnet_tui.engine.drivers.firewall.draft import Draft
from vnet_tui.engine.drivers.firewall.fragments import ALLOW, DENY, NOTE, PASS, Fragment, Traits
from vnet_tui.engine.drivers.firewall.layout import FAMILY, TABLE, Chain
from vnet_tui.engine.drivers.firewall.matches import BACK, THERE
from vnet_tui.engine.drivers.firewall.shared import (
    BRIDGES_IN,
    BRIDGES_OUT,
    CUTS_IN,
    CUTS_IN_BACK,
    CUTS_OUT,
    CUTS_OUT_BACK,
)
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Action, Mode
from vnet_tui.engine.resources import Forward, PolicyRule
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


_traits: Census[Fragment, Traits] = Census(attrgetter("traits"))


def openings(draft: Draft, name: str) -> tuple[Fragment, ...]:
    """The rules of one policy (``INCOMING``, ``OUTGOING``) that can match anything, in order."""
    policy = draft.rules.outgoing if name == OUTGOING else draft.rules.incoming
    return _DIRECTIONS[name].opening.found(policy.rules, draft.name)


def write_policy(draft: Draft, name: str, found: tuple[Fragment, ...]) -> None:
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
    traits = _traits(found, (draft.name, name))
    asked = any(one.moves for one in traits)
    written = PolicyChain(opening, draft.name, verdicts, deny_asked=asked)
    if name == OUTGOING:
        written.rules.append(f"oifname {draft.bridge} accept")
        if draft.rules.mode is Mode.NAT:
            # What belongs to no connection isn't translated: it would leave as it is.
            written.rules.append("ct state invalid drop")
    written.policy(found, traits)
    written.default(ALLOW if policy.default is Action.ALLOW else DENY, direction.default)
    draft.take(written)
    draft.dispatch[direction.bridges] = f"{direction.dispatch} {opening}"
    draft.chains[refuse] = Chain((*_log(draft, name, Action.DENY), "goto deny"))
    if written.notes:
        draft.chains[note] = Chain((*_log(draft, name, Action.ALLOW), direction.allow))
    if not any(one.cuts for one in traits):
        return
    last = max(at for at, one in enumerate(found, 1) if one.cuts)
    cuts = tuple(made for one in found[:last] if (made := direction.cutting(one.rule)) is not None)
    cut_traits = {one.traits for one in cuts}
    for kind, view, where in (("cut", THERE, direction.cuts), ("back", BACK, direction.cuts_back)):
        chain = f"{kind}_{direction.short}_{draft.name}"
        cutting = PolicyChain(chain, draft.name, verdicts, view=view, deny_asked=asked)
        # What a forward leads back into the network that it comes from asks no policy.
        cutting.rules.append(f"iifname {draft.bridge} oifname {draft.bridge} return")
        cutting.policy(cuts, cut_traits)
        draft.take(cutting)
        draft.dispatch[where] = f"jump {chain}"


def _log(draft: Draft, direction: str, action: Action) -> Iterator[str]:
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
