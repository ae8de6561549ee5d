"""What rules are to each other is the same, whether all are looked at or what an edit is about."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given, settings, strategies as st

from vnet_tui.engine.check import between
from vnet_tui.engine.check.between import Between
from vnet_tui.engine.check.forwarding import _taken_ports
from vnet_tui.engine.check.shadows import _incoming, _outgoing
from vnet_tui.engine.model import Action, PortRange, Protocol, Rule

NO_PORT = PortRange(first=99_999_999, last=99_999_999)
PORTS = st.just(NO_PORT) | st.integers(1, 6).flatmap(
    lambda first: st.integers(first, 6).map(lambda last: PortRange(first=first, last=last))
)
SUBNETS = st.sampled_from([None, None, ip_network("10.0.0.0/8"), ip_network("10.1.0.0/16")])

RULES = st.builds(
    Rule,
    action=st.sampled_from(Action),
    port=st.none() | PORTS | PORTS,
    protocol=st.sampled_from([None, Protocol.TCP, Protocol.UDP]),
    source=SUBNETS,
    destination=SUBNETS,
    domain=st.sampled_from([None, "web", "db"]),
    destport=st.none() | PORTS,
    limit=st.sampled_from([None, None, 5]),
    enabled=st.sampled_from([True, True, False]),
)
POLICIES = st.lists(RULES, min_size=1, max_size=12).map(tuple)

ASKED = {"incoming": _incoming, "outgoing": _outgoing, "taken": _taken_ports}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(between, "_LEAST", 1)


def anew(asked: Between) -> Between:
    """One that remembers nothing."""
    return Between(asked._find, asked._special)


@settings(max_examples=500, deadline=None)
@given(POLICIES, st.data())
@pytest.mark.parametrize("what", ASKED)
def test_edit_after_edit(what: str, rules: tuple[Rule, ...], data: st.DataObject) -> None:
    remembering = anew(ASKED[what])
    for _ in range(data.draw(st.integers(1, 4))):
        found = remembering(rules)
        assert [*found.items()] == [*anew(ASKED[what])(rules).items()]
        at = data.draw(st.integers(0, len(rules)))
        gone = data.draw(st.integers(0, 2))
        rules = (*rules[:at], *data.draw(st.lists(RULES, max_size=2)), *rules[at + gone :])


def counted(asked: Between) -> tuple[Between, list[int]]:
    """One that remembers nothing, and how many rules it looks at each time."""
    looked: list[int] = []

    def counting(rules: between.Placed, special: bool) -> between.Found:
        looked.append(len(rules))
        return asked._find(rules, special)

    return Between(counting, asked._special), looked


def test_of_many_rules_only_those_are_looked_at_that_share_ports() -> None:
    rules = tuple(
        Rule(action=Action.DENY, port=PortRange(first=port, last=port)) for port in range(1, 1_001)
    )
    asked, looked = counted(_incoming)
    assert asked(rules) == {}
    other = Rule(action=Action.ALLOW, port=PortRange(first=900, last=901))
    assert asked((*rules[:10], other, *rules[11:])) == {899: (10,), 900: (10,)}
    assert asked((*rules[:10], *rules[11:])) == {}
    everything = Rule(action=Action.ALLOW)
    assert len(asked((*rules[:10], everything, *rules[11:]))) == 989
    assert looked == [1000, 3, 2, 1000]
