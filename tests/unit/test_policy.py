"""From documents to rules with addresses, and to words."""

from __future__ import annotations

import weakref
from dataclasses import replace
from ipaddress import ip_address, ip_network
from uuid import UUID

import pytest

from vnet_tui.engine.model import Action, Address, Mode, Network, PortRange, Protocol
from vnet_tui.engine.policy import forwards_loopback, names_guests, network_rules
from vnet_tui.engine.policy_check import unsupported
from vnet_tui.engine.resources import Forward, NetworkRules, PolicyRule, PolicyRules, rules_digest
from vnet_tui.engine.rule_words import describe, rule_status
from vnet_tui.engine.views import RuleState
from vnet_tui.engine.xml import parse

FOO = UUID("596a5d21-71f4-8fb2-e068-e2386a5c413e")
GUESTS = {"foobar": {"10.0.0.131", "fe80::1", "fd00::131", "192.0.2.7"}, "six": {"fd00::6"}}


def find_guest(name: str) -> frozenset[Address]:
    return frozenset(map(ip_address, GUESTS.get(name, ())))


def nobody(name: str) -> frozenset[Address]:
    return frozenset()


def network(forwarding: str) -> Network:
    return parse(
        '<network>\n<name>Foo</name>\n<dhcp><ip address="10.0.0.1" prefix="24"/>'
        f'<ip address="fd00::1" prefix="64"/></dhcp>\n{forwarding}\n</network>'
    )


def rules(forwarding: str) -> NetworkRules:
    return network_rules(network(forwarding), FOO, "vnet-foo", find_guest)


def incoming(rule: str) -> str:
    return f"<forwarding><incoming>{rule}</incoming></forwarding>"


def outgoing(rule: str) -> str:
    return f"<forwarding><outgoing>{rule}</outgoing></forwarding>"


def test_absent_means_the_safe_and_usual_thing() -> None:
    isolated = rules("")
    assert isolated.mode is Mode.ISOLATED
    assert isolated.outgoing.default is isolated.incoming.default is Action.DENY
    usual = rules("<forwarding/>")
    assert usual.mode is Mode.NAT
    assert (usual.incoming.default, usual.outgoing.default) == (Action.DENY, Action.ALLOW)
    assert usual.subnets == (ip_network("10.0.0.0/24"), ip_network("fd00::/64"))


def test_a_network_without_forwarding_has_no_rules_whatever_it_says() -> None:
    off = rules(
        '<forwarding enabled="false"><incoming default="allow"><allow port="1" domain="foobar"/>'
        "</incoming></forwarding>"
    )
    assert off.incoming.rules == ()
    assert off.incoming.default is Action.DENY


def test_a_forward_leads_to_the_guests_address_in_the_network() -> None:
    (forward,) = rules(
        incoming('<allow port="123" domain="foobar" destport="321" source="192.0.2.0/24"/>')
    ).incoming.rules
    assert isinstance(forward, Forward)
    assert forward.guests == {ip_address("10.0.0.131"), ip_address("fd00::131")}
    assert (forward.ports, forward.guest_ports) == (
        PortRange(first=123, last=123),
        PortRange(first=321, last=321),
    )
    assert forward.source == ip_network("192.0.2.0/24")


def test_a_forward_whose_guest_is_unknown_waits() -> None:
    (forward,) = rules(incoming('<allow port="123" domain="nobody"/>')).incoming.rules
    assert isinstance(forward, Forward)
    assert forward.guests == frozenset()
    assert forward.guest_ports == forward.ports


def test_only_an_allow_of_an_incoming_port_is_a_forward() -> None:
    for text, guests in (
        (incoming('<deny port="1" domain="six"/>'), {"fd00::6"}),
        (incoming('<allow domain="six"/>'), {"fd00::6"}),
        (outgoing('<allow port="1" domain="six"/>'), {"fd00::6"}),
        (outgoing('<allow port="1" domain="nobody"/>'), set()),
    ):
        made = rules(text)
        (rule,) = (*made.incoming.rules, *made.outgoing.rules)
        assert isinstance(rule, PolicyRule)
        assert rule.guests == frozenset(map(ip_address, guests))
    (plain,) = rules(incoming('<allow port="1"/>')).incoming.rules
    assert isinstance(plain, PolicyRule)
    assert plain.guests is None


