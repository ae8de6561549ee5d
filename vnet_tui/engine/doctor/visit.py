"""Looking at the host for the doctor, and asking him."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address
from pathlib import Path
from uuid import UUID

from vnet_tui.engine.catalog import Listing
from vnet_tui.engine.desired import DesiredNetwork, desired_network
from vnet_tui.engine.doctor.dhcp_servers import PATIENCE, ask
from vnet_tui.engine.doctor.doctor import doctor
from vnet_tui.engine.doctor.explain import Explanation, Query, explain
from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.doctor.host import Host
from vnet_tui.engine.doctor.reading import read_tables
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.drivers.foreign import read_foreign
from vnet_tui.engine.drivers.routing import Routing, read_routing
from vnet_tui.engine.drivers.sysctl import Sysctl
from vnet_tui.engine.errors import DriverError, StateError
from vnet_tui.engine.guests import find_guest
from vnet_tui.engine.leases import read_leases
from vnet_tui.engine.model import Address
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import LinkSnapshot

RESOLVERS = Path("/etc/resolv.conf")


async def look(paths: Paths, uuid: UUID, listing: Listing, links: LinkSnapshot) -> Subject:
    """A running network and what stands around it now.

    Raises StateError where it doesn't run.
    """
    networks = {
        one: desired_network(record, network, read_leases(paths, one), paths)
        for one, (record, network) in listing.running.items()
    }
    if uuid not in networks:
        name = listing.name(uuid)
        raise StateError(f"{name} isn't running", f"start it: vnet network-start {name}")
    return Subject(
        network=networks[uuid],
        networks=networks,
        host=Host(links),
        others=read_tables(await asyncio.to_thread(read_foreign)),
        setting=Sysctl(paths).read,
        resolvers=_resolvers(),
        routing=await asyncio.to_thread(_routing),
    )


async def examine(subject: Subject, patience: float = PATIENCE) -> tuple[Finding, ...]:
    """Everything that stands in the network's way.

    Where it serves DHCP its bridge is asked for other servers, for ``patience`` seconds; 0: not.
    """
    servers: frozenset[IPv4Address] = frozenset()
    serves = subject.network.network.serves_dhcp and subject.gateway(4) is not None
    if serves and patience > 0:
        try:
            servers = await asyncio.to_thread(ask, subject.bridge, patience)
        except OSError as error:
            message = f"asking for DHCP servers on {subject.bridge}: {error.strerror}"
            raise DriverError(message) from error
    # Pure, but with many ports and foreign rules it takes seconds.
    return await asyncio.to_thread(doctor, subject, servers)


def answer(query: Query, subject: Subject, paths: Paths) -> Explanation:
    """The answer to a question, guests known as of now."""
    ordered = sorted(
        subject.networks.values(), key=lambda one: one.record.uuid != subject.network.record.uuid
    )

    def find(name: str) -> frozenset[Address]:
        """The guest of that name; of the network that is asked about before others."""
        return next((found for one in ordered if (found := _found(one, name, paths))), frozenset())

    return explain(query, subject, find)


def _found(network: DesiredNetwork, name: str, paths: Paths) -> frozenset[Address]:
    return find_guest(network.network, read_leases(paths, network.record.uuid), name)


def _routing() -> Routing:
    try:
        return read_routing()
    except OSError as error:
        raise DriverError(f"listing routing rules: {error.strerror}") from error


def _resolvers() -> str | None:
    try:
        return RESOLVERS.read_text(errors="replace")
    except OSError:
        return None
