"""Explanations, each checked with the packet that it is about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import product

import pytest

from tests.support.hosts import FIREWALLS
from tests.support.lab import Lab
from tests.support.packets import Fate, Probe
from tests.support.patient import FOO, GATEWAY, HOST, MAIL, OUTSIDE, WEB, Patient, run
from vnet_tui.engine.doctor.explain import Answer, Explanation, Query
from vnet_tui.engine.doctor.ours import Decider
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import VnetError

RULES = """<forwarding>
<incoming>
  <deny port="124"/>
  <allow port="123-124" domain="web" destport="321-322"/>
  <allow port="125" domain="nobody"/>
  <allow port="443" protocol="tcp"/>
</incoming>
<outgoing>
  <deny port="25"/>
  <deny protocol="udp" destination="198.51.100.0/24"/>
  <allow port="443" domain="nobody"/>
</outgoing>
</forwarding>"""

ADDRESSES = {"web": WEB, "mail": MAIL, "host": HOST, "outside": OUTSIDE}
PORTS = (25, 53, 123, 124, 125, 321, 322, 443)


@dataclass(frozen=True)
class Case:
    """A question, and how it is answered."""

    source: str
    target: str
    port: int | None
    answer: Answer
    decider: Decider
    text: str
    protocol: str = "tcp"
    family: int | None = 4


CASES = (
    Case("web", "outside", 443, Answer.YES, Decider.DEFAULT, "default allow of <outgoing> of foo"),
    Case("web", "outside", 25, Answer.NO, Decider.RULE, "rule 1 of <outgoing> of foo: deny"),
    Case("web", OUTSIDE[0], 80, Answer.NO, Decider.RULE, "rule 2 of <outgoing>", "udp"),
    Case("web", OUTSIDE[1], 80, Answer.YES, Decider.DEFAULT, "default allow", "udp", None),
    Case("web", "mail", 80, Answer.YES, Decider.SAME_NETWORK, "both are on foo"),
    Case("outside", "host", 123, Answer.YES, Decider.RULE, "rule 2 of <incoming> of foo: allow"),
    Case("outside", "host", 124, Answer.NO, Decider.RULE, "rule 1 of <incoming> of foo: deny"),
    Case("outside", "host", 125, Answer.YES, Decider.WAITING, "waits for its guest"),
    Case("outside", "web", 443, Answer.YES, Decider.RULE, "rule 4 of <incoming> of foo: allow"),
    Case("outside", "web", 321, Answer.NO, Decider.DEFAULT, "default deny of <incoming> of foo"),
    Case("outside", "web", None, Answer.NO, Decider.DEFAULT, "default deny", "icmp"),
    Case("web", "host", 53, Answer.YES, Decider.NOBODY, "reaches the host itself", "udp"),
    Case("mail", "host", 123, Answer.YES, Decider.RULE, "rule 2 of <incoming> of foo"),
    Case("host", "web", 25, Answer.YES, Decider.NOBODY, "what the host itself opens"),
    Case("host", HOST[1], 123, Answer.YES, Decider.RULE, "rule 2 of <incoming>", "tcp", None),
    Case("host", "127.0.0.1", 123, Answer.YES, Decider.RULE, "rule 2 of <incoming>", "tcp", None),
    Case("host", "::1", 123, Answer.YES, Decider.NOBODY, "reaches the host itself", "tcp", None),
    Case("web", "nobody", 80, Answer.NO, Decider.WAITING, "nobody has no address now"),
    Case("web", "10.77.0.1", 80, Answer.YES, Decider.DEFAULT, "default allow", "tcp", None),
)


@pytest.fixture
async def patient(lab: Lab) -> AsyncIterator[Patient]:
    async with Engine(lab.paths) as engine:
        made = Patient(lab, engine)
        forward = FOO[FOO.index("<forwarding>") : FOO.index("</network>")]
        reserved = '<host name="mail" address="10.0.0.11"/><host name="mail" address="fd00:a::11"/>'
        document = FOO.replace(forward, RULES).replace("</dhcp>", f"{reserved}</dhcp>")
        await made.start(document)
        made.outside.run("ip", "route", "add", "10.0.0.0/24", "via", HOST[0])
        made.outside.run("ip", "route", "add", "fd00:a::/64", "via", HOST[1])
        taken = {"web": {321, 443}, "mail": {443}, "outside": {443}, "host": {53}}
        for machine, ports in taken.items():
            made.packets.listen(machine, *(set(PORTS) - ports))
        yield made
        await made.close()


async def asked(patient: Patient, case: Case) -> Explanation:
    query = Query(
        network="foo",
        source=case.source,
        target=case.target,
        protocol=case.protocol,
        port=case.port,
        family=case.family,
    )
    return await patient.engine.explain(query)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.source}-{case.target}-{case.port}")
async def test_who_decides(patient: Patient, case: Case) -> None:
    explanation = await asked(patient, case)
    assert (explanation.answer, explanation.decider) == (case.answer, case.decider), explanation
    assert case.text in explanation.text


async def test_the_foreign_rule_that_decides(patient: Patient) -> None:
    FIREWALLS["docker"]()
    case = Case("web", "outside", 443, Answer.NO, Decider.FOREIGN, "")
    explanation = await asked(patient, case)
    assert explanation.decider is Decider.FOREIGN
    assert explanation.where == "iptables table filter, chain FORWARD: policy drop"
    assert any("default allow of <outgoing>" in step for step in explanation.steps)


async def test_what_cant_be_worked_out_is_said_so(patient: Patient) -> None:
    FIREWALLS["nft_filter"]()
    run("nft insert rule inet filter forward meta hour 00:00-12:00 accept")
    case = Case("web", "outside", 443, Answer.MAYBE, Decider.FOREIGN, "")
    explanation = await asked(patient, case)
    assert explanation.answer is Answer.MAYBE
    assert "meta hour" in explanation.text


@pytest.mark.parametrize("firewall", ["none", "docker", "ufw_legacy", "firewalld", "nft_filter"])
async def test_answers_are_what_packets_find(patient: Patient, firewall: str) -> None:
    """Every question there is about these machines, protocols and ports."""
    if firewall != "none":
        FIREWALLS[firewall]()
    probes = []
    for source, target, version in product(ADDRESSES, ADDRESSES, (4, 6)):
        if source == target:
            continue
        gateway = target == "host" and source in ("web", "mail")
        address = (GATEWAY if gateway else ADDRESSES[target])[version == 6]
        probes.append(Probe(source, "icmp", address))
        # To what the host's own DNS server listens on these packets would be no question.
        ports = [port for port in PORTS if (target, port) != ("host", 53)]
        for protocol, port in product(("tcp", "udp"), ports):
            probes.append(Probe(source, protocol, address, port))
    fates = [answer.fate for answer in patient.packets.probe(probes, patience=1.5)]
    wrong = []
    queries = [
        Query(
            network="foo",
            source=ADDRESSES[probe.who][":" in probe.to],
            target=probe.to,
            protocol=probe.protocol,
            port=probe.port or None,
        )
        for probe in probes
    ]
    explanations = await patient.explain(queries)
    for probe, fate, explanation in zip(probes, fates, explanations, strict=True):
        # Refused: it got there, and nobody listens.
        arrived = fate in (Fate.PASS, Fate.REFUSED)
        if explanation.answer is Answer.MAYBE or arrived != (explanation.answer is Answer.YES):
            wrong.append(f"{probe}: {fate}, but {explanation} {explanation.steps}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (Query(network="foo", source="web", target="host", port=0), "a port from 1 to 65535"),
        (Query(network="foo", source="web", target="host", protocol="sctp", port=1), "no protocol"),
        (Query(network="foo", source="web", target="host", protocol="icmp", port=1), "no ports"),
        (Query(network="fo", source="web", target="host", port=1), "did you mean foo"),
    ],
)
async def test_questions_that_make_no_sense(patient: Patient, query: Query, told: str) -> None:
    with pytest.raises(VnetError, match=told):
        await patient.engine.explain(query)
