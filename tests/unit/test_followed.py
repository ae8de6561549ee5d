"""Guests that rules follow, counted from what was counted before."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, strategies as st

from tests.support.networks import network
from vnet_tui.engine.followed import followed

_RULES = [
    '<allow port="80" domain="web"/>',
    '<allow port="81" domain="web" enabled="false"/>',
    '<allow port="82" domain="mail"/>',
    '<deny port="83"/>',
]


@given(st.lists(st.lists(st.sampled_from(_RULES), max_size=8), max_size=5))
def test_edits_leave_as_many_as_the_rules_say(edits: list[list[str]]) -> None:
    for rules in edits:
        names = ["mail" if "mail" in rule else "web" for rule in rules if rule in _RULES[::2]]
        found = network(
            "one", f'<forwarding mode="nat"><incoming>{"".join(rules)}</incoming></forwarding>'
        )
        assert followed(found) == Counter(names)
