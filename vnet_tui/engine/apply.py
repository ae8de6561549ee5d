"""Running a plan on an undo stack: all of it happens, or what was done is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar, assert_never

from vnet_tui.engine import steps
from vnet_tui.engine.describe import describe
from vnet_tui.engine.errors import StepFailedError, VnetError
from vnet_tui.engine.observe import Drivers
from vnet_tui.engine.steps import Stage, Step
from vnet_tui.engine.undo import inverse
from vnet_tui.engine.views import Progress

T = TypeVar("T")

BeforeStep = Callable[[int, Step], None]
"""Called with the number of each step (from 0) before it runs; tests make it raise, or kill."""


async def run_step(step: Step, drivers: Drivers) -> None:
    """Do one step. Raises :class:`~vnet_tui.engine.errors.VnetError` or OSError."""
    match step:
        case steps.CreateBridge(spec=spec):
            await drivers.links.create_bridge(spec)
        case steps.MarkBridge(spec=spec):
            await drivers.links.mark_bridge(spec)
        case steps.DeleteBridge(spec=spec):
            await drivers.links.delete_bridge(spec.name)
        case steps.RaiseBridge(bridge=bridge):
            await drivers.links.raise_bridge(bridge)
        case steps.AttachPorts(bridge=bridge, ports=ports):
            await drivers.links.attach(bridge, ports)
        case steps.ChangeBridge(bridge=bridge, before=before, after=after):
            await drivers.links.change_bridge(bridge, before, after)
        case steps.AddAddress(bridge=bridge, address=address):
            await drivers.links.add_address(bridge, address)
        case steps.RemoveAddress(bridge=bridge, address=address):
            await drivers.links.remove_address(bridge, address)
        case steps.SetSysctl():
            drivers.sysctl.set(step)
        case steps.RestoreSysctl():
            drivers.sysctl.restore(step)
        case steps.SetFirewall():
            await drivers.firewall.set(step)
        case steps.StartDnsmasq(spec=service):
            await drivers.dnsmasq.start(service)
        case steps.StopDnsmasq(spec=service):
            await drivers.dnsmasq.stop(service)
        case steps.ChangeDnsmasq(before=one, after=other):
            await drivers.dnsmasq.change(one, other)
        case steps.StartSwitch(spec=switch):
            await drivers.vde.start(switch)
        case steps.StopSwitch(spec=switch):
            await drivers.vde.stop(switch)
        case steps.PlugSwitch(bridge=bridge, tap=tap, mtu=mtu):
            await drivers.links.plug(bridge, tap, mtu)
        case steps.SaveRecord(after=record) if record is not None:
            drivers.records.save(record)
        case steps.SaveRecord(before=record) if record is not None:
            drivers.records.remove(record.uuid)
        case steps.SaveRecord():
            pass
        case _:
            assert_never(step)


class Run:
    """One run of the stages of one plan: what was done so far, and how to take it back.

    ``total`` is the number of steps in all, for telling progress.
    """

    def __init__(
        self,
        total: int,
        drivers: Drivers,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        before_step: BeforeStep | None = None,
    ) -> None:
        self._drivers = drivers
        self._on_progress = on_progress
        self._before_step = before_step
        self._total = total
        self._begun = 0
        self._done: list[Step] = []
        self.clean = True

    async def stages(self, stages: Iterable[Stage]) -> None:
        """Do all steps, or undo all that were done by this run and raise
        :class:`~vnet_tui.engine.errors.StepFailedError`.

        ``clean`` is False from then on if something could not be undone.
        """
        for stage in stages:
            failures = await self._run_stage(stage)
            if failures:
                step, error = failures[0]
                raise await self.roll_back(describe(step), error) from error

    async def as_far_as_possible(
        self, stages: Iterable[Stage]
    ) -> tuple[tuple[Step, Exception], ...]:
        """Do all steps, whatever becomes of the others; those that failed, with the reasons."""
        failed: list[tuple[Step, Exception]] = []
        for stage in stages:
            failed += await self._run_stage(stage, go_on=True)
        return tuple(failed)

    async def undone_if_failed(self, what: str, work: Awaitable[T]) -> T:
        """Await what goes with the steps, and undo them and raise
        :class:`~vnet_tui.engine.errors.StepFailedError` where that fails."""
        try:
            return await work
        except Exception as error:
            raise await self.roll_back(what, error) from error

    async def _run_stage(
        self, stage: Stage, *, go_on: bool = False
    ) -> list[tuple[Step, Exception]]:
        """Do one stage; after a failure no step begins unless it is to ``go_on``, and those that
        began are let finish. The failures, the first one first."""
        pending = iter(stage.steps)
        failures: list[tuple[Step, Exception]] = []

        async def work() -> None:
            for step in pending:
                if failures and not go_on:
                    return
                try:
                    await self._run_one(step)
                except Exception as error:
                    failures.append((step, error))

        if stage.width == 1:
            await work()
        else:
            await asyncio.gather(*(work() for _ in range(min(stage.width, len(stage.steps)))))
        return failures

    async def _run_one(self, step: Step) -> None:
        number, self._begun = self._begun, self._begun + 1
        if self._before_step:
            self._before_step(number, step)
        if self._on_progress:
            self._on_progress(
                Progress(done=len(self._done), total=self._total, step=describe(step))
            )
        await run_step(step, self._drivers)
        self._done.append(step)

    async def roll_back(self, what: str, error: Exception) -> StepFailedError:
        """Take back everything done, last first, and say how that went.

        A failure to undo is noted and doesn't stop the rest.
        """
        undone, left = [], []
        while self._done:
            step = self._done.pop()
            try:
                for back in inverse(step):
                    await run_step(back, self._drivers)
            except (VnetError, OSError) as trouble:
                left.append(f"{describe(step)}: {trouble}")
            else:
                undone.append(describe(step))
        self.clean = not left
        cause = error.message if isinstance(error, VnetError) else str(error) or repr(error)
        remedy = error.remedy if isinstance(error, VnetError) else ""
        return StepFailedError(what, cause, undone, left, remedy)
