"""Single rules on paper: put into the kernel, read back as the doctor reads them, evaluated."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from ipaddress import ip_address

import pytest

from vnet_tui.engine.doctor.packet import Layer, Packet
from vnet_tui.engine.doctor.reading import Others, read_tables
from vnet_tui.engine.doctor.tables import Kind, Rule
from vnet_tui.engine.drivers.foreign import read_foreign

WEB = Packet(
    protocol="tcp",
    source=ip_address("10.0.0.10"),
    target=ip_address("198.51.100.2"),
    iif="vnet-foo",
    oif="uplink",
    sport=50000,
    dport=443,
)
"""What the rules are asked about, unless they say otherwise."""

LED = replace(
    WEB,
    source=ip_address("198.51.100.2"),
    target=ip_address("10.0.0.10"),
    iif="uplink",
    oif="vnet-foo",
    dport=321,
    translated=True,
    asked=ip_address("198.51.100.1"),
    asked_port=123,
)
DISCOVER = Packet(
    protocol="udp",
    source=ip_address("0.0.0.0"),  # noqa: S104  (a client without an address)
    target=ip_address("255.255.255.255"),
    iif="vnet-foo",
    sport=68,
    dport=67,
    target_type="broadcast",
)
SOLICIT = Packet(
    protocol="icmpv6",
    source=ip_address("fe80::2"),
    target=ip_address("ff02::1:ff00:1"),
    iif="vnet-foo",
    icmp_type="nd-neighbor-solicit",
    state="untracked",
    target_type="multicast",
)
ANSWER = replace(
    WEB,
    source=WEB.target,
    target=WEB.source,
    iif="uplink",
    oif="vnet-foo",
    sport=443,
    dport=50000,
    state="established",
    reply=True,
)

NFT: tuple[tuple[str, Packet, bool | None], ...] = (
    ('iifname "vnet-foo"', WEB, True),
    ('iifname "vnet-*"', WEB, True),
    ('iifname "docker*"', WEB, False),
    ('iifname != "docker0" oifname "uplink"', WEB, True),
    ('iifname { "lo", "vnet-foo" }', WEB, True),
    ("ip saddr 10.0.0.0/8", WEB, True),
    ("ip saddr != 10.0.0.0/8", WEB, False),
    ("ip saddr @some", WEB, True),
    ("ip daddr @some", WEB, False),
    ("ip6 saddr fe80::/10", WEB, False),
    ("ip6 saddr fe80::/10", SOLICIT, True),
    ("ip saddr 10.0.0.5-10.0.0.15", WEB, True),
    ("tcp dport 443", WEB, True),
    ("tcp dport != 443", WEB, False),
    ("tcp dport { 80, 400-500 }", WEB, True),
    ("tcp sport >= 1024", WEB, True),
    ("udp dport 443", WEB, False),
    ("meta l4proto { tcp, udp } th dport 443", WEB, True),
    ("meta l4proto ipv6-icmp", SOLICIT, True),
    ("ip protocol tcp", WEB, True),
    ("ip saddr . tcp dport { 10.0.0.10 . 443 }", WEB, True),
    ("ip saddr . tcp dport { 10.0.0.10 . 444 }", WEB, False),
    ("ct state new", WEB, True),
    ("ct state { established, related }", WEB, False),
    ("ct state established,related", ANSWER, True),
    ("ct state != new", WEB, False),
    ("ct state untracked", SOLICIT, True),
    ("ct status dnat", WEB, False),
    ("ct status dnat", LED, True),
    ("meta l4proto tcp ct original proto-dst 123", LED, True),
    ("ct original ip daddr 198.51.100.1", LED, True),
    ("ct direction reply", ANSWER, True),
    ("fib daddr type broadcast", DISCOVER, True),
    ("fib daddr type local", WEB, False),
    ("fib saddr . iif oif missing", WEB, False),
    ("fib saddr . iif oif missing", replace(WEB, back=False), True),
    ("meta mark 0", WEB, True),
    ("meta mark & 0xff == 0x1", WEB, False),
    ("meta pkttype broadcast", DISCOVER, True),
    ("limit rate 5/minute", WEB, True),
    ("limit rate over 5/minute", WEB, False),
    ("icmpv6 type { nd-neighbor-solicit, echo-request }", SOLICIT, True),
    ("ip6 hoplimit 255", SOLICIT, True),
    ("tcp flags & (fin | syn | rst | ack) == syn", WEB, True),
    ("tcp flags & (fin | syn | rst | ack) != syn", WEB, False),
    ("tcp flags syn / syn,ack", WEB, True),
    ('log prefix "x" counter', WEB, True),
    ("rt type 0", SOLICIT, False),
    ("frag id 1", SOLICIT, False),
    ("meta day Monday", WEB, None),
    ("ip ttl 64", WEB, None),
    ("meta skuid 0", WEB, None),
    ("meta day Monday tcp dport 22", WEB, False),
)

IPTABLES: tuple[tuple[str, Packet, bool | None], ...] = (
    ("-i vnet-foo", WEB, True),
    ("-i vnet-+", WEB, True),
    ("! -i docker0 -o uplink", WEB, True),
    ("-s 10.0.0.0/24 -d 198.51.100.0/255.255.255.0", WEB, True),
    ("! -s 10.0.0.0/24", WEB, False),
    ("-p tcp --dport 400:500", WEB, True),
    ("-p tcp ! --dport 443", WEB, False),
    ("-p udp --dport 443", WEB, False),
    ("-p tcp -m multiport --dports 80,440:450", WEB, True),
    ("-p tcp -m multiport ! --dports 80,443", WEB, False),
    ("-m conntrack --ctstate NEW,RELATED", WEB, True),
    ("-m conntrack --ctstate DNAT", LED, True),
    ("-m conntrack --ctstatus EXPECTED", WEB, False),
    ("-p tcp -m conntrack --ctorigdstport 123", LED, True),
    ("-m state --state ESTABLISHED", ANSWER, True),
    ("-m state ! --state NEW", WEB, False),
    ("-m addrtype --dst-type BROADCAST", DISCOVER, True),
    ("-m addrtype ! --dst-type LOCAL", WEB, True),
    ("-m mark --mark 0x1/0x1", WEB, False),
    ("-m mark ! --mark 0x1", WEB, True),
    ("-m limit --limit 3/min --limit-burst 10", WEB, True),
    ('-m comment --comment "-j DROP ! it"', WEB, True),
    ("-m iprange --src-range 10.0.0.5-10.0.0.15", WEB, True),
    ("-m pkttype --pkt-type broadcast", DISCOVER, True),
    ("-p tcp --syn", WEB, True),
    (
        "-p icmp --icmp-type echo-request",
        replace(WEB, protocol="icmp", icmp_type="echo-request"),
        True,
    ),
    ("-m rpfilter --invert", WEB, False),
    ("-m rpfilter --invert", replace(WEB, back=False), True),
    ("-m ttl --ttl-eq 64", WEB, None),
    ("-m statistic --mode random --probability 0.5", WEB, None),
    ("-m ttl --ttl-eq 64 -p udp", WEB, False),
)
FRAME = replace(WEB, iif="p-web", oif="", layer=Layer.BRIDGE, bridge="vnet-foo")
ASKING = replace(FRAME, protocol="arp", state="invalid", target_type="broadcast", sport=0, dport=0)

EBTABLES: tuple[tuple[str, Packet, bool | None], ...] = (
    ("-p IPv4", FRAME, True),
    ("-p IPv6", FRAME, False),
    ("-p ! ARP", FRAME, True),
    ("-p ARP", ASKING, True),
    ("-p IPv4", ASKING, False),
    ("-p 0x86dd", replace(SOLICIT, iif="p-web", layer=Layer.BRIDGE), True),
    ("-i p-web", FRAME, True),
    ("-i ! p-web", FRAME, False),
    ("-i p-+", FRAME, True),
    ("-p IPv4 --ip-src 10.0.0.0/24 --ip-dst ! 10.0.0.1", FRAME, True),
    ("-p IPv4 --ip-proto tcp --ip-dport 400:500", FRAME, True),
    ("-p IPv4 --ip-proto udp --ip-dport 443", FRAME, False),
    ("-p IPv6 --ip6-proto ipv6-icmp --ip6-icmp-type neighbour-solicitation", SOLICIT, True),
    ("-p ARP --arp-op Request", ASKING, True),
    ("-p ARP --arp-op Reply", ASKING, False),
    ("-p ARP --arp-ip-src 10.0.0.10", ASKING, True),
    ("-d Broadcast", ASKING, True),
    ("-d Broadcast", FRAME, False),
    ("-s 02:00:00:00:00:01", FRAME, None),
    ("-s 02:00:00:00:00:01 -p ARP", FRAME, False),
    ("--limit 5/s", FRAME, True),
    ("--log-prefix x", FRAME, True),
    ("--pkttype-type multicast", FRAME, None),
)

_RAW = ("rpfilter",)
"""Matches that the kernel takes in the table raw only."""


def test_nfts_matches() -> None:
    script = (
        "table inet t {\n set some { type ipv4_addr; flags interval; elements = { 10.0.0.8/29 } }\n"
    )
    script += "".join(
        f" chain c{number} {{\n{match} accept\n}}\n" for number, (match, _, _) in enumerate(NFT)
    )
    subprocess.run(["nft", "-f", "-"], input=script + "}\n", text=True, check=True)
    others = read_tables(read_foreign())
    assert others.unread == ()
    (table,) = others.tables
    found = [table.chains[f"c{number}"].rules for number in range(len(NFT))]
    _compare([(text, packet, want) for text, packet, want in NFT], found)


@pytest.mark.parametrize("kind", ["nft", "legacy"])
def test_iptables_matches(kind: str) -> None:
    found: list[tuple[Rule, ...]] = []
    expected = []
    for position, (match, packet, want) in enumerate(IPTABLES):
        table = "raw" if any(name in match for name in _RAW) else "mangle"
        chain = "PREROUTING" if table == "raw" else f"c{position}"
        lines = f"*{table}\n"
        lines += "" if table == "raw" else f":{chain} - [0:0]\n"
        lines += f"-A {chain} {match} -j ACCEPT\nCOMMIT\n"
        restore = [f"iptables-{kind}-restore", "--noflush"]
        subprocess.run(restore, input=lines, text=True, check=True)
        expected.append((match, packet, want))
    others = read_tables(read_foreign())
    assert others.unread == ()
    tables = {table.name: table for table in others.tables}
    raw = iter(tables["raw"].chains["PREROUTING"].rules)
    for position, (match, _, _) in enumerate(IPTABLES):
        if any(name in match for name in _RAW):
            found.append((next(raw),))
        else:
            found.append(tables["mangle"].chains[f"c{position}"].rules)
    _compare(expected, found)


def test_ebtables_matches() -> None:
    for number, (match, _, _) in enumerate(EBTABLES):
        ebtables("-N", f"c{number}", "-P", "RETURN")
        ebtables("-A", f"c{number}", *match.split(), "-j", "ACCEPT")
    ebtables("-P", "FORWARD", "DROP")
    others = read_tables(read_foreign())
    assert others.unread == ()
    (table,) = others.tables
    assert (table.family, table.by_nft) == ("bridge", False)
    base = table.chains["FORWARD"].base
    assert base is not None
    assert base.policy is Kind.DROP
    found: list[tuple[Rule, ...]] = []
    for number in range(len(EBTABLES)):
        rule, end = table.chains[f"c{number}"].rules
        assert end.verdict.kind is Kind.RETURN
        found.append((rule,))
    _compare([*EBTABLES], found)


def ebtables(*argv: str) -> None:
    subprocess.run(["ebtables-nft", *argv], check=True)


def _compare(
    expected: list[tuple[str, Packet, bool | None]], found: list[tuple[Rule, ...]]
) -> None:
    wrong = []
    for (text, packet, want), rules in zip(expected, found, strict=True):
        (rule,) = rules
        assert rule.verdict.kind is Kind.ACCEPT, text
        if (got := rule.holds(packet)) is not want:
            wrong.append(f"{text}: expected {want}, got {got}")
    assert not wrong, "\n".join(wrong)


def test_what_iptables_keeps_in_nft_is_read_once_and_completely() -> None:
    rule = "FORWARD -p tcp -m multiport --dports 80,443 -m addrtype --dst-type LOCAL -j REJECT"
    subprocess.run(["iptables-nft", "-A", *rule.split()], check=True)
    subprocess.run(["nft", "add table ip filter2; add chain ip filter2 c"], check=True)
    others = read_tables(read_foreign())
    assert {(table.name, table.by_nft) for table in others.tables} == {
        ("filter", False),
        ("filter2", True),
    }
    (table,) = [table for table in others.tables if table.name == "filter"]
    (found,) = table.chains["FORWARD"].rules
    assert found.text.startswith("-A FORWARD -p tcp -m multiport --dports 80,443")
    assert found.holds(replace(WEB, target_type="local")) is True


def test_a_table_that_iptables_doesnt_understand_is_read_from_nft() -> None:
    chain = "add chain ip filter forward { type filter hook forward priority 0; policy drop; }"
    subprocess.run(["nft", f"add table ip filter; {chain}"], check=True)
    (table,) = read_tables(read_foreign()).tables
    assert table.by_nft
    assert table.chains["forward"].base is not None


def test_our_own_table_is_nobody_elses() -> None:
    subprocess.run(["nft", "add table inet vnet; add chain inet vnet c"], check=True)
    assert read_tables(read_foreign()) == Others(programs=read_foreign().programs)
