"""The DNS service: names, records, forwarders."""

from __future__ import annotations

from collections.abc import Iterator

from vnet_tui.engine.check.names import NAME_RULE, is_host_name, is_record_name, one_line
from vnet_tui.engine.check.report import at_line, bounds, error, port_bounds, repeated, warning
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Dns, Network, Record

_NEEDED = {
    "cname": ("target",),
    "txt": ("value",),
    "mx": ("target",),
    "srv": ("target", "port"),
}
_POSSIBLE = {
    "cname": ("target",),
    "txt": ("value",),
    "mx": ("target", "priority"),
    "srv": ("target", "port", "priority", "weight"),
}
_FIELDS = ("target", "value", "port", "priority", "weight")

_TEXT = 255
"""Bytes of one string of a TXT record (RFC 1035, section 3.3.14)."""


def check_dns(network: Network) -> Iterator[Problem]:
    """Names that DNS can have, records with what belongs to their type."""
    dns = network.dns
    if dns is None:
        return
    if dns.domain is not None and not is_host_name(dns.domain):
        yield error(dns, f"{dns.domain!r} is no domain", NAME_RULE)
    if dns.enabled and not network.ips:
        yield warning(
            dns,
            "DNS can't be served: the network has no address of the host",
            "add <dhcp><ip …/></dhcp>",
        )
    for forwarder in dns.forwarders:
        yield from port_bounds(forwarder, "the port", forwarder.port)
        if forwarder.domain is not None and not is_host_name(forwarder.domain):
            yield error(forwarder, f"{forwarder.domain!r} is no domain", NAME_RULE)
        if forwarder.address.is_unspecified or forwarder.address.is_multicast:
            yield error(forwarder, f"{forwarder.address} is no server", "write its address")
    yield from _hosts(dns)
    for record in dns.records:
        yield from _record(record)
    cnames = [record for record in dns.records if record.type == "cname"]
    for first, record in repeated(cnames, lambda record: record.name.lower()):
        yield error(
            record,
            f"{record.name} is an alias already{at_line(first)}",
            "an alias stands for one name; leave one of the two",
        )
    yield from _loops(cnames)


def _hosts(dns: Dns) -> Iterator[Problem]:
    for host in dns.hosts:
        if not is_host_name(host.name):
            yield error(host, f"{host.name!r} is no host name", NAME_RULE)
        if host.address.is_unspecified or host.address.is_multicast:
            yield error(host, f"{host.address} is no address of a host", "write the host's")
    for first, host in repeated(dns.hosts, lambda host: (host.name.lower(), host.address)):
        yield warning(
            host,
            f"{host.name} has the address {host.address} already{at_line(first)}",
            "leave one of the two",
        )


def _record(record: Record) -> Iterator[Problem]:
    if record.type not in _NEEDED:
        yield error(
            record,
            f"there are no records of type {record.type!r} here",
            "known are " + ", ".join(_NEEDED),
        )
        return
    kind = f"a {record.type} record"
    names = is_record_name if record.type in ("srv", "txt") else is_host_name
    if not names(record.name):
        yield error(record, f"{record.name!r} is no name for {kind}", NAME_RULE)
    elif record.type == "srv" and not record.name.startswith("_"):
        yield error(
            record,
            f"{record.name!r} names no service",
            "write it like _sip._udp.example.org (RFC 2782)",
        )
    given = [name for name in _FIELDS if getattr(record, name) is not None]
    for name in _NEEDED[record.type]:
        if name not in given:
            yield error(record, f"{kind} needs {name}", f'add {name}="…"')
    for name in given:
        if name not in _POSSIBLE[record.type]:
            possible = ", ".join(_POSSIBLE[record.type])
            yield error(record, f"{kind} has no {name}", f"it has {possible}; delete {name}")
    if record.target is not None and not is_host_name(record.target):
        yield error(record, f"the target {record.target!r} is no host name", NAME_RULE)
    if record.value is not None:
        length = len(record.value.encode("utf-8", "surrogatepass"))
        if not one_line(record.value):
            yield error(record, "the value has control characters", "one line of text")
        elif length > _TEXT:
            yield error(record, f"the value has {length} bytes", f"at most {_TEXT} are possible")
    yield from port_bounds(record, "the port", record.port)
    yield from bounds(record, "a priority", record.priority, 0, 65535)
    yield from bounds(record, "a weight", record.weight, 0, 65535)


def _loops(cnames: list[Record]) -> Iterator[Problem]:
    """dnsmasq doesn't start with aliases that lead back to themselves."""
    aliases = {record.name.lower(): (record.target or "").lower() for record in cnames}
    for record in cnames:
        passed: set[str] = set()
        name = record.name.lower()
        while name in aliases and name not in passed:
            passed.add(name)
            name = aliases[name]
        if name == record.name.lower() and passed:
            yield error(
                record,
                f"the alias {record.name} leads back to itself",
                "an alias stands for a name that is none",
            )
