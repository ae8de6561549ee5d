"""How each step is taken back: pure, so that an undo can be printed and tested like a plan."""

from __future__ import annotations

from typing import assert_never

from vnet_tui.engine import steps
from vnet_tui.engine.steps import Step


def inverse(step: Step) -> tuple[Step, ...]:
    """The steps that take a done step back, in order; none where another inverse covers it."""
    match step:
        case steps.CreateBridge(spec=spec):
            return (steps.DeleteBridge(spec=spec),)
        case steps.DeleteBridge(spec=spec):
            return (
                steps.CreateBridge(spec=spec),
                *(steps.SetSysctl(key=key, before="", after=value) for key, value in step.sysctls),
                steps.MarkBridge(spec=spec),
                *(
                    steps.AddAddress(bridge=spec.name, address=address)
                    for address in step.addresses
                ),
                *([steps.AttachPorts(bridge=spec.name, ports=step.ports)] if step.ports else []),
            )
        case steps.MarkBridge() | steps.RaiseBridge() | steps.AttachPorts() | steps.PlugSwitch():
            return ()
        case steps.ChangeBridge(bridge=bridge, before=before, after=after):
            return (steps.ChangeBridge(bridge=bridge, before=after, after=before),)
        case steps.AddAddress(bridge=bridge, address=address):
            return (steps.RemoveAddress(bridge=bridge, address=address),)
        case steps.RemoveAddress(bridge=bridge, address=address):
            return (steps.AddAddress(bridge=bridge, address=address),)
        case steps.SetSysctl(key=key, before=old, after=new, remember=True):
            return (steps.RestoreSysctl(key=key, before=new, after=old),)
        case steps.SetSysctl(before=""):
            return ()
        case steps.SetSysctl(key=key, before=old, after=new):
            return (steps.SetSysctl(key=key, before=new, after=old),)
        case steps.RestoreSysctl(key=key, before=ours, after=old):
            return (steps.SetSysctl(key=key, before=old, after=ours, remember=True),)
        case steps.SetFirewall(before=was, after=now, rewrite=rewrite):
            return (steps.SetFirewall(before=now, after=was, rewrite=rewrite),)
        case steps.StartDnsmasq(spec=service):
            return (steps.StopDnsmasq(spec=service),)
        case steps.StopDnsmasq(spec=service):
            # One whose files are gone can't be started as it was.
            return (steps.StartDnsmasq(spec=service),) if service.config else ()
        case steps.ChangeDnsmasq(before=one, after=other):
            return (steps.ChangeDnsmasq(before=other, after=one),)
        case steps.StartSwitch(spec=switch, bridge=bridge):
            return (steps.StopSwitch(spec=switch, bridge=bridge),)
        case steps.StopSwitch(spec=switch, bridge=str() as bridge, mtu=mtu):
            plugged = (steps.PlugSwitch(bridge=bridge, tap=switch.tap, mtu=mtu),) if bridge else ()
            return (steps.StartSwitch(spec=switch, bridge=bridge), *plugged)
        case steps.StopSwitch():
            return ()
        case steps.SaveRecord(before=first, after=second):
            return (steps.SaveRecord(before=second, after=first),)
        case _:
            assert_never(step)
