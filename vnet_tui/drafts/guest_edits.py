"""Edits that begin with a guest: keep its address, lead a port to it. Pure."""

from __future__ import annotations

from dataclasses import replace

from vnet_tui.drafts.lists import INCOMING, RESERVATION, Place, added, changed
from vnet_tui.engine.check.names import is_guest_name, is_label
from vnet_tui.engine.check.shadows import shadowed
from vnet_tui.engine.errors import StateError
from vnet_tui.engine.model import Action, Address, Mode, Network, Reservation, Rule
from vnet_tui.engine.views import Guest


def kept_address(guest: Guest) -> Address | None:
    """The address that a reservation would keep for a guest."""
    if guest.lease is not None:
        return guest.lease.address
    return guest.addresses[0] if guest.addresses else None


def reserved(network: Network, guest: Guest, name: str | None = None) -> Network:
    """With a reservation of the address that a guest has, under its name, or another ``name``.

    A reservation that has the guest's MAC already is changed. Raises StateError where there is
    nothing to keep, or nothing to change.
    """
    address = kept_address(guest)
    who = guest.name or guest.mac
    if address is None:
        raise StateError(f"{who} has no address that could be kept", "wait for its lease")
    wanted = name or (guest.name if is_label(guest.name) else None)
    places = list(enumerate(RESERVATION.get(network)))
    mine = [
        at
        for at, one in places
        if one.address.version == address.version
        and (one.mac == guest.mac or (one.mac is None and wanted and one.name == wanted))
    ]
    others = {one.name for at, one in places if at not in mine and one.address != address}
    if name is None and wanted in others:
        wanted = None
    if not mine:
        new = Reservation(address=address, mac=guest.mac, name=wanted)
        return added(network, Place(RESERVATION, len(places)), new)
    place = Place(RESERVATION, mine[0])
    old: Reservation = place.of(network)
    kept = replace(old, address=address, mac=guest.mac, name=name or old.name or wanted)
    if kept == old:
        raise StateError(f"{address} is kept for {old.name or who} already")
    return changed(network, place, kept)


def named(network: Network, guest: Guest) -> str | None:
    """The name by which rules find a guest: its reservation's, else its own; None: it has none."""
    for one in RESERVATION.get(network):
        if one.name and (one.mac == guest.mac or one.address in guest.addresses):
            found: str = one.name
            return found
    return guest.name if is_guest_name(guest.name) else None


def forwarded(network: Network, rule: Rule) -> Network:
    """With one more forward, behind the others but before what would leave nothing to it.

    Raises StateError for an isolated network, where nothing is forwarded.
    """
    if network.mode is Mode.ISOLATED:
        raise StateError(
            f"{network.name} is isolated: nothing is forwarded",
            "give it a mode first: e, General",
        )
    rules = INCOMING.get(network)
    before = shadowed((*rules, rule), incoming=True).get(len(rules), ())
    denials = [at for at in before if rules[at].action is Action.DENY]
    return added(network, Place(INCOMING, min(denials, default=len(rules))), rule)
