"""Check: kernel settings without which packets aren't forwarded."""

from __future__ import annotations

from collections.abc import Iterator

from vnet_tui.engine.desired import IP6_FORWARD, IP_FORWARD
from vnet_tui.engine.doctor.findings import Command, Finding
from vnet_tui.engine.doctor.host import SOMEWHERE
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.doctor.ways import WAY_OUT
from vnet_tui.engine.errors import Severity
from vnet_tui.engine.model import Mode

_STRICT = 1  # ip-sysctl.rst, rp_filter: the way back has to be by the interface it came from


def forwarding(subject: Subject) -> Iterator[Finding]:
    """Forwarding switched off, for the host or for an interface."""
    if subject.network.rules.mode is Mode.ISOLATED:
        return
    versions = {address.version for address in subject.network.addresses}
    if 6 in versions and subject.setting(IP6_FORWARD) == "0":
        yield _off(IP6_FORWARD, "this host doesn't forward IPv6")
    if 4 not in versions:
        return
    if subject.setting(IP_FORWARD) == "0":
        yield _off(IP_FORWARD, "this host doesn't forward IPv4")
        return
    for device in (subject.bridge, subject.host.device(SOMEWHERE[4])):
        key = f"net/ipv4/conf/{device}/forwarding"
        if device and subject.setting(key) == "0":
            yield _off(key, f"what comes in by {device} isn't forwarded")


def reverse_path(subject: Subject) -> Iterator[Finding]:
    """Strict source checks where the way back is another one."""
    host = subject.host
    for version in (4,):  # IPv6 has no such setting
        guest = subject.first_guest(version)
        if guest is None or subject.network.rules.mode is Mode.ISOLATED:
            continue
        leads = host.device(guest)
        if leads and leads != subject.bridge and _strict(subject, subject.bridge):
            yield Finding(
                severity=Severity.ERROR,
                blocks=(WAY_OUT,),
                message=f"guests are taken for impostors: the host answers {guest} by {leads}, "
                f"and {subject.bridge} checks sources strictly",
                where=_setting(_key(subject.bridge), "1"),
                commands=(_set(_key(subject.bridge), "2"),),
            )
    uplinks = sorted(
        {
            route.device
            for route in host.links.routes
            if route.destination.prefixlen == 0 and route.destination.version == 4 and route.device
        }
    )
    strict = [device for device in uplinks if _strict(subject, device)]
    if len(uplinks) > 1 and strict:
        yield Finding(
            severity=Severity.WARNING,
            blocks=("connections from outside",),
            message=f"there are several ways out ({', '.join(uplinks)}), and what comes in by "
            "another one than the answer takes is dropped by strict source checks",
            where="; ".join(_setting(_key(device), "1") for device in strict),
            commands=tuple(_set(_key(device), "2") for device in strict),
        )


def no_way_out(subject: Subject) -> Iterator[Finding]:
    """A host that has no default route itself."""
    if subject.network.rules.mode is Mode.ISOLATED:
        return
    for version in sorted({address.version for address in subject.network.addresses}):
        if subject.host.route(SOMEWHERE[version]) is None:
            yield Finding(
                severity=Severity.WARNING,
                blocks=(WAY_OUT,),
                message=f"this host has no default route for IPv{version}: guests reach no further "
                "than it does",
            )


def _strict(subject: Subject, device: str) -> bool:
    """The stricter of the interface's setting and that of all (ip-sysctl.rst)."""
    values = [subject.setting(key) for key in (_key("all"), _key(device))]
    return max((int(value) for value in values if value and value.isdigit()), default=0) == _STRICT


def _key(device: str) -> str:
    return f"net/ipv4/conf/{device}/rp_filter"


def _off(key: str, message: str) -> Finding:
    return Finding(
        severity=Severity.ERROR,
        blocks=(WAY_OUT, "forwards"),
        message=message,
        where=_setting(key, "0"),
        commands=(_set(key, "1"),),
    )


def _setting(key: str, value: str) -> str:
    return f"{key} = {value}"


def _set(key: str, value: str) -> Command:
    """With slashes sysctl(8) takes names of interfaces that have dots."""
    return ("sysctl", "-w", f"{key}={value}")
