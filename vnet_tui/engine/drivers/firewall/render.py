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

from collections.abc import Iterator, Sequence

from vnet_tui.engine.drivers.firewall.layout import (
    EMPTY,
    VERSION,
    Chain,
    Layout,
    Lookup,
    Object,
    part_structure,
)
from vnet_tui.engine.drivers.firewall.leads import leads
from vnet_tui.engine.drivers.firewall.matches import INET_PORT
from vnet_tui.engine.drivers.firewall.network_part import Part, render_network, render_silent
from vnet_tui.engine.drivers.firewall.shared import (
    BRIDGES,
    CUTS_IN,
    CUTS_OUT,
    CUTTING,
    DISPATCHES,
    MARKS,
    PORT_RANGES,
    PORTS,
    SHARED_CHAINS,
    SHARED_MARK,
)
from vnet_tui.engine.resources import Ruleset


def render(ruleset: Ruleset, instance: str, *, logs: bool = True) -> Layout:
    """The whole table for a ruleset, marked with the instance; empty when there is no network.

    Without ``logs`` nothing is told of packets, as the kernel can't.
    """
    if not ruleset.networks:
        return EMPTY
    one = render_network if logs else render_silent
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


def _shared_lookups(
    parts: Sequence[Part], chains: dict[str, Chain]
) -> Iterator[tuple[str, Lookup]]:
    """The maps that lead to networks; a port that several forward gets a chain in ``chains``."""
    for name in DISPATCHES:
        own = {part.bridge: part.dispatch[name] for part in parts if name in part.dispatch}
        yield name, Lookup("ifname", "verdict", elements=own)
    yield BRIDGES, Lookup("ifname", elements={part.bridge: "" for part in parts})
    claims = [part.claims for part in parts if part.claims is not None]
    singles, ranges = leads(claims, chains)
    yield PORTS, Lookup(INET_PORT, "verdict", elements=singles)
    yield PORT_RANGES, Lookup(INET_PORT, "verdict", interval=True, elements=ranges)
