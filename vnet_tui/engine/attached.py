"""By which names guests are attached: those of the ports behind which their bridge heard them.

Whoever plugs a guest in names its port on the host, and no guest can change that: by an alias
(ip-link(8)), or by the interface's own name. systemd-nspawn calls the port of the machine web
``vb-web`` (systemd-nspawn(1) on ``--network-bridge``).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from vnet_tui.engine.census import Census
from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.followed import followed
from vnet_tui.engine.guests import plain_name
from vnet_tui.engine.lease_names import remember
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import Forward, NetworkRules, PolicyRule
from vnet_tui.engine.views import Lease

_NSPAWN = "vb-"


def attached_guests(network: Network) -> Mapping[str, str]:
    """The names with which guests of a running network are attached, by MAC, as the bridge in the
    namespace of the calling thread tells them; empty ones where its rules look for no such name.

    A port behind which there are several is the name of none. Who hasn't sent anything for the
    bridge's ageing time (five minutes) isn't there. Blocks for some 0.1 ms a port.
    """
    own = network.dns.domain if network.dns else None
    wanted = {plain_name(domain, own) for domain in followed(network)}
    bridge = network.bridge.name if network.bridge else None
    if not wanted or not bridge:
        return {}
    try:
        names = _port_names(bridge)
    except DriverError:
        return {}
    return {mac: name if plain_name(name, own) in wanted else "" for mac, name in names.items()}


def newly_named(
    network: DesiredNetwork, leases: tuple[Lease, ...], paths: Paths
) -> tuple[Lease, ...]:
    """The leases with the names of ports for which rules of a network waited until now; nothing
    where none of these is a guest's. Kept from then on."""
    attached = attached_guests(network.network) if leases and _waits(network.rules) else {}
    if not any(attached.get(lease.mac) for lease in leases):
        return ()
    try:
        return remember(paths, network.record.uuid, leases, time.time(), attached)
    except OSError:  # who watches tells of it
        return ()


_waiting: Census[PolicyRule | Forward, bool] = Census(
    lambda rule: rule.guests is not None and not rule.guests
)


def _waits(rules: NetworkRules) -> bool:
    """Whether any rule has no guest yet."""
    return any(
        _waiting(policy.rules, (rules.network, direction)).get(True)
        for direction, policy in (("incoming", rules.incoming), ("outgoing", rules.outgoing))
    )


def _port_names(bridge: str) -> Mapping[str, str]:
    """The name of each guest's port, by the guest's MAC."""
    from vnet_tui.engine.drivers.links.look import Look

    look = Look()
    try:
        heard = look.learned(bridge)
        alone = {port for port, guests in Counter(heard.values()).items() if guests == 1}
        links = {port: look.link(port) for port in alone}
    finally:
        look.close()
    return {
        mac: (link.alias if link is not None else "") or port.removeprefix(_NSPAWN)
        for mac, port in heard.items()
        if port in alone
        for link in (links[port],)
    }
