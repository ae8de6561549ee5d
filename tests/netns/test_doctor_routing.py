"""Policy routing that takes a network's packets elsewhere: diagnosed, and checked with packets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.lab import Lab
from tests.support.packets import Fate, Probe
from tests.support.patient import FORWARD, HOST, WEB, Patient, run
from vnet_tui.engine.doctor.explain import Answer, Query
from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.doctor.routing_rules import GUESTS
from vnet_tui.engine.doctor.ways import WAY_OUT
from vnet_tui.engine.drivers.routing import Routing, read_routing
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import Severity
from vnet_tui.sandbox.namespaces import veth

VPN = "ip route add 10.0.0.0/8 dev tun0 table 100\n"
VPN6 = "ip -6 route add fd00::/8 dev tun0 table 100\n"


@pytest.fixture
async def patient(lab: Lab) -> AsyncIterator[Patient]:
    async with Engine(lab.paths) as engine:
        made = Patient(lab, engine)
        await made.start()
        veth("tun0", "eth0", lab.machine("office"))
        yield made
        await made.close()


async def found(patient: Patient) -> tuple[Finding, ...]:
    return await patient.engine.doctor("foo", patience=0)


def reach_web(patient: Patient, who: str, version: int) -> bool:
    """Whether the guest is reached from the host, or by its forward from outside."""
    to, port = (HOST[version == 6], 123) if who == "outside" else (WEB[version == 6], 443)
    (answer,) = patient.packets.probe([Probe(who, "tcp", to, port)])
    return answer.fate is Fate.PASS


ELSEWHERE = {
    "a table for all": (f"{VPN}ip rule add lookup 100 priority 100", 4, {"host", "outside"}),
    "IPv6": (f"{VPN6}ip -6 rule add lookup 100 priority 100", 6, {"host", "outside"}),
    "by target": (f"{VPN}ip rule add to 10.0.0.0/16 lookup 100", 4, {"host", "outside"}),
    "what comes in": (f"{VPN}ip rule add iif uplink lookup 100", 4, {"outside"}),
    "what has no mark": (
        f"{VPN}ip rule add not fwmark 0x1 lookup 100 priority 9",
        4,
        {"host", "outside"},
    ),
    "thrown away": ("ip rule add to 10.0.0.8/29 blackhole", 4, {"host", "outside"}),
    "a route of the table's": (
        "ip route add prohibit 10.0.0.0/24 table 7\nip rule add lookup 7 priority 100",
        4,
        {"host", "outside"},
    ),
    "a jump": (
        f"{VPN}ip rule add lookup 100 priority 300\nip rule add goto 300 priority 200",
        4,
        {"host", "outside"},
    ),
}


@pytest.mark.parametrize(("commands", "version", "lost"), ELSEWHERE.values(), ids=ELSEWHERE)
async def test_rules_that_take_guests_elsewhere(
    patient: Patient, commands: str, version: int, lost: set[str]
) -> None:
    run(commands)
    finding, *more = await found(patient)
    assert finding.severity is Severity.ERROR
    assert finding.blocks == (GUESTS,)
    assert all(one.blocks == (WAY_OUT,) for one in more)
    assert {who for who in ("host", "outside") if not reach_web(patient, who, version)} == lost
    run("\n".join(one.command for one in (finding, *more)))
    assert await found(patient) == ()
    assert patient.broken() == set()
    assert reach_web(patient, "host", version)


async def test_an_explanation_names_the_rule(patient: Patient) -> None:
    queries = [
        Query(network="foo", source="outside", target="host", port=123, family=4),
        Query(network="foo", source="web", target="outside", port=443, family=4),
    ]
    assert [one.answer for one in await patient.explain(queries)] == [Answer.YES] * 2
    run(f"{VPN}ip rule add iif uplink lookup 100 priority 100")
    run("ip rule add from 10.0.0.0/24 iif vnet-foo blackhole priority 101")
    led, sent = await patient.explain(queries)
    assert (led.answer, led.where) == (Answer.NO, "100: from all iif uplink lookup 100")
    assert "sends it to tun0" in led.text
    assert (sent.answer, sent.where) == (Answer.NO, "101: from 10.0.0.0/24 iif vnet-foo blackhole")


async def test_a_rule_that_throws_away_what_guests_send_out(patient: Patient) -> None:
    run("ip rule add from 10.0.0.0/24 iif vnet-foo prohibit priority 50")
    (finding,) = await found(patient)
    assert finding.message == (
        "the routing rule '50: from 10.0.0.0/24 iif vnet-foo prohibit' throws away what guests in "
        "10.0.0.0/24 send out (prohibit)"
    )
    assert finding.blocks == (WAY_OUT,)
    assert {WAY_OUT} <= patient.broken() <= {WAY_OUT, FORWARD}
    run(finding.command)
    assert await found(patient) == ()
    assert patient.broken() == set()


HARMLESS = {
    "another subnet": f"{VPN}ip rule add to 10.1.0.0/16 lookup 100",
    "what is marked": f"{VPN}ip rule add fwmark 0x1 lookup 100",
    "after main": f"{VPN}ip rule add lookup 100 priority 40000",
    "only the rest": (
        "ip route add default dev tun0 table 100\n"
        "ip rule add lookup main suppress_prefixlength 0 priority 10\n"
        "ip rule add from 192.0.2.0/24 lookup 100 priority 11"
    ),
    "a throw": "ip route add throw 10.0.0.0/8 table 100\nip rule add lookup 100",
    "nothing at all": "ip rule add nop",
}


@pytest.mark.parametrize("commands", HARMLESS.values(), ids=HARMLESS)
async def test_rules_that_are_in_nobodys_way(patient: Patient, commands: str) -> None:
    run(commands)
    assert await found(patient) == ()
    assert patient.broken() == set()


async def test_what_isnt_understood_of_a_rule_is_a_doubt(patient: Patient) -> None:
    run(
        f"{VPN}ip rule add lookup 100 priority 100\n"
        "ip rule add uidrange 0-10 lookup main priority 90"
    )
    findings = await found(patient)
    assert {one.severity for one in findings} == {Severity.WARNING}
    assert "unless one before it does otherwise" in findings[0].message


def test_a_host_without_rules_of_its_own_isnt_asked_for_routes(lab: Lab) -> None:
    assert read_routing() == Routing()
