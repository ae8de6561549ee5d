"""Rules that never decide anything: found where they are, and nowhere else."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.netns.test_firewall_property import forwardings, some_probes
from tests.support.firewall_lab import GUESTS, network
from tests.support.packets import Fate
from tests.support.reference import expected
from vnet_tui.engine.check import check
from vnet_tui.engine.check.forwards import takes_port
from vnet_tui.engine.check.shadows import shadowed
from vnet_tui.engine.model import Action, Network, PortRange, Rule
from vnet_tui.engine.rule_words import rule_status
from vnet_tui.engine.xml import parse

IPS = (
    '<dhcp><ip address="10.0.0.1" prefix="24" start="10.0.0.8" end="10.0.0.9"/>'
    '<ip address="fd00::1" prefix="64" start="fd00::8" end="fd00::9"/></dhcp>'
)


def told(rules: str, direction: str = "incoming") -> list[tuple[int, tuple[int, ...]]]:
    text = f"<network>\n<name>foo</name>{IPS}<forwarding><{direction}>{rules}</{direction}>"
    made = parse(f"{text}</forwarding></network>").forwarding
    assert made is not None
    policy = made.incoming if direction == "incoming" else made.outgoing
    assert policy is not None
    return [*shadowed(policy.rules, incoming=direction == "incoming").items()]


SHADOWED = {
    # by ports and protocols
    '<allow port="80-90"/><deny port="85"/>': [(1, (0,))],
    '<allow protocol="tcp"/><deny protocol="tcp" port="80"/>': [(1, (0,))],
    '<allow port="80"/><deny port="80" protocol="udp"/>': [(1, (0,))],
    '<deny port="1" protocol="udp"/><deny port="1" protocol="tcp"/><allow port="1"/>': [
        (2, (0, 1))
    ],
    '<deny/><allow/><allow protocol="icmp"/>': [(1, (0,)), (2, (0,))],
    '<allow port="5"/><allow port="1-9"/><allow port="2-8"/>': [(2, (1,))],
    # by addresses
    '<deny source="10.0.0.0/8"/><allow source="10.1.0.0/16" port="80"/>': [(1, (0,))],
    '<deny source="fd00::/8"/><allow source="fd00::1" destination="fd00::/64"/>': [(1, (0,))],
    '<deny source="0.0.0.0/0"/><allow source="192.0.2.1"/>': [(1, (0,))],
    # by guests
    '<deny port="80"/><deny domain="web" port="80"/>': [(1, (0,))],
    '<deny domain="Web"/><deny domain="web" port="80"/>': [(1, (0,))],
    # forwards
    '<allow port="80" domain="web"/><allow port="80" domain="WEB" destport="8080"/>': [(1, (0,))],
    '<allow port="80-90" domain="web"/><allow port="85" domain="web"/>': [(1, (0,))],
    '<deny port="80"/><allow port="80" domain="web" destport="8080"/>': [(1, (0,))],
    '<deny port="8080"/><allow port="80" domain="web" destport="8080"/>': [(1, (0,))],
    '<deny domain="web"/><allow port="80" domain="web" destination="192.0.2.1"/>': [(1, (0,))],
    '<allow port="81"/><deny port="80"/><allow port="80" domain="web"/>': [(2, (1,))],
    '<allow port="1" domain="a" destport="2"/><deny/><deny port="2"/>': [(2, (1,))],
}

NOT_SHADOWED = [
    '<allow port="85"/><deny port="80-90"/>',
    '<allow port="80" protocol="tcp"/><deny port="80"/>',
    '<allow port="80" protocol="tcp"/><deny protocol="udp"/>',
    '<allow protocol="tcp"/><allow protocol="udp"/><allow protocol="icmp"/><deny/>',
    '<allow port="80-84"/><allow port="86-90"/><deny port="80-90"/>',
    '<deny source="10.1.0.0/16"/><allow source="10.0.0.0/8"/>',
    '<deny source="10.0.0.0/8"/><allow source="fd00::1"/><allow/>',
    '<deny source="10.0.0.0/8" destination="10.0.0.8"/><allow source="10.0.0.0/8"/>',
    '<deny domain="web"/><deny domain="db"/><deny port="80"/>',
    '<allow port="80" limit="5"/><deny port="80"/>',
    '<allow port="80" enabled="false"/><deny port="80"/>',
    # A forward lets pass what it led, nothing else; an allow leaves to it whose the port is.
    '<allow port="80" domain="web"/><deny port="80"/>',
    '<allow port="80"/><allow port="80" domain="web"/>',
    '<allow port="80" domain="web" source="10.0.0.0/8"/><allow port="80" domain="web"/>',
    '<allow port="80" domain="web"/><allow port="70-90" domain="web" destport="170-190"/>',
    '<deny destination="10.0.0.8"/><allow port="80" domain="web" destination="10.0.0.8"/>',
    # A deny looks at the port that was asked for, too, an allow doesn't.
    '<allow port="2"/><deny port="2" source="::/0"/><allow port="2" domain="a" destport="3"/>',
    # What a rule before the deny lets pass is led.
    '<allow limit="5"/><deny/><allow port="80" domain="web"/>',
    '<allow port="8080"/><deny/><allow port="80" domain="web" destport="8080"/>',
    # What is beyond the limit of a forward isn't led elsewhere, but may pass under the next rule.
    '<allow port="80" domain="web" limit="3"/><allow port="80" domain="web" source="10.0.0.0/8"/>',
]


@pytest.mark.parametrize(("rules", "found"), SHADOWED.items())
def test_shadowed(rules: str, found: list[tuple[int, tuple[int, ...]]]) -> None:
    assert told(rules) == found


@pytest.mark.parametrize("rules", NOT_SHADOWED)
def test_not_shadowed(rules: str) -> None:
    assert told(rules) == []


def test_outgoing_ports_are_those_of_others_and_no_forwards() -> None:
    again = '<allow port="80" domain="web"/><allow port="80" domain="web" destination="192.0.2.1"/>'
    assert told(again, "outgoing") == [(1, (0,))]
    assert told('<allow domain="web"/><allow port="80" domain="db"/>', "outgoing") == []


def test_the_warning_and_the_rules_of_a_network_name_who_decides() -> None:
    found = parse(
        f"<network><name>foo</name>{IPS}<forwarding><incoming>\n<deny port='80'/>\n"
        "<allow port='80' domain='web' destport='8080'/>\n<allow port='80' source='10.0.0.0/8'/>\n"
        "<deny protocol='tcp' enabled='false'/></incoming></forwarding></network>"
    )
    assert [(one.line, one.message) for one in check(found)] == [
        (
            3,
            "this rule lets nobody from beyond the network reach web: an earlier one (line 2) "
            "denies it",
        ),
        (4, "this rule never decides anything: an earlier one (line 2) matches all that it does"),
    ]
    status = rule_status(found, lambda _: frozenset())
    assert [one.note for one in status] == [
        "",
        "never decides: rule 1 before it",
        "never decides: rule 1 before it",
        "",
    ]


def without(found: Network, direction: str, at: int) -> Network:
    """The network without one of its rules."""
    forwarding = found.forwarding
    assert forwarding is not None
    policy = forwarding.incoming if direction == "incoming" else forwarding.outgoing
    assert policy is not None
    rest = replace(policy, rules=policy.rules[:at] + policy.rules[at + 1 :])
    changed = (
        replace(forwarding, incoming=rest)
        if direction == "incoming"
        else replace(forwarding, outgoing=rest)
    )
    return replace(found, forwarding=changed)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(foo=forwardings("foo"), bar=forwardings("bar"), seed=st.integers(0, 2**32))
def test_no_packet_misses_a_shadowed_rule(foo: str, bar: str, seed: int) -> None:
    """Without it every connection has the same fate. What is denied of a forward is what comes
    from beyond the network; others use it all the same."""
    networks = {"foo": network("foo", foo), "bar": network("bar", bar)}
    probes = some_probes(random.Random(seed), foo + bar)  # noqa: S311  (to be the same every time)
    for direction in ("incoming", "outgoing"):
        rules = getattr(networks["foo"], direction).rules
        for at, earlier in shadowed(rules, incoming=direction == "incoming").items():
            denied = direction == "incoming" and takes_port(rules[at])
            denied = denied and not takes_port(rules[earlier[0]])
            less = {**networks, "foo": without(networks["foo"], direction, at)}
            for family, probe in probes:
                fate = expected(networks, probe, family)
                beyond = probe.who != "host" and GUESTS.get(probe.who) != "foo"
                if denied and (fate.fate is Fate.DENIED or not beyond):
                    continue
                assert fate == expected(less, probe, family)


def test_ten_thousand_rules_are_compared_without_comparing_all_with_all() -> None:
    chance = random.Random(1)  # noqa: S311  (to be the same every time)
    rules = tuple(
        Rule(
            action=Action.DENY,
            port=PortRange(first=first, last=first + chance.choice((0, 0, 3, 300))),
            source=ip_network(
                (chance.getrandbits(32) >> 24 - size << 24 - size & 0xFFFFFFFF, 8 + size)
            )
            if (size := chance.randrange(24)) > 2
            else None,
        )
        for first in (chance.randrange(1, 60_000) for _ in range(10_000))
    )
    begin = time.process_time()
    found = shadowed(rules, incoming=False)
    assert time.process_time() - begin < 2.0
    assert found
