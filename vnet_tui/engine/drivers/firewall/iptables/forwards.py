"""The chains that lead ports of the host to a network's guests, in one address family."""

from __future__ import annotations

from collections.abc import Sequence

from vnet_tui.engine.drivers.firewall.iptables.boxes import Atom, Match
from vnet_tui.engine.drivers.firewall.iptables.rules import Chains as Written
from vnet_tui.engine.drivers.firewall.iptables.tree import Chains, write_rules
from vnet_tui.engine.memo import Memo
from vnet_tui.engine.model import Address
from vnet_tui.engine.resources import Forward


def translation(chain: str, family: int, forwards: Sequence[Forward]) -> Written:
    """The chain and those it needs; a packet that no forward is about comes back.

    Only packets with ports may come, and only the first of a connection: the port to which it was
    opened is asked of the kernel, so that one rule is about both protocols.
    """
    chains = Chains(chain)
    atoms = [atom for atom in _ATOMS[family].each(tuple(forwards), chain) if atom is not None]
    write_rules(chains, chains.first(), atoms, family, ends=True)
    return chains.done()


def _atom(forward: Forward, family: int) -> Atom | None:
    guest = next((guest for guest in forward.guests if guest.version == family), None)
    reach = (forward.source, forward.address)
    if guest is None or any(one is not None and one.version != family for one in reach):
        return None
    match = Match(
        protocol=str(forward.protocol or ""),
        asked=forward.ports,
        source=forward.source,
        destination=forward.address,
    )
    options = (("to-destination", _destination(forward, guest)),)
    return Atom(match.box(family), match.rule("DNAT", options=options))


_ATOMS: dict[int, Memo[Forward, Atom | None]] = {
    4: Memo(lambda forward: _atom(forward, 4)),
    6: Memo(lambda forward: _atom(forward, 6)),
}


def _destination(forward: Forward, guest: Address) -> str:
    """``first-last/base`` keeps the distance from the base: iptables-extensions(8) on DNAT."""
    if forward.ports == forward.guest_ports:
        return str(guest)
    host = str(guest) if guest.version == 4 else f"[{guest}]"
    first, last = forward.guest_ports.first, forward.guest_ports.last
    if first == last:
        return f"{host}:{first}"
    return f"{host}:{first}-{last}/{forward.ports.first}"
