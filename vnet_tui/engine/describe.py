"""Plans in words: what each step does, and what it disturbs."""

from __future__ import annotations

from typing import assert_never

from vnet_tui.engine import steps
from vnet_tui.engine.resources import BridgeSettings, Ruleset
from vnet_tui.engine.steps import Plan, Step
from vnet_tui.engine.views import Disturbance, PlannedStep, Preview


def describe(step: Step) -> str:
    """One line that says what a step does, in the infinitive."""
    match step:
        case steps.CreateBridge(spec=spec):
            return f"create bridge {spec.name}"
        case steps.MarkBridge(spec=spec):
            return f"bring up bridge {spec.name}"
        case steps.DeleteBridge(spec=spec):
            ports = f" with {len(step.ports)} ports" if step.ports else ""
            return f"delete bridge {spec.name}{ports}"
        case steps.RaiseBridge(bridge=bridge):
            return f"bring up bridge {bridge}"
        case steps.AttachPorts(bridge=bridge, ports=ports_):
            return f"attach {', '.join(ports_)} to {bridge}"
        case steps.ChangeBridge(bridge=bridge, before=before, after=after):
            return f"change bridge {bridge}: {_changes(before, after)}"
        case steps.AddAddress(bridge=bridge, address=address):
            return f"add address {address} to {bridge}"
        case steps.RemoveAddress(bridge=bridge, address=address):
            return f"remove address {address} from {bridge}"
        case steps.SetSysctl(key=key, after=value) | steps.RestoreSysctl(key=key, after=value):
            verb = "restore" if isinstance(step, steps.RestoreSysctl) else "set"
            return f"{verb} {key.replace('/', '.')} = {value}"
        case steps.SetFirewall(before=was, after=now):
            return "firewall: " + _rules(was, now, rewrite=step.rewrite)
        case steps.StartDnsmasq(spec=service):
            return f"start dnsmasq on {service.bridge}"
        case steps.StopDnsmasq(spec=service):
            return f"stop dnsmasq on {service.bridge or service.network}"
        case steps.ChangeDnsmasq(after=service):
            how = "restart" if step.restarts else "update"
            return f"{how} dnsmasq on {service.bridge}"
        case steps.StartSwitch(bridge=bridge):
            return f"start vde_switch on {bridge}"
        case steps.StopSwitch(spec=switch, bridge=None):
            return f"remove what is left of vde_switch {switch.tap}"
        case steps.StopSwitch(bridge=bridge, spec=switch):
            return f"stop vde_switch on {bridge or switch.network}"
        case steps.PlugSwitch(bridge=bridge, tap=tap):
            return f"plug vde_switch {tap} into {bridge}"
        case steps.SaveRecord(before=first, after=second):
            record = second or first
            name = record.name if record else "?"
            if second is None:
                return f"record {name} as stopped"
            return f"record {name} as {'changed' if first else 'running'}"
        case _:
            assert_never(step)


def disturbance(step: Step) -> Disturbance:
    """What the guests notice of a step."""
    match step:
        case steps.DeleteBridge():
            return Disturbance.DISCONNECTS_GUESTS
        case steps.RemoveAddress():
            return Disturbance.DISCONNECTS_GUESTS
        case steps.StopSwitch() if step.bridge is not None:
            return Disturbance.DISCONNECTS_GUESTS
        case steps.StopDnsmasq():
            return Disturbance.RESTARTS_SERVICES
        case steps.ChangeDnsmasq() if step.restarts:
            return Disturbance.RESTARTS_SERVICES
        case _:
            return Disturbance.LIVE


def preview(plan: Plan) -> Preview:
    """A plan as it is told to people."""
    return Preview(
        steps=tuple(
            PlannedStep(text=describe(step), disturbs=disturbance(step)) for step in plan.steps
        )
    )


def _changes(before: BridgeSettings, after: BridgeSettings) -> str:
    return ", ".join(
        f"{field} {old} → {new}"
        for field in ("mac", "mtu", "stp", "forward_delay")
        if (old := getattr(before, field)) != (new := getattr(after, field))
    )


def _rules(before: Ruleset, after: Ruleset, *, rewrite: bool) -> str:
    parts = []
    was, now = before.networks, after.networks
    for verb, keys in (
        ("add", now.keys() - was.keys()),
        ("remove", was.keys() - now.keys()),
        ("change", {key for key in now.keys() & was.keys() if now[key] != was[key]}),
    ):
        bridges = sorted((now.get(key) or was[key]).bridge for key in keys)
        if len(bridges) > 3:
            parts.append(f"{verb} rules of {len(bridges)} networks")
        elif bridges:
            parts.append(f"{verb} rules of {', '.join(bridges)}")
    if rewrite:
        parts.append("write our table anew")
    return "; ".join(parts) or "nothing"
