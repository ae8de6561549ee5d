"""The commands that the doctor gives where a firewall has a manager of its own."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from vnet_tui.engine.doctor.findings import Command, Finding
from vnet_tui.engine.doctor.journeys import Journey, through, to_host, travel
from vnet_tui.engine.doctor.packet import Packet
from vnet_tui.engine.doctor.remedies import remedy
from vnet_tui.engine.doctor.save_reading import read_save
from vnet_tui.engine.doctor.tables import Base, Chain, Kind, Match, Rule, Table, Verdict
from vnet_tui.engine.errors import Severity

BRIDGE = "vnet-foo"

UFW = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ufw-before-input - [0:0]
:ufw-before-forward - [0:0]
-A INPUT -j ufw-before-input
-A FORWARD -j ufw-before-forward
-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
"""

OUT = Packet(
    protocol="tcp",
    source=ip_address("10.0.0.10"),
    target=ip_address("198.51.100.2"),
    iif=BRIDGE,
    oif="uplink",
    sport=50000,
    dport=443,
)
ASKING = replace(OUT, protocol="udp", target=ip_address("10.0.0.1"), oif="", dport=53)


def _zones(*, owned: bool) -> Table:
    to_public = Rule("goto filter_IN_public", (), Verdict(Kind.JUMP, "filter_IN_public"))
    return Table(
        "inet",
        "firewalld",
        "nft",
        {
            "filter_INPUT": Chain(
                (
                    Rule("ct state established accept", (_established,), Verdict(Kind.ACCEPT)),
                    Rule("jump zones", (), Verdict(Kind.JUMP, "filter_INPUT_ZONES")),
                    Rule("reject", (), Verdict(Kind.DROP)),
                ),
                Base("filter", "input", 10),
            ),
            "filter_INPUT_ZONES": Chain((to_public,)),
            "filter_IN_public": Chain((Rule("reject", (), Verdict(Kind.DROP)),)),
        },
        owned,
    )


def _established(packet: Packet) -> bool:
    return packet.state == "established"


def test_ufw_is_asked_where_it_is_installed() -> None:
    tables = read_save(UFW, 4, "iptables", {})
    out = through("the way out", OUT)
    assert remedy(out, tables, BRIDGE, {"ufw"}) == (("ufw", "route", "allow", "in", "on", BRIDGE),)
    assert remedy(out, tables, BRIDGE) == (
        ("iptables", "-I", "ufw-before-forward", "-i", BRIDGE, "-j", "ACCEPT"),
    )
    names = to_host("DNS", ASKING)
    opened: Command = ("ufw", "allow", "in", "on", BRIDGE, "to", "any", "port", "53")
    assert remedy(names, tables, BRIDGE, {"ufw"}) == ((*opened, "proto", "udp"),)


def test_firewalld_is_asked_where_nobody_else_may_change_its_table() -> None:
    names = to_host("DNS", ASKING)
    owned, free = _zones(owned=True), _zones(owned=False)
    asked = (("firewall-cmd", "--zone=trusted", f"--add-interface={BRIDGE}"),)
    assert remedy(names, [owned], BRIDGE, {"firewall-cmd"}) == asked
    assert remedy(names, [owned], BRIDGE) == ()
    assert remedy(names, [free], BRIDGE) == (
        (
            *("nft", "insert", "rule", "inet", "firewalld", "filter_INPUT"),
            *("iifname", BRIDGE, "udp", "dport", "53", "accept"),
        ),
    )


@pytest.mark.parametrize(("name", "written"), [("vnet-foo", "vnet-foo"), ("ct", '"ct"')])
def test_names_that_nft_would_misread_are_quoted(name: str, written: str) -> None:
    drop = Chain((), Base("filter", "input", 0, Kind.DROP))
    table = Table("inet", "mine", "nft", {"input": drop})
    names = to_host("DNS", replace(ASKING, iif=name))
    (command,) = remedy(names, [table], name)
    assert command[7] == written


