"""What the doctor says of others' firewalls, checked with packets both ways.

What he says is stopped is stopped, and nothing else is; the commands that he gives open it; and
when all is well he is silent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.hosts import FIREWALLS
from tests.support.lab import Lab
from tests.support.patient import FORWARD, Patient, run
from vnet_tui.engine.doctor.ways import DNS, NEIGHBOURS, UPLINK_NEIGHBOURS, WAY_OUT
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import Severity

NEED_NEIGHBOURS = {DNS, WAY_OUT, FORWARD}


HOSTS = [
    *((name, "nftables") for name in FIREWALLS),
    *((name, "iptables") for name in ("docker_legacy", "ufw_legacy", "firewalld")),
]
"""The other firewall, and the driver of ours beside it."""


@pytest.fixture
async def patient(lab: Lab, driver: str) -> AsyncIterator[Patient]:
    async with Engine(lab.paths, firewall=driver) as engine:
        made = Patient(lab, engine)
        await made.start()
        yield made
        await made.close()


@pytest.mark.parametrize(("firewall", "driver"), HOSTS)
async def test_a_diagnosis_is_what_packets_find(patient: Patient, firewall: str) -> None:
    assert patient.broken() == set()
    assert await patient.engine.doctor("foo", patience=0) == ()
    FIREWALLS[firewall]()
    findings = await patient.engine.doctor("foo", patience=0)
    said = {what for finding in findings for what in finding.blocks}
    broken = patient.broken()
    if NEIGHBOURS in said:  # without them IPv6 does nothing that needs an address of the host
        broken -= NEED_NEIGHBOURS - said
        said -= {UPLINK_NEIGHBOURS}
    assert said == broken, "\n".join(map(str, findings))
    assert said
    for finding in findings:
        assert finding.severity is Severity.ERROR
        assert finding.commands, finding
        run(finding.command)
    assert patient.broken() == set()
    assert await patient.engine.doctor("foo", patience=0) == ()
