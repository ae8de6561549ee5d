"""Putting back what others changed of running networks, beside the changes that are asked for.

A repair isn't undone when a part of it fails: each step brings the host nearer to what it should
be, and one network that can't be mended must not keep the others from it. It is looked at, planned,
done and looked at again under the lock of all changes, so that of two engines that see the same
drift the second finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from vnet_tui.engine.apply import Run
from vnet_tui.engine.changes import Changes
from vnet_tui.engine.desired import Desired
from vnet_tui.engine.drift import Drift, Subject, drift, only
from vnet_tui.engine.errors import StoreError, VnetError
from vnet_tui.engine.observe import Observed, Part, observe
from vnet_tui.engine.plan import make_plan, needed_sysctls
from vnet_tui.engine.resources import DnsmasqProcess, LinkSnapshot, SwitchProcess
from vnet_tui.engine.steps import Plan, SetFirewall, Step

Ports = Mapping[UUID, tuple[tuple[str, int], ...]]
"""Interfaces that were ports of networks' bridges, by name and index."""

Lost = Callable[[Mapping[UUID, tuple[str, float]]], Ports]
"""Gives the ports that bridges lost, which are given by name, each with the time since when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found, and what became of it.

    ``drift`` is what isn't right now, after mending; ``mended`` holds what was done for which
    subject, ``failed`` why a subject couldn't be mended (empty: it was, and isn't right already
    or still); ``unreadable`` are networks that are left
    alone because their records can't be read.
    """

    running: Desired
    links: LinkSnapshot
    services: tuple[DnsmasqProcess | SwitchProcess, ...]
    drift: Drift
    mended: Drift
    failed: Mapping[Subject, str]
    unreadable: Mapping[UUID, StoreError]


class Upkeep(Changes):
    """Changes, and looking after what they made."""

    _seen: Observed | None = None

    async def look(
        self,
        parts: Part,
        choose: Callable[[Desired, Drift], Iterable[Subject]],
        lost: Lost,
        *,
        recover: bool,
    ) -> Looked:
        """Look at parts of the host anew, and mend what ``choose`` chooses of the drift.

        Where those parts are as they should be, the others are taken to be as they were when they
        were looked at. The ports that ``lost`` gives for the bridges of networks are attached to
        them again, where they are still there and nobody's. With ``recover``, what a killed engine
        left half-done is ended first.
        """

        async def work() -> Looked:
            return await self._look(parts, choose, lost, recover=recover)

        return await self._alone(work)

    async def _look(
        self,
        parts: Part,
        choose: Callable[[Desired, Drift], Iterable[Subject]],
        lost: Lost,
        *,
        recover: bool,
    ) -> Looked:
        if recover:
            await self._recover()
        desired = self._compile(self._running())
        bridges = {
            uuid: (one.bridge.name, one.record.started) for uuid, one in desired.networks.items()
        }
        ports = lost(bridges)
        seen, found = await self._needed(desired, parts, ports)
        if found:
            ports = lost(bridges)  # what was heard meanwhile of bridges that are gone
            seen, found = await self._needed(desired, Part.ALL, ports)
        chosen = frozenset(choose(desired, found)) & found.keys() if found else frozenset()
        mended: Drift = {}
        failed: Mapping[Subject, str] = {}
        if chosen:
            done, reasons = await self._mend(desired, seen, chosen, ports)
            seen, found = await self._needed(desired, Part.ALL, ports)
            mended = {subject: steps for subject, steps in done.items() if subject not in found}
            failed = {subject: reasons.get(subject, "") for subject in chosen & found.keys()}
        return Looked(
            running=desired,
            links=seen.links,
            services=(*seen.dnsmasqs, *seen.switches),
            drift=found,
            mended=mended,
            failed=failed,
            unreadable=self._unreadable,
        )

    async def _needed(self, desired: Desired, parts: Part, ports: Ports) -> tuple[Observed, Drift]:
        """The host, and what it would take to have it as it should be."""
        scope = frozenset(desired.networks)
        self._seen = seen = await observe(
            self._drivers, needed_sysctls(desired, scope), parts=parts, earlier=self._seen
        )
        installed = self._as_installed(desired, seen)
        plan = self._plan_for(installed, installed, seen, scope, ports)
        return seen, drift(plan, desired)

    def _plan_for(
        self,
        desired: Desired,
        installed: Desired,
        seen: Observed,
        scope: frozenset[UUID],
        ports: Ports,
    ) -> Plan:
        return make_plan(
            desired,
            installed,
            seen,
            self._paths,
            scope=scope,
            ports=ports,
            spared=self._spared,
        )

    async def _mend(
        self, desired: Desired, seen: Observed, chosen: frozenset[Subject], ports: Ports
    ) -> tuple[dict[Subject, tuple[Step, ...]], dict[Subject, str]]:
        """Do what is needed for these subjects, as far as it can be done."""
        scope = frozenset(uuid for uuid in chosen if uuid is not None)
        installed = self._as_installed(desired, seen)
        desired = replace(desired, spared_rules=installed.spared_rules)
        plan = only(self._plan_for(desired, installed, seen, scope, ports), chosen, desired)
        self._journal.begin(plan)
        run = Run(len(plan.steps), self._drivers, before_step=self._before_step)
        trouble = await run.as_far_as_possible(plan.stages)
        self._journal.end()
        if any(isinstance(step, SetFirewall) for step in plan.steps):
            self._remember_rules(desired)
        steps = drift(plan, desired)
        reasons: dict[Subject, str] = {}
        unable = [step for step, _ in trouble]
        for step, error in trouble:
            said = error.message if isinstance(error, VnetError) else str(error) or repr(error)
            for subject, theirs in steps.items():
                if step in theirs:
                    reasons.setdefault(subject, " ".join(said.split()))
        done = {
            subject: tuple(step for step in theirs if step not in unable)
            for subject, theirs in steps.items()
        }
        return done, reasons