def test_a_command_is_told_so_that_a_shell_reads_it_as_it_is() -> None:
    strange: Command = ("nft", "insert", "rule", 'iifname "a b;c"')
    finding = Finding(
        severity=Severity.ERROR, blocks=(), message="", commands=(strange, ("ufw", "status"))
    )
    assert finding.command == "nft insert rule 'iifname \"a b;c\"'\nufw status"


def _chains(*rules: Rule, policy: Kind = Kind.ACCEPT, **others: tuple[Rule, ...]) -> Table:
    chains = {name: Chain(made) for name, made in others.items()}
    chains["base"] = Chain(rules, Base("filter", "input", 0, policy))
    return Table("inet", "t", "nft", chains)


def _rule(match: bool | None, kind: Kind, target: str = "") -> Rule:
    def found(_packet: Packet) -> bool | None:
        return match

    matches: tuple[Match, ...] = (found,)
    return Rule(f"{match} {kind} {target}", matches, Verdict(kind, target))


YES, NO, UNKNOWN = True, False, None
DROPS = _rule(YES, Kind.DROP)
PERHAPS = _rule(UNKNOWN, Kind.ACCEPT)


@pytest.mark.parametrize(
    ("table", "fate"),
    [
        (_chains(), "passes"),
        (_chains(policy=Kind.DROP), "stopped"),
        (_chains(_rule(NO, Kind.DROP)), "passes"),
        (_chains(_rule(UNKNOWN, Kind.DROP)), "perhaps"),
        (_chains(_rule(UNKNOWN, Kind.DROP), DROPS), "stopped"),
        (_chains(_rule(UNKNOWN, Kind.DROP), policy=Kind.DROP), "stopped"),
        (_chains(PERHAPS, DROPS), "perhaps"),
        (_chains(_rule(UNKNOWN, Kind.NEXT), DROPS), "stopped"),
        (_chains(_rule(YES, Kind.JUMP, "sub"), sub=(DROPS,)), "stopped"),
        (_chains(_rule(UNKNOWN, Kind.JUMP, "sub"), sub=(DROPS,)), "perhaps"),
        (_chains(_rule(YES, Kind.JUMP, "sub"), sub=(_rule(YES, Kind.RETURN), DROPS)), "passes"),
        (
            _chains(_rule(YES, Kind.JUMP, "sub"), sub=(_rule(UNKNOWN, Kind.RETURN), DROPS)),
            "perhaps",
        ),
        (_chains(_rule(YES, Kind.GOTO, "sub"), DROPS, sub=()), "passes"),
        (_chains(_rule(YES, Kind.JUMP, "sub"), DROPS, sub=()), "stopped"),
        (_chains(_rule(UNKNOWN, Kind.GOTO, "sub"), DROPS, sub=()), "perhaps"),
        (_chains(_rule(YES, Kind.JUMP, "sub"), sub=(_rule(YES, Kind.JUMP, "sub"),)), "passes"),
        (_chains(_rule(YES, Kind.DOUBT)), "perhaps"),
    ],
)
def test_what_isnt_known_is_followed_both_ways(table: Table, fate: str) -> None:
    journey = Journey("DNS", to_host("DNS", ASKING).stages[:2])
    arrival = travel(journey, [table])
    found = "passes" if arrival.stop is None else ("stopped" if arrival.blocked else "perhaps")
    assert found == fate
    if fate == "perhaps":
        assert arrival.stop is not None
        assert arrival.stop.doubt is not None
        assert "None" in arrival.stop.doubt.rule or "doubt" in arrival.stop.doubt.rule


def test_what_stops_for_sure_goes_before_what_may() -> None:
    perhaps = _chains(_rule(UNKNOWN, Kind.DROP))
    surely = replace(_chains(policy=Kind.DROP), name="later")
    journey = Journey("DNS", to_host("DNS", ASKING).stages[:2])
    arrival = travel(journey, [perhaps, surely])
    assert arrival.blocked
    assert arrival.stop is not None
    assert arrival.stop.place.table.name == "later"
