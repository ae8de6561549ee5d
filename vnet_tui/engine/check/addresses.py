"""The host's addresses, their subnets, and the ranges served in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from vnet_tui.engine.check.report import at_line, error, warning
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import INFINITE_LEASE, Address, Dhcp, Element, Ip, Network, Range, Subnet

LEAST_LEASE = 120
"""Seconds; dnsmasq takes no shorter lease time (dnsmasq(8), --dhcp-range)."""

_SLAAC_PREFIX = 64
"""The only length of prefix that guests make their own addresses in (RFC 4862, RFC 4291)."""


def check_addresses(network: Network) -> Iterator[Problem]:
    """Addresses that a host can have, subnets apart from each other, ranges inside them."""
    dhcp = network.dhcp
    if dhcp is None:
        return
    if dhcp.enabled and not dhcp.ips:
        yield warning(dhcp, "there is no address to serve", "add <ip …/>")
    yield from check_lease_time(dhcp, dhcp.lease_time)
    sound = []
    for ip in dhcp.ips:
        if 0 < ip.prefix <= ip.address.max_prefixlen:
            sound.append(ip)
        else:
            yield error(
                ip,
                f"an IPv{ip.address.version} subnet can't have a prefix of {ip.prefix}",
                f"from 1 to {ip.address.max_prefixlen} are possible",
            )
    for ip in sound:
        yield from _address(ip)
        yield from _ranges(ip, dhcp)
    for one, other in combinations(sound, 2):
        if one.subnet.overlaps(other.subnet):
            yield error(
                other,
                f"the subnet {other.subnet} overlaps {one.subnet}{at_line(one)}",
                "give each address a subnet of its own",
            )
    yield from _overlaps([one for ip in sound for one in ip.ranges])


def reserved_in(subnet: Subnet, address: Address) -> str | None:
    """What an address is in its subnet, when no host can have it."""
    if subnet.version == 4 and subnet.prefixlen <= 30:
        if address == subnet.network_address:
            return "the address of the network itself"
        if address == subnet.broadcast_address:
            return "the broadcast address"
    if subnet.version == 6 and subnet.prefixlen <= 126 and address == subnet.network_address:
        return "the address that stands for any router (RFC 4291, section 2.6.1)"
    return None


def unusable(address: Address) -> str | None:
    """What an address is, when it is none that a host can have on a network."""
    kinds = (
        ("the unspecified address", address.is_unspecified),
        ("a multicast address", address.is_multicast),
        ("a loopback address", address.is_loopback),
        ("a link-local address", address.version == 6 and address.is_link_local),
        ("a reserved address", address.version == 4 and address.is_reserved),
        (
            "an address of 0.0.0.0/8",
            address.version == 4 and int(address) < 1 << 24,
        ),
    )
    return next((kind for kind, applies in kinds if applies), None)


def check_lease_time(where: Element, seconds: int | None) -> Iterator[Problem]:
    """A lease time that dnsmasq takes."""
    if seconds is None:
        return
    if seconds < LEAST_LEASE:
        yield error(
            where,
            f"a lease time of {seconds} seconds is too short",
            f"at least {LEAST_LEASE} (2m) are possible",
        )
    elif seconds > INFINITE_LEASE:
        yield error(where, f"a lease time of {seconds} seconds is too long", "write infinite")


def _address(ip: Ip) -> Iterator[Problem]:
    kind = unusable(ip.address) or reserved_in(ip.subnet, ip.address)
    if kind:
        example = f", like {_first_host(ip.subnet)}" if not unusable(ip.address) else ""
        yield error(
            ip, f"{ip.address} is {kind}", f"write an address of the host in the subnet{example}"
        )
    elif ip.address.version == 4 and ip.address.is_link_local:
        yield warning(
            ip,
            f"{ip.address} is a link-local address, which hosts give themselves (RFC 3927)",
            "take a private subnet, like 10.0.0.0/24",
        )


def _first_host(subnet: Subnet) -> Address:
    return subnet.network_address + (1 if subnet.num_addresses > 2 else 0)


def _ranges(ip: Ip, dhcp: Dhcp) -> Iterator[Problem]:
    if ip.address.version == 6 and dhcp.enabled and ip.prefix > _SLAAC_PREFIX:
        yield warning(
            ip,
            f"guests can't make addresses of their own in a /{ip.prefix}, only get them by DHCPv6",
            f'write prefix="{_SLAAC_PREFIX}" for guests that do either',
        )
    for one in ip.ranges:
        yield from check_lease_time(one, one.lease_time)
        yield from _range(one, ip, dhcp)


def _range(one: Range, ip: Ip, dhcp: Dhcp) -> Iterator[Problem]:
    what = f"the range {one.start} to {one.end}"
    outside = [
        address
        for address in dict.fromkeys((one.start, one.end))
        if address.version != ip.address.version or address not in ip.subnet
    ]
    if outside:
        first, last = _hosts_of(ip.subnet)
        yield error(
            one,
            f"{what} is outside its subnet {ip.subnet}: {' and '.join(map(str, outside))}",
            f"the addresses of the subnet are {first} to {last}",
        )
        return
    if int(one.start) > int(one.end):
        yield error(one, f"{what} ends before it starts", "exchange start and end")
        return
    for other in dhcp.ips:
        if _inside(one, other.address):
            yield error(
                one,
                f"{what} holds the host's own address {other.address}{at_line(other)}",
                "begin the range after it, or end it before",
            )
    for edge in dict.fromkeys((one.start, one.end)):
        if kind := reserved_in(ip.subnet, edge):
            first, last = _hosts_of(ip.subnet)
            yield error(one, f"{what} holds {edge}, {kind}", f"guests can have {first} to {last}")
    slaac = {int(address) >> 64 for address in (one.start, one.end, ip.address)}
    if ip.address.version == 6 and ip.prefix < _SLAAC_PREFIX and len(slaac) > 1:
        yield error(
            one,
            f"{what} isn't in the same /64 as {ip.address}",
            "DHCPv6 is served in one /64 of a larger subnet",
        )


def _hosts_of(subnet: Subnet) -> tuple[Address, Address]:
    first, last = subnet.network_address, subnet.broadcast_address
    if reserved_in(subnet, first):
        first += 1
    if reserved_in(subnet, last):
        last -= 1
    return first, last


def _inside(one: Range, address: Address) -> bool:
    return address.version == one.start.version == one.end.version and (
        int(one.start) <= int(address) <= int(one.end)
    )


def _overlaps(ranges: list[Range]) -> Iterator[Problem]:
    upright = [
        one
        for one in ranges
        if one.start.version == one.end.version and int(one.start) <= int(one.end)
    ]
    upright.sort(key=lambda one: (one.start.version, int(one.start), one.line))
    widest: Range | None = None
    for one in upright:
        if widest and _inside(widest, one.start):
            first, later = sorted((widest, one), key=lambda each: each.line)
            yield error(
                later,
                f"the range {later.start} to {later.end} overlaps {first.start} to {first.end}"
                f"{at_line(first)}",
                "end one before the other begins",
            )
        if widest is None or (one.end.version, int(one.end)) > (
            widest.end.version,
            int(widest.end),
        ):
            widest = one
