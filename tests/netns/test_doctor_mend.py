"""What the doctor says is done on request: just that, and only while he still says it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.support.hosts import FIREWALLS
from tests.support.lab import Lab
from tests.support.patient import Patient
from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import DriverError, Severity, StateError


@pytest.fixture
async def patient(lab: Lab) -> AsyncIterator[Patient]:
    async with Engine(lab.paths) as engine:
        made = Patient(lab, engine)
        await made.start()
        yield made
        await made.close()


async def test_findings_are_mended_one_by_one_until_nothing_is_in_the_way(
    patient: Patient,
) -> None:
    FIREWALLS["docker"]()
    findings = await patient.engine.doctor("foo", patience=0)
    assert findings
    assert patient.broken()
    while findings:
        left = await patient.engine.mend("foo", findings[0])
        assert findings[0] not in left
        findings = left
    assert patient.broken() == set()
    told = [event.message for event in await patient.engine.past_events("foo")]
    assert any(message.startswith("mended on request: ") for message in told)


async def test_only_what_the_doctor_says_now_is_run(patient: Patient) -> None:
    FIREWALLS["docker"]()
    (first, *_) = await patient.engine.doctor("foo", patience=0)
    broken = patient.broken()
    forged = replace(first, commands=(("nft", "flush", "ruleset"),))
    invented = Finding(severity=Severity.ERROR, blocks=(), message="x", commands=(("true",),))
    for finding in (forged, invented):
        with pytest.raises(StateError, match="isn't any more as it was found"):
            await patient.engine.mend("foo", finding)
    with pytest.raises(StateError, match="no command mends this"):
        await patient.engine.mend("foo", replace(first, commands=()))
    assert patient.broken() == broken


async def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    from vnet_tui.engine.doctor.mend import run

    with pytest.raises(DriverError, match=r"no-such-program-here x: No such file.*done before: tr"):
        await run([("true",), ("no-such-program-here", "x")])
    with pytest.raises(DriverError, match=r"cat /nowhere: .*No such file"):
        await run([("cat", "/nowhere")])
