"""The bridge, the shared interface, the switch and the tunnel."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vnet_tui.engine.check.names import interface_name_problem, mac_problem
from vnet_tui.engine.check.report import at_line, bounds, error, port_bounds, repeated
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Address, Bridge, Network, Switch
from vnet_tui.engine.paths import LONGEST_SOCKET_DIRECTORY

_MTU = 68, 65535
"""ETH_MIN_MTU (if_ether.h; RFC 791 asks for as much) and ETH_MAX_MTU of the kernel."""

_MTU_V6 = 1280
"""The least that IPv6 works with (RFC 8200, section 5)."""

_DELAY = 0, 30
_DELAY_WITH_STP = 2
"""Seconds: BR_MIN_FORWARD_DELAY and BR_MAX_FORWARD_DELAY (net/bridge/br_private.h)."""

_VNI = 1, 0xFFFFFF
"""24 bits (RFC 7348, section 5)."""

_GROUP = re.compile(r"[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10}")
_MODE = re.compile(r"0?[0-7]{3}")


def check_devices(network: Network) -> Iterator[Problem]:
    """Names and numbers that the kernel takes, and ends of tunnels that can meet."""
    if network.bridge:
        yield from _bridge(network.bridge, network)
    if shared := network.interface:
        if trouble := interface_name_problem(shared.name):
            yield error(shared, f"the interface's name {shared.name!r} {trouble[0]}", trouble[1])
        if network.bridge and network.bridge.name == shared.name:
            yield error(
                shared,
                f"the bridge and the shared interface are both named {shared.name}",
                "the interface exists already; give the bridge another name",
            )
    if network.switch:
        yield from _switch(network.switch)
    yield from _tunnel(network)


def _bridge(bridge: Bridge, network: Network) -> Iterator[Problem]:
    if bridge.name is not None and (trouble := interface_name_problem(bridge.name)):
        yield error(bridge, f"the bridge's name {bridge.name!r} {trouble[0]}", trouble[1])
    yield from bounds(bridge, "an MTU", bridge.mtu, *_MTU, " bytes")
    v6 = any(ip.address.version == 6 for ip in network.ips)
    if v6 and bridge.mtu is not None and _MTU[0] <= bridge.mtu < _MTU_V6:
        yield error(
            bridge,
            f"IPv6 doesn't work with an MTU of {bridge.mtu} bytes",
            f"make it {_MTU_V6} or more, or take the IPv6 addresses out",
        )
    least = _DELAY_WITH_STP if bridge.stp else _DELAY[0]
    yield from bounds(bridge, "a forward delay", bridge.delay, least, _DELAY[1], " seconds")
    if bridge.mac and (why := mac_problem(bridge.mac)):
        yield error(
            bridge,
            f"the bridge's MAC {bridge.mac} {why}",
            "begin it with 02, or leave it out and one is derived",
        )


def _switch(switch: Switch) -> Iterator[Problem]:
    if switch.type != "vde":
        yield error(switch, f"there is no switch of type {switch.type!r}", 'type="vde" is known')
    if switch.socket is not None:
        length = len(switch.socket.encode("utf-8", "surrogatepass"))
        if not switch.socket.startswith("/") or not switch.socket.isprintable():
            yield error(
                switch,
                f"the socket {switch.socket!r} is no absolute path",
                "write one like /run/vde/foo",
            )
        elif length > LONGEST_SOCKET_DIRECTORY:
            yield error(
                switch,
                f"the socket's path has {length} bytes",
                f"at most {LONGEST_SOCKET_DIRECTORY} fit",
            )
    if switch.group is not None and not _GROUP.fullmatch(switch.group):
        yield error(switch, f"{switch.group!r} is no name of a group", "see getent group")
    if switch.mode is not None and not _MODE.fullmatch(switch.mode):
        yield error(switch, f"{switch.mode!r} are no permissions", "write them in octal: 0660")


def _tunnel(network: Network) -> Iterator[Problem]:
    listen, connections = network.listen, network.connections
    if listen:
        yield from port_bounds(listen, "the port", listen.port)
        yield from bounds(listen, "a VNI", listen.vni, *_VNI)
        if _is_no_host(listen.address):
            yield error(
                listen,
                f"{listen.address} is no address of one host",
                "write the address of this host that the others reach",
            )
    if connections is None:
        return
    if connections.peers and listen is None:
        yield error(
            connections,
            "there are connections to other hosts, but no <listen> for this one",
            'add <listen address="…" port="…"/>',
        )
    for peer in connections.peers:
        yield from port_bounds(peer, "the port", peer.port)
        if _is_no_host(peer.address):
            yield error(peer, f"{peer.address} is no address of one host", "write the other host's")
        if listen and listen.address.version != peer.address.version:
            yield error(
                peer,
                f"{peer.address} can't be reached from {listen.address}{at_line(listen)}",
                "both ends of a tunnel are IPv4, or both IPv6",
            )
        if listen and listen.address == peer.address:
            yield error(
                peer,
                f"{peer.address} is this host's own end{at_line(listen)}",
                "write the other host's address",
            )
    for first, peer in repeated(connections.peers, lambda peer: (peer.address, peer.port)):
        yield error(
            peer,
            f"{peer.address} port {peer.port} is connected twice{at_line(first)}",
            "leave one of the two",
        )


def _is_no_host(address: Address) -> bool:
    return address.is_unspecified or address.is_multicast
