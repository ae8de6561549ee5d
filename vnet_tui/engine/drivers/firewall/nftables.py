"""The nftables driver: the table ``inet vnet``, one transaction a change, nothing else touched."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar
from uuid import UUID

from vnet_tui.engine.drivers.firewall import libnftables
from vnet_tui.engine.drivers.firewall.counting import (
    CountingSets,
    counters,
    counting_sets,
    lost_counts,
    rule_counts,
    tally_counts,
)
from vnet_tui.engine.drivers.firewall.generation import Generation
from vnet_tui.engine.drivers.firewall.grace import grace_period
from vnet_tui.engine.drivers.firewall.layout import Layout
from vnet_tui.engine.drivers.firewall.listing import ABSENT, read_layout, read_state
from vnet_tui.engine.drivers.firewall.nft_dump import TableReader
from vnet_tui.engine.drivers.firewall.nft_errors import OutdatedError
from vnet_tui.engine.drivers.firewall.nft_program import NftProgram
from vnet_tui.engine.drivers.firewall.policies import PROBE_LOG
from vnet_tui.engine.drivers.firewall.render import render
from vnet_tui.engine.drivers.firewall.tallies import Counted
from vnet_tui.engine.drivers.firewall.transaction import REMOVE, Change, new_counters, rewrite
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import FirewallState, Ruleset, rules_digest
from vnet_tui.engine.rule_counters import Count, Counters
from vnet_tui.engine.steps import SetFirewall

T = TypeVar("T")

_LAYOUTS = 4
"""The layouts that are kept."""


class Backend(Protocol):
    """Something that runs nft's commands: libnftables, or the program."""

    def run(self, commands: str) -> None: ...

    def accepts(self, commands: str) -> bool: ...

    def table(self) -> list[dict[str, Any]] | None: ...

    def close(self) -> None: ...


def _installed(rules: Ruleset) -> FirewallState:
    """What is there once these rules were put in place."""
    digests = {uuid: rules_digest(own) for uuid, own in rules.networks.items()}
    return FirewallState(present=True, intact=True, digests=digests)


