"""Random rulesets of others': what is worked out on paper is what the kernel does with packets."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from itertools import product
from random import Random

import pytest

from tests.support.conntrack import forget_connections
from tests.support.lab import Lab
from tests.support.packets import Fate, Probe
from tests.support.patient import GATEWAY, HOST, MAIL, OUTSIDE, WEB, Patient
from vnet_tui.engine.doctor.explain import Answer, Query
from vnet_tui.engine.engine import Engine

ROUNDS = 8

NFT_MATCHES = (
    'iifname "vnet-*"',
    'iifname "uplink"',
    'oifname != "uplink"',
    "tcp dport 443",
    "udp dport { 321, 400-500 }",
    "meta l4proto { tcp, udp } th dport 443",
    "ip saddr 10.0.0.0/24",
    "ip daddr { 10.0.0.10, 198.51.100.0/30 }",
    "ip6 saddr fd00:a::/64",
    "ip6 daddr != 2001:db8::/32",
    "meta nfproto ipv4",
    "ct state new",
    "ct state established,related",
    "ct status dnat",
    "ct direction reply",
    "limit rate 1000/second burst 1000 packets",
    "meta mark 0x7",
    "meta l4proto icmp",
    "ip6 nexthdr icmpv6",
)

IPTABLES_MATCHES = (
    "-i vnet-+",
    "-i uplink",
    "! -o uplink",
    "-p tcp -m tcp --dport 443",
    "-p udp -m multiport --dports 321,400:500",
    "-s 10.0.0.0/24",
    "! -d 198.51.100.0/24",
    "-m conntrack --ctstate NEW",
    "-m conntrack --ctstate RELATED,ESTABLISHED",
    "-m conntrack --ctstate DNAT",
    "-m conntrack --ctdir REPLY",
    "-m limit --limit 1000/sec --limit-burst 1000",
    "-m mark --mark 0x7",
    "-m addrtype --dst-type UNICAST",
    "-p icmp",
)


@pytest.fixture
async def patient(lab: Lab) -> AsyncIterator[Patient]:
    async with Engine(lab.paths) as engine:
        made = Patient(lab, engine)
        await made.start()
        yield made
        await made.close()


def nft(chance: Random) -> None:
    """Another table with chains that jump to one another."""
    policy = chance.choice(("accept", "drop"))
    chains = {name: _rules(chance, NFT_MATCHES, below) for name, below in BELOW.items()}
    lines = ["add table inet theirs", "delete table inet theirs", "table inet theirs {"]
    for name in reversed(chains):
        lines.append(f"chain {name} {{")
        if name == "base":
            lines.append(f"type filter hook forward priority 10; policy {policy};")
        lines += [f"{match} {_nft_verdict(chance, verdict)}" for match, verdict in chains[name]]
        lines.append("}")
    _feed(["nft", "-f", "-"], [*lines, "}"])


def iptables(kind: str, chance: Random) -> None:
    """FORWARD and two chains below it."""
    lines = ["*filter", f":FORWARD {chance.choice(('ACCEPT', 'DROP'))} [0:0]"]
    lines += [f":{name} - [0:0]" for name in ("one", "two")]
    for name, below in BELOW.items():
        chain = "FORWARD" if name == "base" else name
        for match, verdict in _rules(chance, IPTABLES_MATCHES, below):
            word, _, target = verdict.partition(" ")
            option = f"-{word[0]} {target}" if target else f"-j {verdict.upper()}"
            lines.append(f"-A {chain} {match} {option}")
    _feed([f"iptables-{kind}-restore"], [*lines, "COMMIT"])


BELOW = {"base": ("one", "two"), "one": ("two",), "two": ()}
"""Which chains each may jump to."""


def _rules(
    chance: Random, matches: tuple[str, ...], below: tuple[str, ...]
) -> list[tuple[str, str]]:
    verdicts = ["accept", "drop", "return", *(f"jump {name}" for name in below)]
    verdicts += [f"goto {name}" for name in below]
    return [(chance.choice(matches), chance.choice(verdicts)) for _ in range(chance.randint(1, 5))]


def _nft_verdict(chance: Random, verdict: str) -> str:
    return f"meta mark set 0x7 {verdict}" if chance.random() < 0.2 else verdict


def _feed(command: list[str], lines: list[str]) -> None:
    subprocess.run(command, input="\n".join([*lines, ""]), text=True, check=True)


def _probes() -> list[Probe]:
    found = []
    for version in (0, 1):
        for protocol, port in (*product(("tcp", "udp"), (443, 444)), ("icmp", 0)):
            found.append(Probe("web", protocol, OUTSIDE[version], port))
        found += [Probe("outside", protocol, HOST[version], 123) for protocol in ("tcp", "udp")]
        found += [Probe("mail", protocol, GATEWAY[version], 123) for protocol in ("tcp", "udp")]
    return found


SOURCES = {"web": WEB, "mail": MAIL, "outside": OUTSIDE}


def _query(probe: Probe) -> Query:
    return Query(
        network="foo",
        source=SOURCES[probe.who][":" in probe.to],
        target=probe.to,
        protocol=probe.protocol,
        port=probe.port or None,
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tool", ["nft", "iptables-nft", "iptables-legacy"])
async def test_paper_and_kernel_agree(patient: Patient, tool: str, seed: int) -> None:
    patient.packets.listen("outside", 444)
    chance = Random(f"{tool} {seed}")  # noqa: S311  (the same rulesets every time)
    fates = set()
    for _ in range(ROUNDS):
        forget_connections()
        if tool == "nft":
            nft(chance)
        else:
            iptables(tool.removeprefix("iptables-"), chance)
        probes = _probes()
        answers = patient.packets.probe(probes, patience=0.4)
        explanations = await patient.explain([_query(probe) for probe in probes])
        for probe, answer, explanation in zip(probes, answers, explanations, strict=True):
            passed = Answer.YES if answer.fate is Fate.PASS else Answer.NO
            fates.add(passed)
            assert explanation.answer is passed, f"{probe}: {answer.fate}, but {explanation}"
    assert fates == {Answer.YES, Answer.NO}
