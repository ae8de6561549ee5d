"""Changes on a host in memory, with faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from tests.support.networks import record
from tests.support.simulated import SimulatedHost
from vnet_tui.engine.change_request import Request, Running
from vnet_tui.engine.changes import Changes
from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.errors import DriverError, Problem
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.steps import Step
from vnet_tui.engine.xml import parse


class Bench:
    """Changes on a simulated host, with a fault at a chosen step."""

    def __init__(self, directory: Path) -> None:
        self.host = SimulatedHost()
        self.paths = Paths(state=directory / "state", run=directory / "run")
        self.steps: list[Step] = []
        self.fail_at: int | None = None
        self.kill_at: int | None = None
        self.on_step: Callable[[Step], None] = lambda _: None
        self.changes = self._changes()

    def _changes(self) -> Changes:
        async def no_conflict(_: DesiredNetwork, had: DesiredNetwork | None) -> tuple[Problem, ...]:
            return ()

        return Changes(
            self.paths,
            self.host.drivers,
            parse=parse,
            service_conflicts=no_conflict,
            before_step=self._before_step,
        )

    def _before_step(self, number: int, step: Step) -> None:
        self.steps.append(step)
        self.on_step(step)
        if number == self.fail_at:
            raise DriverError("injected")
        if number == self.kill_at:
            self.host.dead = True
            raise DriverError("killed")

    async def revive(self, told: Callable[[str], None] = lambda _: None) -> None:
        """What the next process does first."""
        self.host.dead = False
        self.kill_at = None
        self.changes = self._changes()
        self.changes.on_recovery = told
        await self.changes.recover()

    async def bring(
        self,
        networks: Sequence[Network],
        *,
        recreate: frozenset[UUID] = frozenset(),
        services: frozenset[UUID] | None = None,
    ) -> list[Step]:
        """Make exactly these networks run; the steps that it took."""
        self.steps = []

        def prepare(running: Running) -> Request:
            wanted = {one.uuid: (record(one), one) for one in networks if one.uuid}
            return Request(
                records=wanted,
                scope=frozenset(wanted) | frozenset(running),
                recreate=recreate,
                services=services,
            )

        await self.changes.run(prepare)
        return self.steps
