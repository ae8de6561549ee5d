"""What others do to frames, on the bridge and at interfaces, diagnosed and checked with packets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.lab import Lab
from tests.support.patient import FORWARD, MAIL, Patient, run
from vnet_tui.engine.doctor.explain import Answer, Query
from vnet_tui.engine.doctor.ways import (
    ADVERTISING,
    ARP,
    BRIDGED,
    DHCP,
    DHCP6,
    DNS,
    NEIGHBOURS,
    UPLINK_ARP,
    WAY_OUT,
)
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import Severity


@pytest.fixture
async def patient(lab: Lab) -> AsyncIterator[Patient]:
    async with Engine(lab.paths) as engine:
        made = Patient(lab, engine)
        await made.start()
        yield made
        await made.close()


def nft(family: str, hook: str, *rules: str, policy: str = "accept", priority: int = 0) -> str:
    """Commands that make a table of nft's with one chain."""
    lines = "\n".join(rules)
    return (
        f"nft -f - <<'END'\ntable {family} theirs {{\nchain c {{\n"
        f"type filter hook {hook} priority {priority}; policy {policy};\n{lines}\n}}\n}}\nEND"
    )


SHUT = {
    "the bridge to the host": (
        nft("bridge", "input", "ether type arp accept", policy="drop"),
        {DHCP, DNS, NEIGHBOURS, ADVERTISING, DHCP6, WAY_OUT, FORWARD},
    ),
    "guests from each other": (nft("bridge", "forward", policy="drop"), {BRIDGED}),
    "ARP": (nft("bridge", "prerouting", "ether type arp drop"), {ARP, BRIDGED}),
    "what the host answers": (
        nft("bridge", "output", "udp sport 53 drop", "tcp sport 53 drop"),
        {DNS},
    ),
    "one guest's web": (
        nft("netdev", 'ingress device "p-web"', "tcp dport 443 drop"),
        {WAY_OUT, BRIDGED},
    ),
    "one guest's DHCP": (
        nft("netdev", 'ingress device "p-web"', "udp dport { 67, 547 } drop"),
        {DHCP, DHCP6},
    ),
    "DHCP on its way to the guests": (
        nft("netdev", 'egress devices = { "p-web", "p-mail" }', "udp sport 67 drop"),
        {DHCP},
    ),
    "the forward at the uplink": (
        nft("netdev", 'ingress device "uplink"', "tcp dport 123 drop", "udp dport 123 drop"),
        {FORWARD},
    ),
    "web at the bridge": (
        nft("inet", 'ingress device "vnet-foo"', "tcp dport 443 drop"),
        {WAY_OUT},
    ),
    "replies at the uplink": (
        nft("netdev", 'egress device "uplink"', "tcp sport 123 drop", "udp sport 123 drop"),
        {FORWARD},
    ),
    "ebtables, guests to each other": ("ebtables-nft -P FORWARD DROP", {BRIDGED}),
    "ebtables, all but ARP and DHCP": (
        "ebtables-nft -A INPUT -p ARP -j ACCEPT\n"
        "ebtables-nft -A INPUT -p IPv4 --ip-proto udp --ip-dport 67 -j ACCEPT\n"
        "ebtables-nft -P INPUT DROP",
        {DNS, NEIGHBOURS, ADVERTISING, DHCP6, WAY_OUT, FORWARD},
    ),
    "ebtables, a chain of its own": (
        "ebtables-nft -N guests -P RETURN\n"
        "ebtables-nft -A guests -p IPv4 --ip-proto udp --ip-sport 53 -j DROP\n"
        "ebtables-nft -A guests -p IPv6 --ip6-proto udp --ip6-sport 53 -j DROP\n"
        "ebtables-nft -A OUTPUT -o p-+ -j guests",
        {DNS},
    ),
    "arptables": (
        "nft add table arp theirs\n" + nft("arp", "input", policy="drop"),
        {ARP},
    ),
}
"""What is shut, and what doesn't work then."""


@pytest.mark.parametrize(("commands", "expected"), SHUT.values(), ids=SHUT)
async def test_a_diagnosis_is_what_packets_find(
    patient: Patient, commands: str, expected: set[str]
) -> None:
    assert patient.broken() == set()
    run(commands)
    findings = await patient.engine.doctor("foo", patience=0)
    said = {what for finding in findings for what in finding.blocks}
    broken = patient.broken()
    if said & {ARP, NEIGHBOURS}:  # without them nothing comes through that needs an address
        broken -= {DNS, WAY_OUT, FORWARD} - said
        said -= {UPLINK_ARP}
    assert said == broken == expected, "\n".join(map(str, findings))
    for finding in findings:
        assert finding.severity is Severity.ERROR
        assert finding.commands, finding
        run(finding.command)
    assert patient.broken() == set()
    assert await patient.engine.doctor("foo", patience=0) == ()


async def test_whose_guest_it_is_about(patient: Patient) -> None:
    run(nft("netdev", 'ingress device "p-mail"', "udp dport 67 drop"))
    (finding,) = await patient.engine.doctor("foo", patience=0)
    assert finding.blocks == (DHCP,)
    assert finding.message.endswith("udp dport 67 drop (for the guests at p-mail)")
    assert patient.broken() == set()  # which asks web


async def test_hardware_addresses_are_in_doubt(patient: Patient) -> None:
    run(nft("bridge", "input", "ether saddr 02:00:00:00:00:99 drop", "ether type vlan drop"))
    (finding,) = await patient.engine.doctor("foo", patience=0)
    assert finding.severity is Severity.WARNING
    assert "can't be worked out on paper" in finding.message
    assert "ether saddr" in finding.where
    assert patient.broken() == set()


async def test_an_explanation_knows_of_the_bridge(patient: Patient) -> None:
    query = Query(network="foo", source="web", target=MAIL[0], protocol="tcp", port=443)
    (before,) = await patient.explain([query])
    assert before.answer is Answer.YES
    run(nft("bridge", "forward", "tcp dport 443 drop"))
    (after,) = await patient.explain([query])
    assert after.answer is Answer.NO
    assert "table bridge theirs, chain c: tcp dport 443 drop" in str(after)
