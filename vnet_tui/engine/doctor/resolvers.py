"""Check: whom the network's DNS server asks."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.doctor.ways import DNS
from vnet_tui.engine.errors import Severity
from vnet_tui.engine.model import Address, Mode

_REMEDY = "or give the network a <forwarder> of its own in <dns>"


def upstream(subject: Subject) -> Iterator[Finding]:
    """No upstream server, or one that the host has no route to.

    Isolated networks have none and need none.
    """
    network = subject.network.network
    if not network.serves_dns or network.mode is Mode.ISOLATED:
        return
    forwarders = network.dns.forwarders if network.dns else ()
    general = [one.address for one in forwarders if one.domain is None]
    if not general:
        general = list(nameservers(subject.resolvers or ""))
        if not general:
            missing = "is missing" if subject.resolvers is None else "names no server"
            yield _finding(
                f"there is nobody to ask: /etc/resolv.conf {missing}; add one, {_REMEDY}"
            )
            return
    gateways = {address.ip for one in subject.networks.values() for address in one.addresses}
    for address in general:
        if address in gateways:
            yield _finding(
                f"{address} is asked, which is this host's own address on a network: the question "
                f"would go in circles; name another server in /etc/resolv.conf, {_REMEDY}"
            )
    others = [one for one in general if one not in gateways]
    lost = [one for one in others if not _reachable(subject, one)]
    if others and len(lost) == len(others):
        named = ", ".join(map(str, lost))
        yield _finding(f"the host has no route to {named}, which its DNS server asks")


def nameservers(text: str) -> Iterator[Address]:
    """The servers of a resolv.conf(5)."""
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                yield ip_address(words[1])
            except ValueError:
                continue


def _reachable(subject: Subject, address: Address) -> bool:
    host = subject.host
    return address.is_loopback or host.is_local(address) or host.route(address) is not None


def _finding(message: str) -> Finding:
    return Finding(
        severity=Severity.WARNING, blocks=(f"{DNS} of names beyond the network",), message=message
    )
