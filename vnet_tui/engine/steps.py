"""The steps that plans are made of: values that say what to do, in words too, and how to undo it.

A step is one act that the system does wholly or not at all, so that a failed step needs no
clearing up after itself and undoing a plan is running the inverses of its done steps, last first.
Inverses are pure and tolerate that the thing they remove is gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from vnet_tui.engine.model import Interface
from vnet_tui.engine.resources import (
    BridgeSettings,
    BridgeSpec,
    DnsmasqSpec,
    Ruleset,
    RunRecord,
    SwitchSpec,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateBridge:
    """Make a bridge, down and without addresses. One RTM_NEWLINK that fails if the name exists."""

    spec: BridgeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkBridge:
    """Put our alias on a bridge that was just made and bring it up."""

    spec: BridgeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteBridge:
    """Delete a bridge of ours; the rest is what it has, to be put back on undo.

    ``sysctls`` are its per-interface settings, as pairs of key and value.
    """

    spec: BridgeSpec
    sysctls: tuple[tuple[str, str], ...] = ()
    addresses: tuple[Interface, ...] = ()
    ports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseBridge:
    """Bring a bridge of ours up that somebody took down."""

    bridge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachPorts:
    """Make interfaces ports of a bridge; those that are gone by now are passed over."""

    bridge: str
    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeBridge:
    """Change a running bridge's settings."""

    bridge: str
    before: BridgeSettings
    after: BridgeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAddress:
    """Give the host an address on the bridge."""

    bridge: str
    address: Interface


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAddress:
    """Take an address from the bridge."""

    bridge: str
    address: Interface


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSysctl:
    """Write a kernel setting; ``key`` is its path under /proc/sys, with slashes.

    ``before`` is what it was; empty on a bridge that is being made. With ``remember`` it is first
    written to the run directory, to be restored when the last network that needs it goes.
    Per-interface settings of our own bridges need no remembering: they go with the bridge.
    """

    key: str
    before: str
    after: str
    remember: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSysctl:
    """Put a remembered kernel setting back to ``after``, unless somebody changed it since we set
    it to ``before``, and forget it."""

    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFirewall:
    """Replace what our tables hold, in one transaction that touches only what differs.

    ``rewrite``: others changed what is there, so all of ours has to be written anew, still in one
    transaction.
    """

    before: Ruleset
    after: Ruleset
    rewrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDnsmasq:
    """Write dnsmasq's files and start it; done when it serves."""

    spec: DnsmasqSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class StopDnsmasq:
    """End a dnsmasq of ours and remove its files; its leases stay."""

    spec: DnsmasqSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDnsmasq:
    """Tell a running dnsmasq something else: live where its files allow, else by a restart."""

    before: DnsmasqSpec
    after: DnsmasqSpec

    @property
    def restarts(self) -> bool:
        """Whether the change is in the part that dnsmasq reads only when it starts."""
        return self.before.config != self.after.config


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSwitch:
    """Start a vde_switch, which makes its tap; done when it serves. No guest on it is on the
    network of ``bridge`` yet."""

    bridge: str
    spec: SwitchSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSwitch:
    """End a vde_switch of ours, whose tap goes with it, and remove its sockets.

    ``bridge`` is what its tap is a port of (empty: nothing), with ``mtu``, to be put back on undo;
    None: it had ended already, and there is nothing to put back.
    """

    spec: SwitchSpec
    bridge: str | None
    mtu: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugSwitch:
    """Make the tap of a vde_switch a port of the bridge, up, with this ``mtu`` in bytes."""

    bridge: str
    tap: str
    mtu: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveRecord:
    """Commit: from here on the network counts as running (or, with None, as stopped)."""

    before: RunRecord | None
    after: RunRecord | None


Step = (
    CreateBridge
    | MarkBridge
    | DeleteBridge
    | RaiseBridge
    | AttachPorts
    | ChangeBridge
    | AddAddress
    | RemoveAddress
    | SetSysctl
    | RestoreSysctl
    | SetFirewall
    | StartDnsmasq
    | StopDnsmasq
    | ChangeDnsmasq
    | StartSwitch
    | StopSwitch
    | PlugSwitch
    | SaveRecord
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Steps that may run side by side, at most ``width`` at once; stages run one after another."""

    steps: tuple[Step, ...]
    width: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do, in order. An empty plan means that all is as it should be."""

    stages: tuple[Stage, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in the order in which they begin."""
        return tuple(step for stage in self.stages for step in stage.steps)

    @property
    def about_rules_only(self) -> bool:
        """Whether nothing but the firewall is touched."""
        return all(isinstance(step, SetFirewall) for step in self.steps)

    def split(self) -> tuple[Plan, Plan]:
        """The work, and its commit: the writing of records."""
        work: list[Stage] = []
        commit: list[Stage] = []
        for stage in self.stages:
            (commit if isinstance(stage.steps[0], SaveRecord) else work).append(stage)
        return Plan(stages=tuple(work)), Plan(stages=tuple(commit))

    def __bool__(self) -> bool:
        return any(stage.steps for stage in self.stages)
