"""From a network to the files of its dnsmasq. Pure: the same network gives the same text.

One dnsmasq serves one network and is confined to its bridge. ``bind-dynamic`` lets it follow
addresses that come and go on the bridge, so that an edit or a repair of an address needs no
restart; ``bind-interfaces`` keeps listening on what it found when it started, and both cost the
same (docs/decisions/0004-dnsmasq.md). Facts about directives are dnsmasq(8)'s, version 2.90.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from vnet_tui.engine.dnsmasq_check import unsupported
from vnet_tui.engine.dnsmasq_text import (
    fits,
    option_value,
    quoted,
    strings,
)
from vnet_tui.engine.errors import Problem, UnsupportedError
from vnet_tui.engine.model import (
    DEFAULT_LEASE,
    INFINITE_LEASE,
    Dhcp,
    DhcpOption,
    Dns,
    Ip,
    Mode,
    Network,
    Range,
    Record,
    Reservation,
)
from vnet_tui.engine.paths import PID_FILE, Paths
from vnet_tui.engine.resources import DnsmasqSpec

RESERVATIONS_FILE = "reservations"
HOSTS_FILE = "hosts"
"""Names of files in a dnsmasq's directory, beside its configuration."""

SLAAC_PREFIX = 64
"""The only length of prefix that guests make addresses of their own in (RFC 4862, RFC 4291)."""

_MOST_LEASES = 65536
_ROUTER_OPTION = (3, "router")
_MTU_OPTION = (26, "mtu")


def dnsmasq_spec(network: Network, uuid: UUID, bridge: str, paths: Paths) -> DnsmasqSpec | None:
    """What the network's dnsmasq is told; None where neither DHCP nor DNS is served.

    Raises :class:`UnsupportedError` with every element that dnsmasq's files can't express.
    """
    if not network.serves_dns and not network.serves_dhcp:
        return None
    problems = unsupported(network, bridge)
    if problems:
        raise UnsupportedError(f"{network.name} can't be served by dnsmasq", problems)
    spec = DnsmasqSpec(
        network=uuid,
        bridge=bridge,
        config=_text(
            [
                *_common(uuid, bridge, paths),
                *(_dns(network, uuid, paths) if network.serves_dns else ["port=0"]),
                *(_dhcp(network, uuid, bridge, paths) if network.serves_dhcp else []),
            ]
        ),
        reservations=_text(_reservations(network) if network.serves_dhcp else []),
        hosts=_text(_hosts(network) if network.serves_dns else []),
    )
    for text in (spec.config, spec.reservations, spec.hosts):
        for line in text.splitlines():
            if not fits(line):
                raise UnsupportedError(
                    f"{network.name} can't be served by dnsmasq",
                    [Problem(message=f"longer than dnsmasq can read: {line[:60]}…")],
                )
    return spec


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _common(uuid: UUID, bridge: str, paths: Paths) -> Iterator[str]:
    yield f"# vnet: network {uuid}"
    yield f"interface={bridge}"
    yield "except-interface=lo"
    yield "bind-dynamic"
    yield f"pid-file={quoted(str(paths.dnsmasq / str(uuid) / PID_FILE))}"


def _dns(network: Network, uuid: UUID, paths: Paths) -> Iterator[str]:
    """Names of the network stay here; all others go to the forwarders, else to the host's own
    resolvers, but not those of an isolated network."""
    dns = network.dns or Dns()
    yield "no-hosts"
    yield f"addn-hosts={quoted(str(paths.dnsmasq / str(uuid) / HOSTS_FILE))}"
    yield "domain-needed"
    if dns.domain:
        yield f"domain={dns.domain}"
        yield f"local=/{dns.domain}/"
        yield "expand-hosts"
    for ip in network.ips:
        yield f"rev-server={ip.subnet}"
    if network.mode is Mode.ISOLATED or any(one.domain is None for one in dns.forwarders):
        yield "no-resolv"
    for one in dns.forwarders:
        domain = f"/{one.domain}/" if one.domain else ""
        port = f"#{one.port}" if one.port is not None else ""
        yield f"server={domain}{one.address}{port}"
    for record in dns.records:
        yield from _record(record, dns.domain)


def _record(record: Record, domain: str | None) -> Iterator[str]:
    """One record; a bare name of a network with a domain is known by its full name as well.

    To the bare name of a service dnsmasq adds the domain itself.
    """
    names = [record.name]
    if domain and _is_bare(record.name):
        names.append(f"{record.name}.{domain}")
    target = record.target or ""
    if domain and target and _is_bare(target):
        target = f"{target}.{domain}"
    if record.type == "cname":
        yield f"cname={','.join(names)},{target}"
        return
    if record.type == "srv":
        numbers = (record.port or 0, record.priority or 0, record.weight or 0)
        yield f"srv-host={record.name},{target},{','.join(map(str, numbers))}"
        return
    for name in names:
        if record.type == "txt":
            yield f"txt-record={name},{strings(record.value or '')}"
        else:
            yield f"mx-host={name},{target},{record.priority or 0}"


