"""Why a guest that is plugged in has no address from the network's DHCP. Pure."""

from __future__ import annotations

from collections.abc import Collection

from vnet_tui.engine.model import Address, Network, Range


def why_no_address(network: Network, mac: str, leased: Collection[Address]) -> str:
    """In a few words; ``mac`` is empty while the bridge knows of nobody behind the port, and
    ``leased`` are the addresses of all leases."""
    dhcp = network.dhcp
    if not mac:
        return "nothing was heard from it in the last minutes"
    if dhcp is None or not dhcp.ips:
        return "the network has no addresses"
    if not dhcp.enabled:
        return "DHCP is off: it needs an address that it gives itself"
    ranges = [one for ip in dhcp.ips for one in ip.ranges]
    if not ranges:
        return "DHCP has no range to give one from, and none is reserved for it"
    taken = {*leased, *(one.address for one in dhcp.reservations)}
    if all(_size(one) <= sum(_within(address, one) for address in taken) for one in ranges):
        return f"all {sum(map(_size, ranges))} addresses of DHCP's ranges are leased or reserved"
    return "it didn't ask DHCP for one, or gave itself one"


def _size(one: Range) -> int:
    return int(one.end) - int(one.start) + 1


def _within(address: Address, one: Range) -> bool:
    return address.version == one.start.version and int(one.start) <= int(address) <= int(one.end)
