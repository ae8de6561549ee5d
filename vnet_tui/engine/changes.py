"""The one way in which the system is changed: observe, plan, apply, verify, commit.

A change is asked for as a function from what runs to what shall run. It happens wholly, or what
was done of it is undone; if this process dies on the way, the next change ends it first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from vnet_tui.engine.apply import BeforeStep, Run
from vnet_tui.engine.attached import newly_named
from vnet_tui.engine.change_request import Prepare, Request, Running
from vnet_tui.engine.conflicts import host_conflicts
from vnet_tui.engine.describe import describe
from vnet_tui.engine.desired import Desired, DesiredNetwork, desired_network, marked_network, owners
from vnet_tui.engine.errors import ConflictError, Problem, StepFailedError, StoreError, VnetError
from vnet_tui.engine.leases import read_leases
from vnet_tui.engine.lock import ChangeLock, refused
from vnet_tui.engine.model import Network
from vnet_tui.engine.observe import Drivers, Observed, Part, observe
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.plan import make_plan, needed_sysctls
from vnet_tui.engine.records import Interrupted, Journal, recorded
from vnet_tui.engine.resources import NetworkRules, RunRecord, rules_digest
from vnet_tui.engine.spared import spared_rules
from vnet_tui.engine.steps import Plan, SaveRecord, Step
from vnet_tui.engine.unbroken import unbroken
from vnet_tui.engine.views import Lease, OnProgress

T = TypeVar("T")

OnEnd = Callable[[Plan, VnetError | None], None]
"""Called once when a change is done or has failed: with what was planned, and why it failed."""

GoOn = Callable[[], None]
"""Called before each step of a change. Raises :class:`~vnet_tui.engine.errors.VnetError` where the
change is to be given up."""


ServiceConflicts = Callable[[DesiredNetwork, DesiredNetwork | None], Awaitable[tuple[Problem, ...]]]
"""Gives what is in the way of a network's services, where they differ from those that it had."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """A plan, and what it was made from."""

    request: Request
    desired: Desired
    observed: Observed
    plan: Plan