class NftablesDriver:
    """Works in a thread of its own, made on first use by the calling thread.

    A new thread lives in the network namespace of the one that makes it, and the sockets of
    libnftables belong to the namespace they were made in: the driver stays with the namespace in
    which it was first used.
    """

    name = "nftables"

    def __init__(self, paths: Paths, backend: Callable[[], Backend], reason: str) -> None:
        self.reason = reason
        self._instance = paths.instance
        self._make_backend = backend
        self._thread: ThreadPoolExecutor | None = None
        self._backend: Backend | None = None
        self._generation: Generation | None = None
        self._reader: TableReader | None = None
        self._logs: bool | None = None
        self._seen: tuple[int, FirewallState] | None = None
        self._rendered: list[tuple[Ruleset, Layout]] = []
        self._sets: tuple[int | None, CountingSets] = (None, {})

    @classmethod
    def find(cls, paths: Paths, *, asked_for: bool = False) -> NftablesDriver | None:
        """The driver, with libnftables if the host has it, else with nft; None with neither."""
        why = "asked for" if asked_for else "chosen by itself"
        library = libnftables.load()
        if library is not None:
            return cls(paths, lambda: libnftables.Libnftables(library), f"{why}; libnftables")
        program = shutil.which("nft")
        if program is not None:
            reason = f"{why}; the program nft, as libnftables is missing"
            return cls(paths, lambda: NftProgram(program), reason)
        return None

    async def observe(self) -> FirewallState:
        """What there is of ours; without listing anything when no table has changed since."""
        return await self._call(self._observe)

    async def set(self, step: SetFirewall) -> None:
        """Bring the table from ``before`` to ``after``; anew where it isn't as ``before`` says."""
        await self._call(lambda: self._set(step))

    async def counters(self, networks: Collection[UUID] | None = None) -> Counters:
        """What rules and guests have counted. 0.4 ms a network; 50 ms for ten thousand rules."""
        return await self._call(lambda: self._counters(networks))

    async def close(self) -> None:
        """End the thread; the rules stay."""
        if self._thread is not None:
            await self._call(self._close)
            self._thread.shutdown()
            self._thread = None

    async def _call(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nftables")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> Backend:
        if self._backend is None:
            self._backend = self._make_backend()
            self._generation = Generation()
        return self._backend

    def _close(self) -> None:
        if self._backend is not None:
            self._backend.close()
        if self._generation is not None:
            self._generation.close()
        if self._reader is not None:
            self._reader.close()
        self._backend = self._generation = self._reader = self._seen = None

    def _reader_open(self) -> TableReader:
        if self._reader is None:
            self._reader = TableReader()
        return self._reader

    def _now(self) -> int | None:
        self._open()
        assert self._generation is not None  # noqa: S101  (_open)
        return self._generation.read()

    def _counters(self, networks: Collection[UUID] | None) -> Counters:
        reader, generation = self._reader_open(), self._now()
        if generation is None or self._sets[0] != generation:
            self._sets = (generation, counting_sets(reader.sets()))
        return counters(reader, self._sets[1], networks)

    def _observe(self) -> FirewallState:
        backend = self._open()
        generation = self._now()
        if self._seen is not None and generation == self._seen[0]:
            return self._seen[1]
        state = self._state(backend.table())
        unchanged = generation is not None and generation == self._now()
        self._seen = (generation, state) if generation is not None and unchanged else None
        return state

    def _state(self, objects: list[dict[str, Any]] | None) -> FirewallState:
        return ABSENT if objects is None else read_state(objects, self._instance)

    def _set(self, step: SetFirewall) -> None:
        generation = self._now()
        known = self._seen == (generation, _installed(step.before))
        commits = self._change(step, sure=known)
        # Nothing but our own transactions happened since we looked: we needn't look again.
        if commits and generation is not None and self._now() == generation + commits:
            self._seen = (generation + commits, _installed(step.after))

    def _change(self, step: SetFirewall, *, sure: bool) -> int:
        """Do it, and tell in how many transactions; 0 where what the table holds now has to be
        looked at. ``sure``: it is as ``before`` says."""
        if not step.after.networks:
            self._observe()  # raises where the table isn't ours to delete
            self._run(REMOVE)
            return 0
        after = self._render(step.after)
        if step.rewrite or not step.before.networks:
            self._replace(after)
            return 1
        way = Change(self._render(step.before), after)
        commands, afterwards = way.commands(self._carried(way)), way.afterwards()
        try:
            if commands:
                self._run(commands)
            if afterwards:
                grace_period()
                self._run(afterwards)
        except OutdatedError:
            self._replace(after)
            return 0
        return bool(commands) + bool(afterwards) if sure else 0

    def _carried(self, way: Change) -> dict[Counted, Count]:
        """What elements have counted whose rules go on in other ones."""
        carried, tallies = way.carried(), way.carried_tallies()
        if not carried and not tallies:
            return {}
        reader = self._reader_open()
        return lost_counts(reader, carried) | tally_counts(reader, tallies)

    def _render(self, rules: Ruleset) -> Layout:
        """The layout for rules. The last ones are kept: where one change ends the next begins, and
        some are taken back."""
        found = next((one for one in self._rendered if one[0].networks == rules.networks), None)
        if found is None:
            found = (rules, render(rules, self._instance, logs=self._can_log()))
        others = [one for one in self._rendered if one is not found]
        self._rendered = [*others[-_LAYOUTS + 1 :], found]
        return found[1]

    def _can_log(self) -> bool:
        """Whether the kernel can tell of packets; rules must not fail for it."""
        if self._logs is None:
            self._logs = self._open().accepts("\n".join([*PROBE_LOG, ""]))
        return self._logs

    def _replace(self, after: Layout) -> None:
        """Put ``after`` in the place of whatever the table holds, if it is ours."""
        for last in (False, False, True):
            objects = self._open().table()
            self._state(objects)  # raises where the table isn't ours to change
            found, reader = read_layout(objects or []), self._reader_open()
            counts = rule_counts(reader, reader.sets()) if objects else {}
            counts |= tally_counts(reader, new_counters(after, found))
            try:
                self._run(rewrite(found, after, counts))
            except OutdatedError:  # somebody changed it since we looked
                if last:
                    raise
            else:
                return

    def _run(self, commands: Sequence[str]) -> None:
        self._open().run("\n".join([*commands, ""]))
