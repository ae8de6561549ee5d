"""Rules that match against sets: of ipset, and of nft; read from the kernel, and with packets."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from ipaddress import ip_network

import pytest
from pyroute2.ipset import IPSet, PortEntry, PortRange

from tests.netns.test_doctor_rules import WEB
from tests.support.lab import Lab
from tests.support.patient import FORWARD, Patient, run
from vnet_tui.engine.doctor.ipsets import in_set
from vnet_tui.engine.doctor.packet import Packet
from vnet_tui.engine.doctor.reading import read_tables
from vnet_tui.engine.drivers.foreign import read_foreign
from vnet_tui.engine.drivers.ipset import Addresses, Element, IpSet, read_sets
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import Severity

IPV4, IPV6 = 2, 10  # AF_INET, AF_INET6

MATCHES: tuple[tuple[str, Packet, bool | None], ...] = (
    ("--match-set ips src", WEB, True),
    ("--match-set ips dst", WEB, False),
    ("! --match-set ips src", WEB, False),
    ("--match-set nets src", WEB, True),
    ("--match-set nets dst", WEB, False),
    ("--match-set services src,dst", WEB, True),
    ("--match-set services dst,dst", WEB, False),
    ("--match-set services src,src", WEB, False),
    ("--match-set services src,dst", replace(WEB, protocol="udp"), False),
    ("--match-set ports dst", WEB, True),
    ("--match-set ports src", WEB, False),
    ("--match-set uplinks src,src", WEB, True),
    ("--match-set uplinks src,src", replace(WEB, iif="other"), False),
    ("--match-set three src,dst,dst", WEB, True),
    ("--match-set three src,dst,src", WEB, False),
    ("--match-set any src", WEB, True),
    ("--match-set any dst", WEB, False),
    ("--match-set empty src", WEB, False),
    ("--match-set ips src --return-nomatch", WEB, None),
)


@pytest.fixture
def sets(lab: Lab) -> Iterator[IPSet]:
    with IPSet() as made:
        yield made


@pytest.fixture
def filled(sets: IPSet) -> None:
    """A set of each kind."""
    sets.create("empty", stype="hash:ip", family=IPV4)
    sets.create("ips", stype="hash:ip", family=IPV4)
    sets.add("ips", "10.0.0.10", etype="ip")
    sets.create("nets", stype="hash:net", family=IPV4)
    sets.add("nets", "10.0.0.8/30", etype="net")
    sets.create("services", stype="hash:ip,port", family=IPV4)
    sets.add("services", ("10.0.0.10", PortEntry(443, protocol=6)), etype="ip,port")
    sets.create("ports", stype="bitmap:port", bitmap_ports_range=(1, 1000))
    sets.add("ports", PortRange(400, 500, protocol=None), etype="port")
    sets.create("uplinks", stype="hash:net,iface", family=IPV4)
    sets.add("uplinks", ("10.0.0.0/8", "vnet-foo"), etype="net,iface")
    sets.create("three", stype="hash:ip,port,net", family=IPV4)
    three = ("10.0.0.10", PortEntry(443, protocol=6), "198.51.100.0/24")
    sets.add("three", three, etype="ip,port,net")
    sets.create("any", stype="list:set")
    sets.add("any", "empty", etype="set")
    sets.add("any", "nets", etype="set")


@pytest.mark.parametrize("kind", ["nft", "legacy"])
def test_matches_against_sets(filled: None, kind: str) -> None:
    for position, (match, _, _) in enumerate(MATCHES):
        lines = f"*mangle\n:c{position} - [0:0]\n-A c{position} -m set {match} -j ACCEPT\nCOMMIT\n"
        restore = [f"iptables-{kind}-restore", "--noflush"]
        subprocess.run(restore, input=lines, text=True, check=True)
    others = read_tables(read_foreign())
    assert others.unread == ()
    (table,) = [table for table in others.tables if table.name == "mangle"]
    wrong = []
    for position, (match, packet, want) in enumerate(MATCHES):
        (rule,) = table.chains[f"c{position}"].rules
        if (got := rule.holds(packet)) is not want:
            wrong.append(f"{match}: expected {want}, got {got}")
    assert not wrong, "\n".join(wrong)


def test_large_sets_come_whole(sets: IPSet) -> None:
    sets.create("large", stype="hash:ip", family=IPV6)
    for number in range(3000):
        sets.add("large", f"2001:db8::{number:x}", family=IPV6, etype="ip")
    (found,) = read_sets(frozenset({"large", "nowhere"})).values()
    assert (found.type, len(found.elements), found.complete) == ("hash:ip", 3000, True)


def test_what_isnt_understood_of_a_set_is_in_doubt() -> None:
    cards = IpSet("cards", "hash:mac", (Element((None,)),))
    assert in_set({"cards": cards}, ("cards", "src"))(WEB) is None
    assert in_set({}, ("unread", "src"))(WEB) is None


def test_an_exception_in_a_set_decides_for_what_is_in_it() -> None:
    def element(text: str, *, excluded: bool = False) -> Element:
        subnet = ip_network(text)
        return Element((Addresses(subnet.network_address, subnet.broadcast_address),), excluded)

    elements = (element("10.0.0.0/24"), element("10.0.0.8/29", excluded=True))
    holds = in_set({"holes": IpSet("holes", "hash:net", elements)}, ("holes", "src"))
    assert holds(WEB) is False
    assert holds(replace(WEB, source=WEB.source + 10)) is True
    partly = in_set({"part": IpSet("part", "hash:net", elements[1:], False)}, ("part", "src"))
    assert partly(replace(WEB, source=WEB.source + 10)) is None


@pytest.fixture
async def patient(lab: Lab) -> AsyncIterator[Patient]:
    async with Engine(lab.paths) as engine:
        made = Patient(lab, engine)
        await made.start()
        yield made
        await made.close()


@pytest.fixture
def named(sets: IPSet) -> None:
    """The sets that the rules name."""
    sets.create("guests", stype="hash:net", family=IPV4)
    sets.add("guests", "10.0.0.0/27", etype="net")
    sets.create("others", stype="hash:net,port", family=IPV4)
    sets.add("others", ("10.0.0.32/27", PortEntry(443, protocol=6)), etype="net,port")
    sets.create("shut", stype="bitmap:port", bitmap_ports_range=(1, 1000))
    sets.add("shut", PortRange(300, 330, protocol=None), etype="port")


RULES = {
    "legacy iptables": (
        "iptables-legacy -A FORWARD -m set --match-set guests src -p tcp --sport 321 -j DROP\n"
        "iptables-legacy -A FORWARD -m set --match-set guests src -p udp --sport 321 -j DROP\n"
        "iptables-legacy -A FORWARD -m set --match-set others src,dst -j DROP"
    ),
    "iptables on nft": (
        "iptables-nft -A FORWARD -m set --match-set guests dst -m set --match-set shut dst -j DROP"
    ),
    "nft": (
        "nft -f - <<'END'\ntable inet theirs {\nset shut { type ipv4_addr . inet_service; "
        "flags interval; elements = { 10.0.0.0/24 . 300-330 } }\n"
        "set calm { type ipv4_addr; elements = { 192.0.2.1 } }\n"
        "chain c {\ntype filter hook forward priority 0;\n"
        "ip saddr @calm drop\nip daddr . th dport @shut drop\n}\n}\nEND"
    ),
    "a map of nft's": (
        "nft -f - <<'END'\ntable inet theirs {\nmap verdicts { type ipv4_addr : verdict; "
        "flags interval; elements = { 10.0.0.0/28 : drop, 10.0.0.64/26 : accept } }\n"
        "chain c {\ntype filter hook forward priority 0;\n"
        "tcp dport 321 ip daddr vmap @verdicts\nudp dport 321 ip daddr vmap @verdicts\n}\n}\nEND"
    ),
}


@pytest.mark.parametrize("commands", RULES.values(), ids=RULES)
async def test_a_diagnosis_is_what_packets_find(
    patient: Patient, named: None, commands: str
) -> None:
    run(commands)
    findings = await patient.engine.doctor("foo", patience=0)
    assert {what for one in findings for what in one.blocks} == patient.broken() == {FORWARD}
    for finding in findings:
        assert finding.severity is Severity.ERROR
        run(finding.command)
    assert patient.broken() == set()
    assert await patient.engine.doctor("foo", patience=0) == ()
