"""What of a network dnsmasq's files can't say: told before anything is written. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from vnet_tui.engine import dnsmasq_text as text
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Dhcp, DhcpOption, Dns, Element, Ip, Network, Record, Reservation

_SLAAC_PREFIX = 64
_SIXTEEN_BITS = 0xFFFF
_LAST_OPTION = {4: 254, 6: _SIXTEEN_BITS}
_NAME_REMEDY = (
    "use letters, digits, - and _ in labels of at most 63; names in other scripts as xn--"
)


def unsupported(network: Network, bridge: str | None = None) -> tuple[Problem, ...]:
    """Everything about DHCP and DNS that can't be served, each with its line."""
    found: list[Problem] = []
    if bridge is not None and not text.is_interface(bridge):
        found.append(
            _problem(
                network.bridge or network,
                f"dnsmasq can't be told of a bridge named {bridge!r}",
                "use letters, digits, - _ . @ + =, at most 15",
            )
        )
    if network.serves_dns and network.dns is not None:
        found.extend(_dns(network.dns))
    if network.serves_dhcp and network.dhcp is not None:
        domain = network.dns.domain if network.serves_dns and network.dns else None
        found.extend(_dhcp(network.dhcp, domain))
    return tuple(found)


def _problem(element: Element, message: str, remedy: str = "") -> Problem:
    return Problem(message=message, remedy=remedy, line=element.line)


def _name(element: Element, what: str, name: str | None) -> Iterator[Problem]:
    if name is None or not text.is_name(name):
        yield _problem(element, f"{what} {name!r} is no name for DNS", _NAME_REMEDY)


def _dns(dns: Dns) -> Iterator[Problem]:
    if dns.domain is not None:
        yield from _name(dns, "the domain", dns.domain)
    for forwarder in dns.forwarders:
        if forwarder.domain is not None:
            yield from _name(forwarder, "the forwarder's domain", forwarder.domain)
        if text.address_text(forwarder.address) is None:
            yield _problem(forwarder, f"the forwarder {str(forwarder.address)!r} has a zone")
    for host in dns.hosts:
        yield from _name(host, "the host", host.name)
        if text.address_text(host.address) is None:
            yield _problem(host, f"the address {str(host.address)!r} has a zone")
    for record in dns.records:
        yield from _record(record)


def _record(record: Record) -> Iterator[Problem]:
    if not text.is_record_name(record.name):
        yield _problem(record, f"the record {record.name!r} is no name for DNS", _NAME_REMEDY)
    if record.type not in ("cname", "txt", "srv", "mx"):
        yield _problem(record, f"a record of type {record.type!r} isn't known")
    elif record.type == "txt":
        if not text.is_text(record.value or ""):
            yield _problem(record, f"the text of {record.name!r} has control characters")
        elif not text.fits(
            # the network's domain may be added to the name
            f"txt-record={record.name},{text.strings(record.value or '')}" + "." * text.LONGEST_NAME
        ):
            yield _problem(record, f"the text of {record.name!r} is too long", "at most 700 bytes")
    else:
        yield from _name(record, f"the target of {record.name!r},", record.target)
    for number in (record.port, record.priority, record.weight):
        if number is not None and not 0 <= number <= _SIXTEEN_BITS:
            yield _problem(record, f"{number} in the record {record.name!r} is more than 65535")


def _dhcp(dhcp: Dhcp, domain: str | None) -> Iterator[Problem]:
    for ip in dhcp.ips:
        if ip.address.version == 6:
            yield from _prefix(ip)
    for reservation in dhcp.reservations:
        yield from _reservation(reservation, domain)
    for option in dhcp.options:
        yield from _option(option)


def _prefix(ip: Ip) -> Iterator[Problem]:
    """dnsmasq serves no IPv6 subnet beyond /64, but ranges in the /64 that the host is in."""
    if text.address_text(ip.address) is None:
        yield _problem(ip, f"the address {str(ip.address)!r} has a zone")
    if ip.prefix >= _SLAAC_PREFIX:
        return
    host = int(ip.address) >> _SLAAC_PREFIX
    for one in ip.ranges:
        if {int(one.start) >> _SLAAC_PREFIX, int(one.end) >> _SLAAC_PREFIX} != {host}:
            yield _problem(
                one,
                f"the range {one.start} to {one.end} isn't in the same /64 as {ip.address}",
                "dnsmasq serves at most a /64",
            )
    if not ip.ranges:
        yield _problem(
            ip,
            f"guests can't make addresses of their own in {ip.subnet}",
            'write prefix="64", or give a range in the same /64 as the address',
        )


def _reservation(one: Reservation, domain: str | None) -> Iterator[Problem]:
    if one.mac is None and one.name is None:
        yield _problem(one, f"the reservation of {one.address} names no guest", "give mac or name")
    if one.mac is not None and not text.is_mac(one.mac):
        yield _problem(one, f"{one.mac!r} is no MAC")
    if text.address_text(one.address) is None:
        yield _problem(one, f"the address {str(one.address)!r} has a zone")
    if one.name is None:
        return
    yield from _name(one, "the reservation's name", one.name)
    if text.reads_as_something_else(one.name):
        yield _problem(
            one,
            f"dnsmasq takes the name {one.name!r} for a lease time or a keyword",
            "choose another name",
        )
    _, dot, beyond = one.name.partition(".")
    if dot and beyond.lower() != (domain or "").lower():
        yield _problem(
            one,
            f"the reservation's name {one.name!r} is in another domain than the network",
            "write the name without a domain",
        )


def _option(option: DhcpOption) -> Iterator[Problem]:
    if option.family not in _LAST_OPTION:
        yield _problem(option, f"there is no DHCP of family {option.family}", "say 4 or 6")
    elif option.name is not None:
        if not text.is_option_name(option.name):
            yield _problem(
                option,
                f"{option.name!r} is no name of a DHCP option",
                "dnsmasq --help dhcp and --help dhcp6 list them",
            )
    elif option.number is None or not 1 <= option.number <= _LAST_OPTION[option.family]:
        yield _problem(
            option,
            f"there is no DHCP option {option.number}",
            f"1 to {_LAST_OPTION[option.family]}",
        )
    if not text.is_text(option.value):
        yield _problem(option, "a DHCP option's value has control characters")
    elif not text.fits(f"dhcp-option=option6:{option.name},{text.option_value(option.value)}"):
        yield _problem(option, "a DHCP option's value is too long", "at most 900 bytes")