def test_rules_keep_their_order_without_those_that_are_off() -> None:
    made = rules(
        incoming('<allow port="1"/><deny port="2" enabled="false"/><allow port="3" domain="six"/>')
    ).incoming.rules
    assert [rule.ports.first for rule in made if rule.ports] == [1, 3]
    assert isinstance(made[1], Forward)


def keys(forwarding: str) -> list[str]:
    made = rules(forwarding)
    return [rule.key for rule in (*made.incoming.rules, *made.outgoing.rules)]


def test_a_key_stays_while_the_rule_says_the_same() -> None:
    (key,) = keys(incoming('<allow port="80"/>'))
    assert keys(incoming('<deny port="1"/><allow port="80" comment="web"/>'))[1] == key
    assert keys(incoming('<allow port="80-81"/>')) != [key]
    assert keys(outgoing('<allow port="80"/>')) != [key]
    twins = keys(incoming('<allow port="80"/><allow port="80"/>'))
    assert twins[0] == key
    assert len(set(twins)) == 2


def test_a_moved_guest_is_another_digest() -> None:
    text = incoming('<allow port="123" domain="six"/>')
    one = rules_digest(rules(text))
    GUESTS["six"] = {"fd00::7"}
    try:
        assert rules_digest(rules(text)) != one
    finally:
        GUESTS["six"] = {"fd00::6"}
    assert rules_digest(rules(text)) == one


UNSUPPORTED = {
    "port": incoming('\n<allow protocol="icmp" port="1"/>'),
    "destport": outgoing('\n<deny port="1" destport="5"/>'),
}


@pytest.mark.parametrize(("attribute", "text"), UNSUPPORTED.items())
def test_what_cant_be_enforced_is_named_with_its_line(attribute: str, text: str) -> None:
    (problem,) = unsupported(network(text))
    assert attribute in problem.message
    assert problem.line == 5
    assert problem.remedy
    off = text.replace(' port="1"', ' port="1" enabled="false"')
    assert unsupported(network(off)) == ()
    closed = text.replace("<forwarding>", '<forwarding enabled="false">')
    assert unsupported(network(closed)) == ()


def test_everything_else_is_supported() -> None:
    text = """<forwarding mode="route"><incoming default="allow">
        <allow port="1-10" domain="six" destport="101-110" source="10.0.0.0/8" comment="x"/>
        <allow port="1-10" domain="six" destport="7" destination="192.0.2.1"/>
        <deny protocol="icmp" domain="six" established="false"/>
        <allow port="5" limit="7" log="true"/></incoming>
        <outgoing><deny domain="six" protocol="udp" port="9" destination="::/0"/></outgoing>
        </forwarding>"""
    assert unsupported(network(text)) == ()


WORDS = {
    "allow tcp+udp 123 → foobar:321": '<allow port="123" domain="foobar" destport="321"/>',
    "allow udp 5000-5010 → foobar": '<allow protocol="udp" port="5000-5010" domain="foobar"/>',
    "allow tcp 80 at 192.0.2.1 → foobar from 10.0.0.0/8": (
        '<allow protocol="tcp" port="80" domain="foobar" destination="192.0.2.1"'
        ' source="10.0.0.0/8"/>'
    ),
    "allow icmp": '<allow protocol="icmp"/>',
    "deny everything from 2001:db8::1": '<deny source="2001:db8::1"/>',
    "allow everything → foobar": '<allow domain="foobar"/>',
    "deny tcp+udp 25 to 10.0.0.7": '<deny port="25" destination="10.0.0.7"/>',
    "allow tcp+udp 80 at most 5/s and log": '<allow port="80" limit="5" log="true"/>',
}


