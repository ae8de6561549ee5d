"""A new network as a form makes it: a start that works, and one answer changed at a time. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from ipaddress import ip_interface
from itertools import count

from vnet_tui.engine import entries
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.model import (
    Address,
    Dhcp,
    Forwarding,
    Interface,
    Ip,
    Mode,
    Network,
    Range,
    Subnet,
)

PREFIX = {4: 24, 6: 64}
"""The length of a prefix that nobody typed: 253 guests, and what SLAAC needs (RFC 4862)."""

_EXAMPLE = {4: "10.0.0.1/24", 6: "fd00::1/64"}


def proposed(taken: Collection[str]) -> Network:
    """A network behind NAT with a name that isn't taken, still without addresses."""
    names = (f"net{number}" for number in count(1))
    name = next(name for name in names if name not in taken)
    return Network(name=name, forwarding=Forwarding(mode=Mode.NAT))


def read_interface(text: str, version: int) -> Interface:
    """The host's address with its prefix, like ``10.0.0.1/24``; of a subnet, like ``10.0.0.0/24``,
    its first address. Raises VnetError for anything else."""
    plain, slash, length = text.partition("/")
    address = entries.any_address(plain)
    if address.version != version:
        raise VnetError(
            f"{address} is no IPv{version} address", f"write it like {_EXAMPLE[version]}"
        )
    prefix = entries.prefix(length) if slash else PREFIX[version]
    if prefix > address.max_prefixlen:
        raise VnetError(f"an IPv{version} prefix of {prefix}", f"write it like {_EXAMPLE[version]}")
    found = ip_interface((str(address), prefix))
    if address == found.network.network_address and found.network.num_addresses > 2:
        found = first_of(found.network)
    entries.address(str(found.ip))
    return found


def served(host: Interface) -> Ip:
    """A subnet with the host in it: of IPv4 the upper half is handed out, the lower stays for
    reservations; of IPv6 nothing is, since guests make their own addresses there (RFC 4862)."""
    ip = Ip(address=host.ip, prefix=host.network.prefixlen)
    subnet = host.network
    if host.version == 6 or subnet.num_addresses < 4:
        return ip
    start = subnet.network_address + max(2, subnet.num_addresses // 2)
    end = subnet.broadcast_address - 1
    return replace(ip, ranges=(Range(start=start, end=end),))


def first_of(subnet: Subnet) -> Interface:
    """The host's address in a subnet, where nobody chose another: the first one."""
    offset = 1 if subnet.num_addresses > 2 else 0
    return ip_interface((str(subnet.network_address + offset), subnet.prefixlen))


def ip_of(network: Network, version: int) -> Ip | None:
    """The first address of that family."""
    return next((ip for ip in network.ips if ip.address.version == version), None)


def with_interface(network: Network, version: int, host: Interface | None) -> Network:
    """With another subnet of that family, or none. Ranges and reservations move along as far as
    they fit in the new one; a range that nobody chose becomes that of the new subnet."""
    dhcp = network.dhcp or Dhcp()
    before = ip_of(network, version)
    if host is None:
        ips = tuple(ip for ip in dhcp.ips if ip is not before)
        said = ips or dhcp.reservations or dhcp.options
        return replace(network, dhcp=replace(dhcp, ips=ips) if said else None)
    if before is None:
        after = served(host)
        return replace(network, dhcp=replace(dhcp, ips=_in_order((*dhcp.ips, after))))
    kept = replace(before, address=host.ip, prefix=host.network.prefixlen)
    if before.ranges == served(before.interface).ranges:
        after = replace(kept, ranges=served(host).ranges)
    else:
        after = replace(kept, ranges=_moved_ranges(before, host.network))
    reservations = tuple(
        replace(one, address=_moved(one.address, before.subnet, host.network) or one.address)
        if one.address in before.subnet
        else one
        for one in dhcp.reservations
    )
    ips = tuple(after if ip is before else ip for ip in dhcp.ips)
    return replace(network, dhcp=replace(dhcp, ips=ips, reservations=reservations))


def _in_order(ips: tuple[Ip, ...]) -> tuple[Ip, ...]:
    """IPv4 before IPv6, else as they were."""
    return tuple(sorted(ips, key=lambda ip: ip.address.version))


def _moved(address: Address, old: Subnet, new: Subnet) -> Address | None:
    """The same place in another subnet; None where that has no such place."""
    offset = int(address) - int(old.network_address)
    return new.network_address + offset if offset < new.num_addresses else None


def _moved_ranges(before: Ip, new: Subnet) -> tuple[Range, ...]:
    moved = []
    for one in before.ranges:
        start = _moved(one.start, before.subnet, new) if one.start in before.subnet else one.start
        end = _moved(one.end, before.subnet, new) if one.end in before.subnet else one.end
        if start is not None and end is not None:
            moved.append(replace(one, start=start, end=end))
    return tuple(moved)
