"""Plans, and how they are undone, written out: one folder a case.

``current`` and ``desired`` hold the documents of what runs and what shall run; ``plan`` and
``undo`` the steps in words, each with what it disturbs. ``UPDATE_GOLDEN=1`` writes them anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.networks import record
from tests.support.simulated import SimulatedHost
from vnet_tui.engine.change_request import Request, Running
from vnet_tui.engine.changes import Changes
from vnet_tui.engine.describe import describe, disturbance
from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.steps import Step
from vnet_tui.engine.undo import inverse
from vnet_tui.engine.xml import parse

CASES = sorted(path for path in (Path(__file__).parent / "plan").iterdir())


async def _free(_: DesiredNetwork, had: DesiredNetwork | None) -> tuple[Problem, ...]:
    return ()


def _request(directory: Path) -> Request:
    networks = [parse(path.read_text()) for path in sorted(directory.glob("*.xml"))]
    running: Running = {
        one.uuid: (record(one, number), one)
        for number, one in enumerate(networks, start=1)
        if one.uuid
    }
    return Request(records=running, scope=frozenset(running))


def _text(steps: Iterable[Step]) -> str:
    return "".join(f"{describe(step)}  [{disturbance(step)}]\n" for step in steps)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
async def test_plan_and_undo_are_as_written(case: Path, tmp_path: Path) -> None:
    current = _request(case / "current")
    desired = _request(case / "desired")
    request = Request(
        records=desired.records, scope=frozenset(current.records) | frozenset(desired.records)
    )
    host = SimulatedHost()
    changes = Changes(
        Paths(state=tmp_path / "state", run=tmp_path / "run"),
        host.drivers,
        parse=parse,
        service_conflicts=_free,
    )
    await changes.run(lambda _running: current)
    plan = await changes.preview(lambda _running: request)
    undo = [back for step in reversed(plan.steps) for back in inverse(step)]
    told = {"plan": _text(plan.steps), "undo": _text(undo)}
    for name, text in told.items():
        if os.environ.get("UPDATE_GOLDEN"):
            (case / name).write_text(text)
        assert (case / name).read_text() == text
