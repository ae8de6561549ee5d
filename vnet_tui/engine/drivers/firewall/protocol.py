"""What every firewall driver can do, and which one a host gets."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from vnet_tui.engine.errors import DriverError, Problem, UnsupportedError
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import FirewallState
from vnet_tui.engine.rule_counters import Counters
from vnet_tui.engine.steps import SetFirewall

PREFERENCES = ("auto", "nftables", "iptables")
"""What an administrator can ask for."""


class FirewallDriver(Protocol):
    """Packet filtering and address translation for all our networks.

    ``name`` is that of the preference, ``reason`` why this driver and not another.
    """

    @property
    def name(self) -> str: ...

    @property
    def reason(self) -> str: ...

    async def observe(self) -> FirewallState:
        """What there is of ours now.

        Raises ConflictError where our table belongs to somebody else, DriverError where the
        system doesn't tell.
        """

    async def set(self, step: SetFirewall) -> None:
        """Make the change in one transaction, wholly or not at all (DriverError).

        What was to be removed may be gone already; what others took away comes back.
        """

    async def counters(self, networks: Collection[UUID] | None = None) -> Counters:
        """What rules and guests have counted, of these networks at least; of all where none are
        named. Networks that aren't there are left out; nothing is counted twice or forgotten over
        edits of other rules. Raises DriverError or OSError where the system doesn't tell.
        """

    async def close(self) -> None:
        """Let go of what the driver holds in this process; the rules stay."""


class RulesWatch(Protocol):
    """Tells that somebody changed rules, in the network namespace in which it was made."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def changed(self) -> None:
        """Wait for the next change; what changed has to be looked at."""


def watch(driver: FirewallDriver) -> RulesWatch:
    """How to hear of changes of what that driver looks after. Raises DriverError."""
    from vnet_tui.engine.drivers.firewall.iptables.watch import TablesWatch
    from vnet_tui.engine.drivers.firewall.layout import TABLE
    from vnet_tui.engine.drivers.firewall.notify import RulesetWatch

    return TablesWatch() if driver.name == "iptables" else RulesetWatch(TABLE)


def choose(preference: str, paths: Paths) -> FirewallDriver:
    """The driver for this host: ``auto``, or the one that was asked for.

    Raises UnsupportedError where it can't be had, naming what the host has instead.
    """
    if preference not in PREFERENCES:
        raise DriverError(
            f"{preference!r} is no firewall driver", f"choose one of {', '.join(PREFERENCES)}"
        )
    # Imported here so that naming the protocol doesn't load a driver.
    from vnet_tui.engine.drivers.firewall.iptables.driver import IptablesDriver, unusable
    from vnet_tui.engine.drivers.firewall.moving import Moving
    from vnet_tui.engine.drivers.firewall.nft_kernel import in_kernel
    from vnet_tui.engine.drivers.firewall.nftables import NftablesDriver
    from vnet_tui.engine.drivers.firewall.strays import Following

    nftables = NftablesDriver.find(paths, asked_for=preference == "nftables")
    lacking: list[str] = []
    if nftables is None:
        lacking.append("neither libnftables nor the program nft is installed")
    elif not in_kernel():
        nftables = None
        lacking.append("this kernel has no nftables")
    if nftables is not None and preference != "iptables":
        return Following(Moving(nftables, IptablesDriver(paths, "left from before")))
    if preference == "nftables":
        raise _refusal("nftables was asked for", lacking)
    if without_iptables := unusable():
        if preference == "iptables":
            raise _refusal("iptables was asked for", [without_iptables])
        raise _refusal("there is neither nftables nor iptables", [*lacking, without_iptables])
    why = "asked for" if preference == "iptables" else f"chosen by itself, as {lacking[0]}"
    iptables = IptablesDriver(paths, f"{why}; python-iptables on legacy tables")
    return Following(Moving(iptables, nftables) if nftables is not None else iptables)


def _refusal(message: str, lacking: Sequence[str]) -> UnsupportedError:
    programs = ("nft", "iptables", "iptables-legacy", "iptables-nft")
    found = [path for name in programs if (path := shutil.which(name))]
    there = f"this host has {', '.join(found)}" if found else "this host has no firewall program"
    problem = Problem(
        message=f"{message}, but {'; '.join(lacking)}; {there}",
        remedy="install nftables, and choose auto or nftables",
    )
    return UnsupportedError("No firewall driver:", [problem])
