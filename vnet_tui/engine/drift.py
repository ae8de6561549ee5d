"""Where a host isn't as its networks need it: told from the steps that would mend it. Pure.

What is ours, and so is put back, is what a plan for a running network would make: its bridge with
its name, MAC, MTU, spanning tree and mark, that it is up, its addresses, the settings of its
interface, its dnsmasq with what that was told; and, for all networks together, our firewall
rules and host-wide forwarding. Whatever else is on the host is none of this: further addresses on
a bridge, ports, routes, rules in tables of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never
from uuid import UUID

from vnet_tui.engine import steps
from vnet_tui.engine.desired import Desired
from vnet_tui.engine.resources import BridgeSettings
from vnet_tui.engine.steps import Plan, Stage, Step

Subject = UUID | None
"""What drifted: one network, or (None) what all of them share."""

Drift = Mapping[Subject, tuple[Step, ...]]
"""The steps that it would take to mend each subject that isn't right."""

_MOST = 3
"""How many things are told at once."""


def drift(plan: Plan, running: Desired) -> Drift:
    """Whose each step of a plan is that brings the host back to what runs."""
    of = _Subjects(running)
    found: dict[Subject, list[Step]] = {}
    for step in plan.steps:
        found.setdefault(of.step(step), []).append(step)
    return {subject: tuple(needed) for subject, needed in found.items()}


def only(plan: Plan, subjects: Iterable[Subject], running: Desired) -> Plan:
    """The steps of a plan that mend these subjects, in its order."""
    chosen, of = frozenset(subjects), _Subjects(running)
    stages = (
        Stage(steps=tuple(one for one in stage.steps if of.step(one) in chosen), width=stage.width)
        for stage in plan.stages
    )
    return Plan(stages=tuple(stage for stage in stages if stage.steps))


class _Subjects:
    """Tells whose a step is."""

    def __init__(self, running: Desired) -> None:
        self._by_bridge = {one.bridge.name: uuid for uuid, one in running.networks.items()}
        self._by_mark = {one.bridge.mark: uuid for uuid, one in running.networks.items()}

    def step(self, step: Step) -> Subject:
        """The network that a step is for, or None where it is for all of them."""
        match step:
            case steps.CreateBridge(spec=spec) | steps.MarkBridge(spec=spec):
                return self._by_bridge.get(spec.name)
            case steps.DeleteBridge(spec=spec):
                # It bears the mark of a network whose bridge has another name, or it had no mark.
                return self._by_mark.get(spec.mark, self._by_bridge.get(spec.name))
            case (
                steps.RaiseBridge(bridge=bridge)
                | steps.AttachPorts(bridge=bridge)
                | steps.ChangeBridge(bridge=bridge)
                | steps.AddAddress(bridge=bridge)
                | steps.RemoveAddress(bridge=bridge)
                | steps.PlugSwitch(bridge=bridge)
            ):
                return self._by_bridge.get(bridge)
            case steps.SetSysctl(key=key) | steps.RestoreSysctl(key=key):
                # net/ipv4/conf/BRIDGE/name; what is under all/ and default/ is nobody's bridge.
                parts = key.split("/")
                return self._by_bridge.get(parts[3]) if len(parts) > 4 else None
            case (
                steps.StartDnsmasq(spec=service)
                | steps.StopDnsmasq(spec=service)
                | steps.ChangeDnsmasq(after=service)
            ):
                return service.network
            case steps.StartSwitch(spec=switch) | steps.StopSwitch(spec=switch):
                return switch.network
            case steps.SaveRecord(before=before, after=after):
                record = after or before
                return record.uuid if record else None
            case steps.SetFirewall():
                return None
            case _:
                assert_never(step)


def symptoms(needed: Iterable[Step]) -> str:
    """What isn't as it should be, in a few words, told from the steps that would mend it."""
    needed = tuple(needed)
    made = {step.spec.name for step in needed if isinstance(step, steps.CreateBridge)}
    made |= {step.spec.tap for step in needed if isinstance(step, steps.StartSwitch)}
    made |= {step.spec.socket for step in needed if isinstance(step, steps.StopSwitch)}
    told = dict.fromkeys(words for step in needed if (words := _symptom(step, made)))
    return enumerated(told)


def enumerated(told: Iterable[str]) -> str:
    """A few things in a line, and how many more there are."""
    told = list(told)
    more = f"; and {len(told) - _MOST} more" if len(told) > _MOST else ""
    return "; ".join(told[:_MOST]) + more


def _symptom(step: Step, made: set[str]) -> str:
    """What a step mends; nothing where that goes with what is ``made`` anew: a bridge or a tap by
    its name, a switch that is stopped before by its sockets."""
    match step:
        case steps.CreateBridge(spec=spec):
            return f"bridge {spec.name} is gone"
        case steps.MarkBridge(spec=spec):
            return "" if spec.name in made else f"bridge {spec.name} has lost its mark"
        case steps.RaiseBridge(bridge=bridge):
            return f"bridge {bridge} is down"
        case steps.ChangeBridge(bridge=bridge, before=found, after=wanted):
            return f"bridge {bridge} has {_settings(found, wanted)}"
        case steps.AddAddress(bridge=bridge, address=address):
            return "" if bridge in made else f"address {address} is gone from {bridge}"
        case steps.RemoveAddress(bridge=bridge, address=address):
            return f"address {address} is still on {bridge}"
        case steps.SetSysctl(key=key, before=found, after=wanted):
            dotted = key.replace("/", ".")
            return f"{dotted} is {found} instead of {wanted}" if found else ""
        case steps.RestoreSysctl(key=key):
            return f"{key.replace('/', '.')} isn't needed any more"
        case steps.StartDnsmasq(spec=service):
            return f"dnsmasq on {service.bridge} doesn't run" if service.bridge not in made else ""
        case steps.StopDnsmasq():
            return "" if made else "a second dnsmasq runs"
        case steps.ChangeDnsmasq(before=found, after=wanted) if not found.config:
            return f"the configuration of dnsmasq on {wanted.bridge} was changed or removed"
        case steps.ChangeDnsmasq(after=wanted):
            return f"dnsmasq on {wanted.bridge} was told something else"
        case steps.StartSwitch(bridge=bridge, spec=switch):
            return f"vde_switch on {bridge} doesn't run" if switch.socket not in made else ""
        case steps.StopSwitch(spec=switch):
            return f"vde_switch lost its interface {switch.tap} or its sockets in {switch.socket}"
        case steps.PlugSwitch(bridge=bridge, tap=tap):
            wrong = f"{tap} of vde_switch isn't a port of {bridge} as it should be"
            return wrong if not made & {bridge, tap} else ""
        case steps.SetFirewall():
            return "our firewall rules were changed"
        case steps.DeleteBridge(spec=spec):
            return f"its bridge is called {spec.name}"
        case steps.AttachPorts(bridge=bridge, ports=ports):
            return "" if bridge in made else f"{', '.join(ports)} came off bridge {bridge}"
        case steps.SaveRecord():
            return ""
        case _:
            assert_never(step)


def _settings(found: BridgeSettings, wanted: BridgeSettings) -> str:
    told = {
        "MAC": (found.mac, wanted.mac),
        "MTU": (found.mtu, wanted.mtu),
        "spanning tree": (_switch(found.stp), _switch(wanted.stp)),
        "forward delay": (found.forward_delay, wanted.forward_delay),
    }
    return ", ".join(
        f"{name} {found} instead of {wanted}"
        for name, (found, wanted) in told.items()
        if found != wanted
    )


def _switch(on: bool) -> str:
    return "on" if on else "off"