def _is_bare(name: str) -> bool:
    """Whether a name lacks a domain: nothing but one label after those like ``_sip``."""
    return sum(not label.startswith("_") for label in name.split(".")) <= 1


def _dhcp(network: Network, uuid: UUID, bridge: str, paths: Paths) -> Iterator[str]:
    dhcp = network.dhcp or Dhcp()
    families = {ip.address.version for ip in dhcp.ips}
    sizes = sum(ip.subnet.num_addresses for ip in dhcp.ips)
    yield "dhcp-authoritative"
    yield "no-ping"  # asking whether an address is in use takes three seconds a lease
    yield f"dhcp-leasefile={quoted(str(paths.lease_file(uuid)))}"
    yield f"dhcp-lease-max={min(sizes, _MOST_LEASES)}"
    yield f"dhcp-hostsfile={quoted(str(paths.dnsmasq / str(uuid) / RESERVATIONS_FILE))}"
    for ip in dhcp.ips:
        yield from _ranges4(ip, dhcp) if ip.address.version == 4 else _ranges6(ip, dhcp)
    isolated = network.mode is Mode.ISOLATED
    if 4 in families:
        if isolated and not _is_set(dhcp, _ROUTER_OPTION):
            yield "dhcp-option=option:router"
        if network.bridge and network.bridge.mtu and not _is_set(dhcp, _MTU_OPTION):
            yield f"dhcp-option=option:mtu,{network.bridge.mtu}"
    if 6 in families:
        yield "enable-ra"  # with the bridge's own MTU
        if isolated:
            yield f"ra-param={bridge},0,0"  # the usual interval; lifetime 0: no default router
    for option in dhcp.options:
        yield _option(option)


def _ranges4(ip: Ip, dhcp: Dhcp) -> Iterator[str]:
    netmask = ip.interface.netmask
    for one in ip.ranges:
        yield f"dhcp-range={one.start},{one.end},{netmask},{_time(dhcp, one)}"
    if not ip.ranges:
        # Only for reservations, which may come while it runs.
        yield f"dhcp-range={ip.subnet.network_address},static,{netmask},{_time(dhcp)}"


def _ranges6(ip: Ip, dhcp: Dhcp) -> Iterator[str]:
    """With a range, guests get addresses by DHCPv6. Without, they make their own and ask only for
    the rest; those with a reservation get its address beside it."""
    for one in ip.ranges:
        prefix = max(ip.prefix, SLAAC_PREFIX)
        yield f"dhcp-range={one.start},{one.end},{prefix},{_time(dhcp, one)}"
    if ip.ranges:
        return
    start, prefix = ip.subnet.network_address, ip.prefix
    if prefix > SLAAC_PREFIX:
        yield f"dhcp-range={start},static,{prefix},{_time(dhcp)}"
    elif any(one.address in ip.subnet for one in dhcp.reservations):
        yield f"dhcp-range={start},static,slaac,ra-names,{prefix},{_time(dhcp)}"
    else:
        yield f"dhcp-range={start},ra-stateless,ra-names,{prefix},{_time(dhcp)}"


def _time(dhcp: Dhcp, one: Range | None = None) -> str:
    for seconds in (one.lease_time if one else None, dhcp.lease_time, DEFAULT_LEASE):
        if seconds is not None:
            return "infinite" if seconds >= INFINITE_LEASE else f"{seconds}s"
    raise AssertionError("there is a default")


def _is_set(dhcp: Dhcp, known: tuple[int, str]) -> bool:
    """Whether the document sends this IPv4 option itself."""
    return any(
        option.family == 4 and (option.number == known[0] or option.name == known[1])
        for option in dhcp.options
    )


def _option(option: DhcpOption) -> str:
    prefix = "option6" if option.family == 6 else "option"
    if option.name is not None:
        which = f"{prefix}:{option.name}"
    else:
        which = f"{prefix}:{option.number}" if option.family == 6 else str(option.number)
    return f"dhcp-option={which}" + (f",{option_value(option.value)}" if option.value else "")


def _hosts(network: Network) -> Iterator[str]:
    for host in network.dns.hosts if network.dns else ():
        yield f"{host.address} {host.name}"


def _reservations(network: Network) -> Iterator[str]:
    """One line a guest: dnsmasq takes the first that fits a MAC or a name, so both families of a
    guest stand in one. Further IPv4 addresses (one a subnet) follow in lines of their own."""
    guests: dict[str, list[Reservation]] = {}
    for one in network.dhcp.reservations if network.dhcp else ():
        guests.setdefault((one.mac or one.name or "").lower(), []).append(one)
    for kept in guests.values():
        mac = next((one.mac.lower() for one in kept if one.mac), None)
        name = next((one.name for one in kept if one.name), None)
        fours = [str(one.address) for one in kept if one.address.version == 4]
        sixes = [f"[{one.address}]" for one in kept if one.address.version == 6]
        first = [*fours[:1], *sixes]
        for addresses in (first, *([four] for four in fours[1:])):
            yield ",".join(part for part in (mac, *addresses, name) if part)
