"""What in a network deserves a look on this host as it is now. Blocks: a few milliseconds.

Whatever is told here may be otherwise in a minute, so it is no error and is in no way of a start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from vnet_tui.engine.attached import attached_guests
from vnet_tui.engine.check.forwards import forwards
from vnet_tui.engine.check.known import unknown_guests
from vnet_tui.engine.check.listeners import host_ports_warning, taken_from_host
from vnet_tui.engine.check.report import warning
from vnet_tui.engine.errors import Problem, StoreError
from vnet_tui.engine.guests import guest_names, plain_name
from vnet_tui.engine.leases import read_leases
from vnet_tui.engine.model import Mode, Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.policy import has_forwards
from vnet_tui.engine.views import Lease


def doubts(
    network: Network, running: Collection[Network], paths: Paths, *, starts: bool = False
) -> tuple[Problem, ...]:
    """Rules that wait for guests whom nobody knows, forwards at addresses that the host hasn't, and
    of ports of the host's own.

    ``starts``: guests are yet to come, so that only names are told that look like slips.
    """
    try:
        leases = read_leases(paths, network.uuid) if network.uuid else ()
    except StoreError:
        leases = ()  # a definition doesn't need them, and a start will say so
    known = guest_names(network, leases) | _attached(network, leases)
    waiting = unknown_guests(network, known, only_slips=starts)
    return (*waiting, *_elsewhere(network), *host_ports([network], running)[0])


def _attached(network: Network, leases: Collection[Lease]) -> frozenset[str]:
    """The names of ports behind which guests are that have a lease."""
    names = attached_guests(network) if leases else {}
    own = network.dns.domain if network.dns else None
    found = (names.get(lease.mac, "") for lease in leases)
    return frozenset(plain_name(name, own) for name in found if name)


def _elsewhere(network: Network) -> Iterator[Problem]:
    """Forwards at addresses that this host hasn't."""
    policy = network.incoming
    named = [
        policy.located(at)
        for at in forwards(policy)
        if network.mode is not Mode.ISOLATED and policy.rules[at].destination is not None
    ]
    if not named:
        return
    from vnet_tui.engine.drivers.links.look import Look

    look = Look()
    try:
        links = look.snapshot().links.values()
    finally:
        look.close()
    own = {interface.ip for link in links for interface in link.addresses}
    own |= {ip.address for ip in network.ips}
    for destination in dict.fromkeys(rule.destination for rule in named):
        if destination is None or any(address in destination for address in own):
            continue
        for rule in named:
            if rule.destination == destination:
                yield warning(
                    rule,
                    f"this host has no address in {destination} now: nobody is led to "
                    f"{rule.domain} there",
                    "name in destination an address of this host, or leave it out for all of them",
                )


def host_ports(
    networks: Sequence[Network], running: Collection[Network]
) -> tuple[tuple[Problem, ...], ...]:
    """Forwards of ports that the host itself listens on, of each of some networks.

    A port of the range that clients get is a server's only for TCP: programs that ask others by
    UDP wait there for answers, each for a moment.
    """
    if not any(has_forwards(network) for network in networks):
        return ((),) * len(networks)
    from vnet_tui.engine.drivers.sockets import client_ports, held_ports, holders, program

    fleeting = client_ports()
    listening = [
        held
        for held in chain(held_ports("tcp"), held_ports("udp"))
        if held.waits and (held.protocol == "tcp" or held.port not in fleeting)
    ]
    taken = [list(taken_from_host(network, listening, running)) for network in networks]
    pids = holders({held.inode for one in taken for _, sockets in one for held in sockets})
    programs = {inode: program(min(of)) if of else "" for inode, of in pids.items()}
    return tuple(
        tuple(
            host_ports_warning(rule, [(held, programs[held.inode]) for held in sockets])
            for rule, sockets in one
        )
        for one in taken
    )
