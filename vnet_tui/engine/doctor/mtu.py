"""Check: interfaces on a packet's way that take shorter packets than others."""

from __future__ import annotations

from collections.abc import Iterator

from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.doctor.host import SOMEWHERE
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.doctor.ways import WAY_OUT
from vnet_tui.engine.errors import Severity
from vnet_tui.engine.model import Mode
from vnet_tui.engine.switch_plan import SWITCH_MTU


def packet_sizes(subject: Subject) -> Iterator[Finding]:
    """Ports and uplinks whose MTU isn't the bridge's. A bridge drops what is too long for a port
    without a word; a router says so, but not everybody listens."""
    links = subject.host.links.links
    bridge = links.get(subject.bridge)
    if bridge is None or not bridge.mtu:
        return
    switch = subject.network.switch
    for port in sorted(links.values(), key=lambda link: link.name):
        if switch is not None and port.name == switch.tap and port.mtu == SWITCH_MTU < bridge.mtu:
            yield Finding(
                severity=Severity.WARNING,
                blocks=("large packets",),
                message=f"a vde_switch takes {SWITCH_MTU} bytes, the bridge {bridge.mtu}: longer "
                f'packets to guests on it are lost; give the network <bridge mtu="{SWITCH_MTU}"/>',
                where=f"mtu of {port.name}",
            )
        elif port.master == bridge.name and port.mtu and port.mtu != bridge.mtu:
            shorter = port.mtu < bridge.mtu
            whose = f"{port.name} takes {port.mtu} bytes, the bridge {bridge.mtu}"
            lost = (
                "longer packets to that guest are lost"
                if shorter
                else "longer packets from that guest are lost"
            )
            yield Finding(
                severity=Severity.ERROR if shorter else Severity.WARNING,
                blocks=("large packets",),
                message=f"{whose}: {lost}",
                where=f"mtu of {port.name}",
                commands=(("ip", "link", "set", "dev", port.name, "mtu", str(bridge.mtu)),),
            )
    if subject.network.rules.mode is Mode.ISOLATED:
        return
    for device in sorted({subject.host.device(SOMEWHERE[version]) for version in (4, 6)}):
        uplink = links.get(device)
        if uplink is not None and uplink.mtu and uplink.mtu < bridge.mtu:
            yield Finding(
                severity=Severity.WARNING,
                blocks=(WAY_OUT,),
                message=f"{device} takes {uplink.mtu} bytes, the bridge {bridge.mtu}: connections "
                "hang where messages about sizes are filtered; to spare guests that, give the "
                f'network <bridge mtu="{uplink.mtu}"/>',
                where=f"mtu of {device}",
            )
