"""Forwards of many ports, of which others stop some."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.lab import Lab
from tests.support.packets import Fate, Probe
from tests.support.patient import FOO, HOST, Patient, run
from vnet_tui.engine.doctor.asked_ports import worth_following
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.model import PortRange

LED = '<allow port="5000-5100" domain="web" destport="6000-6100"/>'
WHAT = "allow tcp+udp 5000-5100 → web:6000-6100"
TABLE = "add table inet mine; add chain inet mine {0} {{ type filter hook {0} priority 0; }}"


@pytest.fixture
async def patient(lab: Lab) -> AsyncIterator[Patient]:
    async with Engine(lab.paths) as engine:
        made = Patient(lab, engine)
        await made.start(FOO.replace("<incoming>", f"<incoming>{LED}"))
        made.packets.listen("web", 6042)
        yield made
        await made.close()


@pytest.mark.parametrize(
    ("hook", "rule"),
    [
        ("forward", "tcp dport 6042 drop"),
        ("forward", "tcp dport 6040-6050 drop"),
        ("prerouting", 'iifname "uplink" tcp dport 5042 drop'),
        ("forward", "tcp sport 6042 drop"),
    ],
)
async def test_a_port_in_the_middle_is_stopped_and_opened(
    patient: Patient, hook: str, rule: str
) -> None:
    asked = Probe("outside", "tcp", HOST[0], 5042)
    assert [one.fate for one in patient.packets.probe([asked])] == [Fate.PASS]
    assert await patient.engine.doctor("foo", patience=0) == ()
    # Before translation, where it is asked for on the way in.
    priority = TABLE.replace("priority 0", "priority -300") if hook == "prerouting" else TABLE
    run(f"nft '{priority.format(hook)}; add rule inet mine {hook} {rule}'")
    assert [one.fate for one in patient.packets.probe([asked])] == [Fate.LOST]
    (finding,) = await patient.engine.doctor("foo", patience=0)
    assert finding.blocks == (WHAT,)
    run(finding.command)
    assert [one.fate for one in patient.packets.probe([asked])] == [Fate.PASS]
    assert await patient.engine.doctor("foo", patience=0) == ()


def test_few_of_many_ports_are_followed() -> None:
    asked, led = PortRange(first=100, last=40_000), PortRange(first=10_100, last=50_000)
    named = frozenset({99, 100, 7000, 10_101, 40_000, 60_000})
    assert [*worth_following(asked, led, named)] == [0, 1, 6900, 10_001, 29_900, 39_900]
    assert [*worth_following(asked, PortRange(first=80, last=80), frozenset())] == [0, 39_900]
    assert [*worth_following(led, led, frozenset(range(65_536)))] == [*range(15), 39_900]
    assert [*worth_following(PortRange(first=7, last=7), led, named)] == [0]