class Changes:
    """Runs changes, one at a time."""

    def __init__(
        self,
        paths: Paths,
        drivers: Drivers,
        *,
        parse: Callable[[str], Network],
        service_conflicts: ServiceConflicts,
        before_step: BeforeStep | None = None,
    ) -> None:
        self._paths = paths
        self._drivers = drivers
        self._parse = parse
        self._service_conflicts = service_conflicts
        self._before_step = before_step
        self._lock = ChangeLock(paths)
        self._journal = Journal(paths)
        self._installed: dict[str, NetworkRules] = {}
        self._compiled: dict[UUID, tuple[tuple[RunRecord, tuple[Lease, ...]], DesiredNetwork]] = {}
        self._unreadable: Mapping[UUID, StoreError] = {}
        self._under_way: asyncio.Task[Any] | None = None
        self._closed = False
        self.on_recovery: Callable[[str], None] = lambda _message: None

    async def run(
        self,
        prepare: Prepare,
        on_progress: OnProgress | None = None,
        on_end: OnEnd | None = None,
        go_on: GoOn | None = None,
    ) -> Running:
        """Make a change and return what runs afterwards.

        A change that has begun goes on to its end when the caller is cancelled, who hears of it
        afterwards; ``on_end`` is called also then, but not where nothing was begun. ``go_on`` is
        called before each step: what it raises ends the change, and it is undone. Raises
        :class:`~vnet_tui.engine.errors.ConflictError` before anything was touched, or
        :class:`~vnet_tui.engine.errors.StepFailedError` after it was undone.
        """
        return await self._alone(self._run, prepare, on_progress, on_end, go_on)

    async def alone(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something that what runs has to stay as it is for, and that isn't broken off."""

        async def after_recovery() -> T:
            await self._recover()
            return await work()

        return await self._alone(after_recovery)

    async def close(self) -> None:
        """Let the change that is under way come to its end, and begin no other."""
        self._closed = True
        if self._under_way is not None and not self._under_way.done():
            await asyncio.wait({self._under_way})

    async def preview(self, prepare: Prepare) -> Plan:
        """The plan that :meth:`run` would run now."""
        async with self._lock.held():
            before = self._compile(self._running())
            request = prepare({u: (d.record, d.network) for u, d in before.networks.items()})
            return (await self._plan(before, request)).plan

    async def recover(self) -> None:
        """End what a killed engine left half-done; nothing otherwise."""
        await self._alone(self._recover)

    async def _alone(self, work: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        """Do something that nobody else does meanwhile, and that is never broken off."""
        async with self._lock.held():
            if self._closed:
                raise VnetError("the engine was closed")
            task = self._under_way = asyncio.ensure_future(work(*arguments))
            try:
                return await unbroken(task)
            except OSError as error:
                raise refused(error) from error

    def _running(self) -> Running:
        """The networks that run. Those of which nobody can say what they are made of are spared
        from here on, until they are started anew."""
        running, self._unreadable = recorded(self._drivers.records, self._parse, self._paths)
        return running

    @property
    def _spared(self) -> frozenset[UUID]:
        return frozenset(self._unreadable)

    def _compile(self, running: Running) -> Desired:
        """What these networks consist of; worked out anew only for those that changed."""
        compiled = {}
        for uuid, (record, network) in running.items():
            asked = (record, read_leases(self._paths, uuid))
            known = self._compiled.get(uuid)
            if known is None or known[0] != asked:
                known = (asked, desired_network(record, network, asked[1], self._paths))
                if leases := newly_named(known[1], asked[1], self._paths):
                    made = desired_network(record, network, leases, self._paths)
                    known = ((record, leases), made)
                rules_digest(known[1].rules)  # is remembered, and asked for soon
                self._compiled[uuid] = known
            compiled[uuid] = known[1]
        return Desired(networks=compiled)

    def known(self, uuid: UUID) -> DesiredNetwork | None:
        """A running network as it was when the host was last looked at; None where it wasn't
        among those that ran."""
        found = self._compiled.get(uuid)
        return None if found is None else found[1]

    def _as_installed(self, before: Desired, observed: Observed) -> Desired:
        """``before`` with the rules that are known to be installed: guests' addresses may have
        changed since they were."""
        networks = {}
        for uuid, one in before.networks.items():
            known = self._installed.get(observed.firewall.digests.get(uuid, ""))
            networks[uuid] = replace(one, rules=known) if known else one
        digests = observed.firewall.digests
        spared = spared_rules(self._unreadable, digests, self._installed, self._parse, self._paths)
        return Desired(networks=networks, spared_rules=spared)

    async def _observe(
        self, desired: Desired, request: Request, earlier: Observed | None, parts: Part
    ) -> Observed:
        """As much of the host as matters to a change."""
        only, running = request.services, desired.networks
        return await observe(
            self._drivers,
            needed_sysctls(desired, request.scope),
            about=None if only is None else {uuid: running[uuid] for uuid in only},
            parts=parts,
            earlier=earlier,
        )

    async def _plan(self, before: Desired, request: Request, *, refuse: bool = True) -> _Planned:
        """From what runs to what is asked for; refused where something is in the way."""
        # Thousands of rules that are new take a while.
        desired = await asyncio.to_thread(self._compile, request.records)
        observed = await self._observe(desired, request, None, Part.ALL)
        if refuse:
            await self._refuse_conflicts(before, desired, observed, request.scope)
        known = {*before.networks, *desired.networks, *self._spared}
        orphans = self._orphans(observed, known)
        if orphans and request.services is not None:  # they may have some, too
            request = replace(request, services=None)
            observed = await self._observe(desired, request, observed, Part.SERVICES)
            orphans = self._orphans(observed, known)
        scope = request.scope | orphans
        before = self._as_installed(before, observed)
        desired = replace(desired, spared_rules=before.spared_rules)
        plan = make_plan(
            desired,
            before,
            observed,
            self._paths,
            scope=scope,
            recreate=request.recreate,
            ports=request.ports,
            spared=self._spared - desired.networks.keys(),
        )
        return _Planned(request, desired, observed, plan)

    async def _refuse_conflicts(
        self, before: Desired, desired: Desired, observed: Observed, scope: frozenset[UUID]
    ) -> None:
        """Raise ConflictError where something on the host is in the way of these networks."""
        chosen = [uuid for uuid in sorted(scope) if uuid in desired.networks]
        ours = {
            name: uuid
            for name, uuid in owners(observed.links.links.values(), before, self._paths).items()
            if uuid not in self._spared - scope
        }
        later = {uuid for uuid in chosen if uuid not in before.networks}
        blocked: dict[str, tuple[Problem, ...]] = {}
        for uuid in chosen:
            later.discard(uuid)
            one, had = desired.networks[uuid], before.networks.get(uuid)
            others = [
                other
                for theirs, other in desired.networks.items()
                if theirs != uuid and theirs not in later  # each pair is told once
            ]
            problems = host_conflicts(one, had, others, observed, ours)
            problems += await self._service_conflicts(one, had)
            if problems:
                blocked[one.record.name] = problems
        if blocked:
            verb = "run as defined" if before.networks.keys() & set(chosen) else "start"
            told = [
                replace(one, message=f"{name}: {one.message}") if len(chosen) > 1 else one
                for name, problems in blocked.items()
                for one in problems
            ]
            raise ConflictError(f"{', '.join(blocked)} can't {verb}: something is in the way", told)

    def _orphans(self, observed: Observed, known: Iterable[UUID]) -> frozenset[UUID]:
        """Networks that left something of ours on the host and don't run."""
        marked = {
            uuid
            for link in observed.links.links.values()
            if (uuid := marked_network(link.alias, self._paths)) is not None
        }
        served = {one.spec.network for one in observed.dnsmasqs}
        served |= {one.spec.network for one in observed.switches}
        return frozenset(marked | served | set(observed.firewall.digests)) - frozenset(known)

    async def _run(
        self,
        prepare: Prepare,
        on_progress: OnProgress | None,
        on_end: OnEnd | None,
        go_on: GoOn | None,
    ) -> Running:
        plan = Plan()
        try:
            await self._recover()
            running = self._running()
            before = self._compile(running)
            request = prepare(running)
            planned = await self._plan(before, request)
            plan = planned.plan
            if plan:
                await self._carry_out(planned, on_progress, go_on)
        except (VnetError, OSError) as error:
            if on_end is not None:
                on_end(plan, error if isinstance(error, VnetError) else refused(error))
            raise
        if on_end is not None:
            on_end(plan, None)
        return request.records

    async def _carry_out(
        self, planned: _Planned, on_progress: OnProgress | None, go_on: GoOn | None
    ) -> None:
        def before_step(number: int, step: Step) -> None:
            if go_on is not None:
                go_on()
            if self._before_step is not None:
                self._before_step(number, step)

        plan = planned.plan
        work, commit = plan.split()
        self._journal.begin(plan)
        steps = len(plan.steps)
        run = Run(steps, self._drivers, on_progress=on_progress, before_step=before_step)
        # Whatever else ends this (it is being killed) leaves the journal: the next engine reads it.
        try:
            await run.stages(work.stages)
            missing = await run.undone_if_failed("verify", self._missing(planned, work))
            if missing:  # somebody flushed our rules meanwhile
                await run.stages(missing.stages)
                await run.undone_if_failed("verify", self._missing(planned, work, last=True))
            await run.undone_if_failed("write what was done to the journal", self._commit(commit))
            await run.stages(commit.stages)
        except StepFailedError:
            if run.clean:
                self._journal.end()
            raise
        self._journal.end()
        self._remember_rules(planned.desired)

    async def _commit(self, commit: Plan) -> None:
        self._journal.commit(
            {
                record.uuid: step.after
                for step in commit.steps
                if isinstance(step, SaveRecord) and (record := step.after or step.before)
            }
        )

    async def _missing(self, planned: _Planned, done: Plan, *, last: bool = False) -> Plan:
        """Look again at what was changed; the rules that have to be written again. Raises VnetError
        for anything else that isn't as it should be, and at ``last`` for rules, too."""
        desired, scope = planned.desired, planned.request.scope
        parts = Part.RULES if done.about_rules_only else Part.ALL
        observed = await self._observe(desired, planned.request, planned.observed, parts)
        spared = self._spared - desired.networks.keys()
        plan = make_plan(desired, desired, observed, self._paths, scope=scope, spared=spared)
        missing, _ = plan.split()
        if missing and (last or not missing.about_rules_only):
            what = "; ".join(describe(step) for step in missing.steps[:3])
            raise VnetError(
                f"the host isn't as it was told to be, still needed: {what}",
                "another program may be changing the same things",
            )
        return missing

    def _remember_rules(self, desired: Desired) -> None:
        self._compiled = {
            uuid: known for uuid, known in self._compiled.items() if uuid in desired.networks
        }
        self._installed = {
            rules_digest(rules): rules for rules in desired.ruleset.networks.values()
        }

    async def _recover(self) -> None:
        """Finish a commit that had begun, and take away or repair whatever isn't recorded.

        As far as that is possible: one thing that can't be mended now must not be in the way of
        all changes, its own network's stop among them.
        """
        interrupted = self._journal.interrupted()
        if interrupted is None:
            return
        for uuid, record in (interrupted.commit or {}).items():
            if record is None:
                self._drivers.records.remove(uuid)
            else:
                self._drivers.records.save(record)
        running = self._running()
        before = self._compile(running)
        await self._take_back(interrupted, before)
        as_recorded = Request(records=running, scope=frozenset(running))
        planned = await self._plan(before, as_recorded, refuse=False)
        plan, desired = planned.plan, planned.desired
        failed = await Run(len(plan.steps), self._drivers).as_far_as_possible(plan.stages)
        bridges = {one.bridge.name for one in desired.networks.values()}
        for bridge, ports in interrupted.ports:
            if bridge in bridges:
                await self._drivers.links.attach(bridge, ports)
        self._journal.end()
        self._remember_rules(desired)
        self.on_recovery(
            "a change that was interrupted was "
            + ("completed" if interrupted.commit is not None else "taken back")
            + "".join(f"; that failed: {describe(step)}: {error}" for step, error in failed)
        )

    async def _take_back(self, interrupted: Interrupted, before: Desired) -> None:
        """Remove what an interrupted plan added and what no plan from here on would know of."""
        addresses = {one.bridge.name: one.addresses for one in before.networks.values()}
        observed = await observe(self._drivers, ())
        for name, mac in interrupted.bridges:
            link = observed.links.links.get(name)
            if link and not link.alias and link.settings and link.settings.mac == mac:
                await self._drivers.links.delete_bridge(name)
        for name, address in interrupted.addresses:
            if address not in addresses.get(name, (address,)):
                await self._drivers.links.remove_address(name, address)
