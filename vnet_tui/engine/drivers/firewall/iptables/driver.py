"""The iptables driver: our chains in the tables ``filter`` and ``nat``, for IPv4 and IPv6.

What there is is read from the kernel at once, see ``tables``. A change is made by one child process
an address family: every table that changes is made ready first, then all are put in place one after
another under the lock of the tables. Each is replaced as a whole, so no packet sees half of one.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from vnet_tui.engine.drivers.firewall.iptables import kernel, libraries
from vnet_tui.engine.drivers.firewall.iptables.compile import Compiled, compile_tables
from vnet_tui.engine.drivers.firewall.iptables.counting import counters
from vnet_tui.engine.drivers.firewall.iptables.edits import Edit, change, rewrite
from vnet_tui.engine.drivers.firewall.iptables.network import Abilities
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    FAMILIES,
    MAIN,
    TABLES,
    Place,
    Table,
)
from vnet_tui.engine.drivers.firewall.iptables.sets import GuestSet, Sets
from vnet_tui.engine.drivers.firewall.iptables.state import (
    Marking,
    Tables,
    installed,
    read_state,
)
from vnet_tui.engine.drivers.firewall.iptables.tables import FoundTable, Reader
from vnet_tui.engine.drivers.firewall.iptables.transaction import (
    Transactions,
    Work,
)
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Mode
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import FirewallState, Ruleset, rules_digest
from vnet_tui.engine.rule_counters import Counters
from vnet_tui.engine.steps import SetFirewall

T = TypeVar("T")


def unusable() -> str:
    """Why this host can't be driven with iptables, in words; empty where it can."""
    if reason := libraries.lacking():
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
        self._reader = Reader()
        self._sets: Sets | None = None
        self._able: Abilities | None = None

    async def observe(self) -> FirewallState:
        """What there is of ours; starts no process, and makes no table."""
        return await self._call(self._observe)

    async def set(self, step: SetFirewall) -> None:
        """Bring the tables from ``before`` to ``after``; anew where they aren't like ``before``."""
        await self._call(lambda: self._set(step))

    async def counters(self, networks: Collection[UUID] | None = None) -> Counters:
        """What rules and guests have counted, of these networks or of all; starts no process."""
        return await self._call(lambda: self._counters(networks))

    async def close(self) -> None:
        """End thread and children; the rules stay."""
        if self._thread is not None:
            await self._call(self._close)
            self._thread.shutdown()
            self._thread = None

    async def _call(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="iptables")
        return await asyncio.get_running_loop().run_in_executor(self._thread, _uncollected, work)

    def _close(self) -> None:
        self._transactions.close()
        if self._sets is not None:
            self._sets.close()
            self._sets = None

    def _read(self) -> dict[Place, FoundTable | None]:
        return {
            (family, table): self._reader.read(family, table)
            for family in _families()
            for table in TABLES
        }

    def _observe(self) -> FirewallState:
        return read_state(self._read(), self._instance)

    def _counters(self, networks: Collection[UUID] | None) -> Counters:
        # Rules count in the filter tables only, and a table is read as a whole.
        tables = [self._reader.read(family, MAIN[1]) for family in _families()]
        wanted = {
            part: uuid
            for part, uuid in installed(tables[0]).items()
            if networks is None or uuid in networks
        }
        found = [table for table in tables if table is not None]
        return counters(found, wanted, self._open_sets() if wanted else None)

    def _set(self, step: SetFirewall) -> None:
        before, after = self._compile(step.before), self._compile(step.after)
        if not step.after.networks and not self._observe().present:
            return
        with self._transactions.alone():
            tables = self._read()
            state = read_state(tables, self._instance)  # raises where they aren't ours to change
            whole = state.present and state.intact and state.digests == _digests(step.before)
            anew = step.rewrite or not whole or not step.after.networks
            if anew:
                edits = _anew(after, tables)
            else:
                edits = {
                    place: change(_table(before, place), _table(after, place), found)
                    for place, found in tables.items()
                }
                if not any(edits.values()) and state.digests == _digests(step.after):
                    return
                edits = _needed(edits, step)
            order = [place for place in _order(step) if place in edits]
            self._have_sets(after)
            try:
                self._transactions.carry_out(
                    self._work(edits, order, step.after, tables),
                    lambda: self._work(_anew(before, tables), order[::-1], step.before, tables),
                )
            except DriverError:
                self._drop_sets(before)
                raise
            self._drop_sets(after)

    def _work(
        self, edits: Mapping[Place, Edit], order: Sequence[Place], rules: Ruleset, tables: Tables
    ) -> Work:
        marking = Marking(self._instance, _digests(rules), tables)
        return Work({place: edits[place] for place in order}, marking.marks(edits))

    def _compile(self, ruleset: Ruleset) -> dict[int, Compiled]:
        return {
            family: compile_tables(ruleset, family, self._abilities()) for family in _families()
        }

    def _abilities(self) -> Abilities:
        """What this host's kernel and libraries can do beside the rules themselves."""
        if self._able is None:
            self._able = Abilities(
                logs=libraries.can_log(),
                counts=libraries.can_count(),
                limits=libraries.can_limit(),
            )
        return self._able

    def _open_sets(self) -> Sets:
        if self._sets is None:
            self._sets = Sets()
        return self._sets

    def _have_sets(self, compiled: dict[int, Compiled]) -> None:
        if wanted := _all_sets(compiled):
            there = set(self._open_sets().ours())
            self._open_sets().create(one for one in wanted if one not in there)

    def _drop_sets(self, compiled: dict[int, Compiled]) -> None:
        """Let go of those that no network needs any more."""
        if self._abilities().counts:
            wanted = set(_all_sets(compiled))
            self._open_sets().destroy(one for one in self._open_sets().ours() if one not in wanted)


def _uncollected(work: Callable[[], T]) -> T:
    """Do work that makes very many objects and no garbage: looking for some takes as long again."""
    was = gc.isenabled()
    gc.disable()
    try:
        return work()
    finally:
        if was:
            gc.enable()


def _families() -> tuple[int, ...]:
    return FAMILIES if kernel.has_ipv6() else FAMILIES[:1]


def _digests(rules: Ruleset) -> dict[UUID, str]:
    return {uuid: rules_digest(own) for uuid, own in rules.networks.items()}


def _all_sets(compiled: dict[int, Compiled]) -> list[GuestSet]:
    return [one for own in compiled.values() for one in own.sets]


def _table(compiled: dict[int, Compiled], place: Place) -> Table:
    family, name = place
    return compiled[family].table(name)


def _anew(compiled: dict[int, Compiled], tables: Tables) -> dict[Place, Edit]:
    """All tables as they should be, whatever they hold; what was counted goes on."""
    return {
        place: rewrite(_table(compiled, place), found.counts() if found is not None else None)
        for place, found in tables.items()
    }


def _needed(edits: dict[Place, Edit], step: SetFirewall) -> dict[Place, Edit]:
    """The tables that have to be written: those that change, and with any of them the one whose
    marks say what is installed; all, where networks come or go, as each is marked everywhere."""
    if step.before.networks.keys() != step.after.networks.keys():
        return edits
    return {place: edit for place, edit in edits.items() if edit or place == MAIN}


def _order(step: SetFirewall) -> list[Place]:
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
    return [(family, table) for table in order for family in FAMILIES]
