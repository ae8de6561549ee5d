"""What all networks share of both tables, in one address family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from vnet_tui.engine.drivers.firewall.iptables.boxes import Atom, Match
from vnet_tui.engine.drivers.firewall.iptables.dispatch import dispatch
from vnet_tui.engine.drivers.firewall.iptables.network import Part
from vnet_tui.engine.drivers.firewall.iptables.policies import PORTED
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    RETURN,
    Chains,
    Extension,
    Rule,
)
from vnet_tui.engine.drivers.firewall.iptables.tree import Chains as Growing, write_rules
from vnet_tui.engine.drivers.firewall.ports import protocols
from vnet_tui.engine.model import PortRange, Protocol
from vnet_tui.engine.resources import Forward

OWN_SERVICES = ((Protocol.TCP, (53,)), (Protocol.UDP, (53, 67, 547)))
"""DNS and DHCP at a guest's gateway are never forwarded away from it."""

LOCAL = Extension("addrtype", (("dst-type", "LOCAL"),))
"""To one of the host's own addresses."""

LOCAL_HERE = Extension("addrtype", (("dst-type", "LOCAL"), ("limit-iface-in", "")))
"""To an address of the interface that the packet came from."""

TRANSLATED = Extension("conntrack", (("ctstate", "DNAT"),))
ESTABLISHED = Extension("conntrack", (("ctstate", "RELATED,ESTABLISHED"),))
RELATED = Extension("conntrack", (("ctstate", "RELATED"),))

_LOOPBACK = {4: "127.0.0.0/8", 6: "::1"}
_TO_MANY = {4: ("224.0.0.0/4", "255.255.255.255"), 6: ("ff00::/8",)}


CONNECTION = {way: Extension("conntrack", (("ctdir", way),)) for way in ("ORIGINAL", "REPLY")}
"""Packets in the direction in which the connection was opened, and those that answer."""

_REFUSAL = {4: "icmp-admin-prohibited", 6: "icmp6-adm-prohibited"}


@dataclass(frozen=True, slots=True)
class Shared:
    """What all networks share of a table; their own is put beside it."""

    chains: dict[str, tuple[Rule, ...]]
    hooks: dict[str, tuple[Rule, ...]]


def shared_filter(parts: Sequence[Part], family: int) -> Shared:
    """Of ``filter``: from packets to networks, and the counting of guests."""
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
    made = Shared(chains={}, hooks={"FORWARD": (Rule(target="VNET-FORWARD"),)})
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
        passes = Rule(target="VNET-COUNT" if counting else RETURN, goto=counting)
        chains["VNET-EST"] = (
            # Errors about a connection are none of their own, whatever is denied to ICMP.
            replace(passes, matches=(RELATED,)),
            Rule(target="VNET-CUT", matches=(CONNECTION["ORIGINAL"],)),
            Rule(target="VNET-BACK", matches=(CONNECTION["REPLY"],)),
            passes,
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


def _leads(parts: Iterable[Part], part: str) -> dict[str, str]:
    """From bridges to the chains of that name, where their networks have one."""
    return {one.bridge: chain for one in parts if (chain := one.chain(part))}


def shared_nat(parts: Sequence[Part], family: int) -> Shared:
    """Of ``nat``: from ports of the host to networks, and the way out."""
    made = Shared(chains={}, hooks={})
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
            for span in spans(part.forwards, protocol):
                match = Match(protocol=protocol, ports=span)
                rule = match.rule(part.chain("DNAT"))
                atoms.append(Atom(match.box(family), rule, final=False))
    write_rules(grow, grow.first(), atoms, family, ends=True)
    return grow.done()


def spans(forwards: Iterable[Forward], protocol: str) -> list[PortRange]:
    """A few ranges with all ports of one protocol that are forwarded, parted by the widest gaps."""
    claimed = sorted(
        (forward.ports.first, forward.ports.last)
        for forward in forwards
        if protocol in protocols(forward.protocol)
    )
    runs: list[tuple[int, int]] = []
    for first, last in claimed:
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(runs[-1][1], last))
        else:
            runs.append((first, last))
    gaps = sorted((after[0] - before[1], at) for at, (before, after) in enumerate(pairwise(runs)))
    parting = sorted(at for _, at in gaps[-(_SPANS - 1) :])
    starts = [0, *(at + 1 for at in parting)]
    ends = [*(at + 1 for at in parting), len(runs)]
    return [
        PortRange(first=runs[start][0], last=runs[end - 1][1])
        for start, end in zip(starts, ends, strict=True)
        if runs
    ]


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
