"""The iptables driver: our chains in the tables ``filter`` and ``nat``, for IPv4 and IPv6.

What there is is read from the kernel at once, see ``kernel``. A change is made by one child process
an address family: every table is made ready first, then all are put in place one after another
under the lock of the tables. Each is replaced as a whole, so no packet sees half of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from vnet_tui.engine.drivers.firewall.iptables import kernel
from vnet_tui.engine.drivers.firewall.iptables.compile import compile_tables
from vnet_tui.engine.drivers.firewall.iptables.libraries import lacking
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    FAMILIES,
    TABLES,
    Edit,
    Place,
    Table,
    change,
    rewrite,
)
from vnet_tui.engine.drivers.firewall.iptables.state import read_state
from vnet_tui.engine.drivers.firewall.iptables.transaction import Transactions
from vnet_tui.engine.model import Mode
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import FirewallState, Ruleset, rules_digest
from vnet_tui.engine.rule_counters import Counters
from vnet_tui.engine.steps import SetFirewall

T = TypeVar("T")


def unusable() -> str:
    """Why this host can't be driven with iptables, in words; empty where it can."""
    if reason := lacking():
        return reason
    kernel.load_modules()
    for family in _families():
        if missing := kernel.missing(family, TABLES):
            names = " and ".join(missing)
            return f"this kernel has no legacy table {names} for IPv{family}"
    return ""


class IptablesDriver:
    """Works in a thread of its own, made on first use by the calling thread.

    A new thread lives in the network namespace of the one that makes it, and so do the children
    that it starts: the driver stays with the namespace in which it was first used.
    """

    name = "iptables"

    def __init__(self, paths: Paths, reason: str) -> None:
        self.reason = reason
        self._instance = paths.instance
        self._thread: ThreadPoolExecutor | None = None
        self._transactions = Transactions()

    async def observe(self) -> FirewallState:
        """What there is of ours; starts no process, and makes no table."""
        return await self._call(self._observe)

    async def set(self, step: SetFirewall) -> None:
        """Bring the tables from ``before`` to ``after``; anew where they aren't like ``before``."""
        await self._call(lambda: self._set(step))

    async def counters(self, networks: Collection[UUID] | None = None) -> Counters:
        """Nothing: its rules don't tell what they count."""
        del networks
        return Counters()

    async def close(self) -> None:
        """End thread and children; the rules stay."""
        if self._thread is not None:
            await self._call(self._transactions.close)
            self._thread.shutdown()
            self._thread = None

    async def _call(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="iptables")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _observe(self) -> FirewallState:
        tables = {
            (family, table): kernel.read(family, table)
            for family in _families()
            for table in TABLES
        }
        return read_state(tables, self._instance)

    def _set(self, step: SetFirewall) -> None:
        families = _families()
        before = self._compile(step.before, families)
        after = self._compile(step.after, families)
        if not step.after.networks and not self._observe().present:
            return
        with self._transactions.alone():
            state = self._observe()  # raises where the chains aren't ours to change
            digests = {uuid: rules_digest(rules) for uuid, rules in step.before.networks.items()}
            known = state.present and state.intact and state.digests == digests
            anew = step.rewrite or not known or not step.after.networks
            edits = {
                place: rewrite(table) if anew else change(before[place], table)
                for place, table in after.items()
            }
            undo = {place: rewrite(table) for place, table in before.items()}
            self._transactions.carry_out(_in_order(edits, step), undo)

    def _compile(self, ruleset: Ruleset, families: tuple[int, ...]) -> dict[Place, Table]:
        return {
            (family, name): table
            for family in families
            for name, table in compile_tables(ruleset, self._instance, family).items()
        }


def _families() -> tuple[int, ...]:
    return FAMILIES if kernel.has_ipv6() else FAMILIES[:1]


def _in_order(edits: Mapping[Place, Edit], step: SetFirewall) -> dict[Place, Edit]:
    """Which table comes first, so that nothing is open that shouldn't be, and no guest leaves
    under its own address that should be masqueraded.

    A network that is new is closed before it is translated, and one that is masqueraded no longer
    stops passing before that; in all other changes, and for what goes, translation comes first.
    """
    before, after = step.before.networks, step.after.networks

    def closes_first() -> bool:
        for uuid, rules in after.items():
            was = before.get(uuid)
            if was is None or was.bridge != rules.bridge:
                return True
            if was.mode is Mode.NAT and rules.mode is not Mode.NAT:
                return True
        return False

    order = ("filter", "nat") if step.rewrite or closes_first() else ("nat", "filter")
    places = [(family, table) for table in order for family in FAMILIES]
    return {place: edits[place] for place in places if edits.get(place)}
