"""The part of a plan that is about a network's vde_switch. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.observe import Observed
from vnet_tui.engine.resources import SwitchProcess
from vnet_tui.engine.steps import PlugSwitch, StartSwitch, StopSwitch

SWITCH_MTU = 1500
"""Bytes: what a vde_switch passes on (``struct packet`` in VDE's switch.h). The bridge drops what
is too large for a port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSteps:
    """What to do, each in its place among all else that a plan does; at most one of each.

    ``tap`` is the interface that is no port to be seen to otherwise, ``gone`` whether it is by the
    time that bridges go.
    """

    stop: tuple[StopSwitch, ...] = ()
    start: tuple[StartSwitch, ...] = ()
    plug: tuple[PlugSwitch, ...] = ()
    tap: str = ""
    gone: bool = False


def switch_steps(
    want: DesiredNetwork | None,
    had: DesiredNetwork | None,
    found: Sequence[SwitchProcess],
    observed: Observed,
    *,
    anew: bool,
) -> SwitchSteps:
    """From the processes that were ``found`` to what a network wants, and from what it had.

    A switch that is as it should be stays while its bridge is made ``anew``: the guests on it stay
    plugged in. One that lost its tap, or its sockets, can't be helped but by starting it again.
    """
    spec = want.switch if want else None
    old = found[0].spec if found else None
    links = observed.links.links
    right = len(found) == 1 and found[0].reachable and old == spec and found[0].spec.tap in links
    stop: tuple[StopSwitch, ...] = ()
    if old is not None and not right:
        link = links.get(old.tap)
        bridge = (link.master if link else None) or (had.bridge.name if had else "")
        stop = (StopSwitch(spec=old, bridge=bridge, mtu=link.mtu if link else SWITCH_MTU),)
    elif old is None and had and had.switch and (not spec or spec.socket != had.switch.socket):
        stop = (StopSwitch(spec=had.switch, bridge=None),)
    if want is None or spec is None:
        return SwitchSteps(stop=stop, tap=old.tap if old else "", gone=True)
    name, mtu = want.bridge.name, min(want.bridge.settings.mtu, SWITCH_MTU)
    tap = links.get(spec.tap)
    plugged = tap is not None and tap.up and (tap.master, tap.mtu) == (name, mtu)
    return SwitchSteps(
        stop=stop,
        start=() if right else (StartSwitch(bridge=name, spec=spec),),
        plug=()
        if right and plugged and not anew
        else (PlugSwitch(bridge=name, tap=spec.tap, mtu=mtu),),
        tap=spec.tap,
        gone=not right,
    )
