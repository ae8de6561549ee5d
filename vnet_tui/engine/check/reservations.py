"""Addresses kept for guests."""

from __future__ import annotations

from collections.abc import Iterator

from vnet_tui.engine.check.addresses import reserved_in, unusable
from vnet_tui.engine.check.names import NAME_RULE, is_label, mac_problem
from vnet_tui.engine.check.report import at_line, error, repeated
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Network, Reservation


def check_reservations(network: Network) -> Iterator[Problem]:
    """Reservations for guests that can be told apart, of addresses that they can have."""
    if network.dhcp is None:
        return
    reservations = network.dhcp.reservations
    for one in reservations:
        yield from _guest(one, network)
        yield from _address(one, network)
    for first, one in repeated(reservations, lambda one: one.address):
        yield error(
            one, f"{one.address} is reserved twice{at_line(first)}", "give each guest its own"
        )
    for first, one in repeated(
        reservations, lambda one: one.mac and (one.mac.lower(), one.address.version)
    ):
        yield error(
            one,
            f"the MAC {one.mac} has a reservation already: {first.address}{at_line(first)}",
            "a guest may have one of each family",
        )
    for first, one in repeated(
        reservations, lambda one: one.name and (one.name.lower(), one.address.version)
    ):
        yield error(
            one,
            f"the name {one.name} has a reservation already: {first.address}{at_line(first)}",
            "give each guest a name of its own",
        )


def _guest(one: Reservation, network: Network) -> Iterator[Problem]:
    if not one.mac and not one.name:
        yield error(
            one, f"the reservation of {one.address} names no guest", "add mac or name, or both"
        )
    if one.mac:
        if why := mac_problem(one.mac):
            yield error(one, f"the MAC {one.mac} {why}", "write the MAC of the guest's interface")
        if network.bridge and network.bridge.mac and one.mac.lower() == network.bridge.mac.lower():
            yield error(
                one,
                f"the MAC {one.mac} is that of the bridge{at_line(network.bridge)}",
                "write the MAC of the guest's interface",
            )
    if one.name and not is_label(one.name):
        remedy = NAME_RULE
        if "." in one.name:
            remedy = f"write {one.name.split('.')[0]}; the domain stands in <dns domain>"
        yield error(one, f"{one.name!r} is no host name of a guest", remedy)


def _address(one: Reservation, network: Network) -> Iterator[Problem]:
    sound = [ip for ip in network.ips if ip.prefix <= ip.address.max_prefixlen]
    home = next((ip for ip in sound if one.address in ip.subnet), None)
    if kind := unusable(one.address):
        yield error(one, f"{one.address} is {kind}", "write an address of the network's subnet")
    elif home is None:
        subnets = ", ".join(str(ip.subnet) for ip in sound)
        yield error(
            one,
            f"{one.address} is outside every subnet of the network",
            f"its subnets are {subnets}" if subnets else "add an <ip> with its subnet",
        )
    elif one.address == home.address:
        yield error(
            one, f"{one.address} is the host's own address{at_line(home)}", "reserve another"
        )
    elif kind := reserved_in(home.subnet, one.address):
        yield error(one, f"{one.address} is {kind}", "reserve another")
