"""The chains that lead ports of the host to a network's guests, in one address family."""

from __future__ import annotations

from itertools import groupby

from vnet_tui.engine.drivers.firewall.iptables.policies import of_family, reach
from vnet_tui.engine.drivers.firewall.iptables.port_rules import Growing, write_ports
from vnet_tui.engine.drivers.firewall.iptables.rules import Chains, Rule
from vnet_tui.engine.drivers.firewall.ports import Claim, Piece, first_match, protocols
from vnet_tui.engine.model import Address
from vnet_tui.engine.resources import Forward


def translation(chain: str, family: int, forwards: tuple[Forward, ...]) -> Chains:
    """The chain and those it needs; a packet that no forward is about comes back."""
    grow = Growing(chain)
    _, rules = grow.chain()
    for (source, address), group in groupby(forwards, key=reach):
        if not of_family(family, source, address):
            continue
        head = Rule(source=str(source or ""), destination=str(address or ""))
        claims = [
            Claim(protocols(forward.protocol), forward.ports, (forward, guest))
            for forward in group
            for guest in forward.guests
            if guest.version == family
        ]
        pieces = [_led(piece) for piece in first_match(claims)]
        for _, of_protocol in groupby(pieces, key=lambda piece: piece.protocol):
            write_ports(rules, list(of_protocol), grow, heads=[head])
    return grow.done()


def _led(piece: Piece[tuple[Forward, Address]]) -> Piece[Rule]:
    """The piece with the rule that leads it to its guest.

    ``first-last/base`` keeps the distance from the base, see iptables-extensions(8) on DNAT."""
    forward, guest = piece.value
    to, at = str(guest), forward.guest_ports.first
    if forward.ports != forward.guest_ports:
        host = to if guest.version == 4 else f"[{to}]"
        if len(forward.guest_ports) > 1:
            at += piece.first - forward.ports.first
        if len(forward.guest_ports) > 1 and not piece.single:
            to = f"{host}:{at}-{at + piece.last - piece.first}/{piece.first}"
        else:
            to = f"{host}:{at}"
    rule = Rule(target="DNAT", options=(("to-destination", to),))
    return Piece(piece.protocol, piece.first, piece.last, rule)