@pytest.mark.parametrize(("words", "rule"), WORDS.items())
def test_a_rule_in_words(words: str, rule: str) -> None:
    (found,) = network(incoming(rule)).incoming.rules
    assert describe(found) == words


def test_an_outgoing_rule_in_words() -> None:
    (found,) = network(outgoing('<deny protocol="tcp" port="25" domain="foobar"/>')).outgoing.rules
    assert describe(found, outgoing=True) == "deny tcp 25 from foobar"
    assert found.protocol is Protocol.TCP


STATUS = """<forwarding><incoming>
    <allow port="123" domain="foobar"/><allow port="124" domain="nobody"/><allow port="125"/>
    </incoming><outgoing><deny port="25" enabled="false"/><deny domain="six"/></outgoing>
    </forwarding>"""


def test_the_status_of_rules_in_document_order() -> None:
    found = rule_status(network(STATUS), find_guest)
    assert [(item.direction, item.position, item.state) for item in found] == [
        ("incoming", 0, RuleState.ACTIVE),
        ("incoming", 1, RuleState.WAITING),
        ("incoming", 2, RuleState.ACTIVE),
        ("outgoing", 0, RuleState.OFF),
        ("outgoing", 1, RuleState.ACTIVE),
    ]
    assert found[0].guest == ip_address("10.0.0.131")
    assert found[1].guest is None
    assert found[0].text == "allow tcp+udp 123 → foobar"
    isolated = STATUS.replace("<forwarding>", '<forwarding enabled="false">')
    off = rule_status(network(isolated), find_guest)
    assert {item.state for item in off} == {RuleState.OFF}


def test_a_status_has_the_key_that_the_firewall_counts_by() -> None:
    text = (
        '<forwarding><incoming><allow port="1"/><deny port="2" enabled="false"/>'
        '<allow port="1"/><allow port="2000" domain="foobar"/></incoming>'
        '<outgoing><allow port="1"/></outgoing></forwarding>'
    )
    compiled = rules(text)
    installed = [rule.key for rule in (*compiled.incoming.rules, *compiled.outgoing.rules)]
    keys = [item.key for item in rule_status(network(text), find_guest)]
    assert keys == [installed[0], "", *installed[1:]]
    assert len({*keys}) == 5
    isolated = text.replace("<forwarding>", '<forwarding enabled="false">')
    assert {item.key for item in rule_status(network(isolated), find_guest)} == {""}


def test_which_networks_follow_guests() -> None:
    assert names_guests(network(STATUS))
    assert not names_guests(network(STATUS.replace("<forwarding>", '<forwarding enabled="false">')))
    assert not names_guests(network(outgoing('<deny domain="x" enabled="false"/><deny port="1"/>')))


LOOPBACK = {
    '<allow port="1" domain="foobar"/>': True,
    '<allow port="1" domain="foobar" destination="127.0.0.1"/>': True,
    '<allow port="1" domain="foobar" destination="192.0.2.1"/>': False,
    '<allow port="1" domain="foobar" source="192.0.2.0/24"/>': False,
    '<allow port="1" domain="foobar" source="::/0"/>': False,
    '<allow port="1" domain="foobar" enabled="false"/>': False,
    '<allow port="1"/>': False,
}


@pytest.mark.parametrize(("rule", "by_loopback"), LOOPBACK.items())
def test_which_forwards_the_host_uses_by_its_loopback_address(rule: str, by_loopback: bool) -> None:
    assert forwards_loopback(network(incoming(rule))) is by_loopback
    off = incoming(rule).replace("<forwarding>", '<forwarding enabled="false">')
    assert not forwards_loopback(network(off))


def test_nothing_of_rules_is_kept_for_their_digest() -> None:
    rules = NetworkRules(
        network=UUID(int=1),
        bridge="vn-one",
        mode=Mode.NAT,
        subnets=(),
        incoming=PolicyRules(default=Action.DENY),
        outgoing=PolicyRules(default=Action.ALLOW),
    )
    assert rules_digest(rules) == rules_digest(replace(rules))
    gone = weakref.ref(rules)
    del rules
    assert gone() is None
