"""Elements of sets, edited: every version goes on to hold what it held."""

from __future__ import annotations

from hypothesis import given, strategies as st

from vnet_tui.engine.drivers.firewall.elements import Elements, missing

KEYS = st.sampled_from("abcdef")
TABLES = st.dictionaries(KEYS, st.sampled_from("xyz"))


@given(TABLES, st.lists(st.tuples(st.integers(0, 9), TABLES, st.booleans()), max_size=12))
def test_versions_say_what_they_said(
    first: dict[str, str], steps: list[tuple[int, dict[str, str], bool]]
) -> None:
    versions = [(Elements(dict(first)), dict(first))]
    for number, table, looks_whole in steps:
        elements, held = versions[number % len(versions)]
        lost = {key: value for key, value in held.items() if key not in table}
        gained = {key: value for key, value in table.items() if held.get(key) != value}
        versions.append((elements.edited(lost, gained), dict(table)))
        if looks_whole:
            assert dict(elements) == held
    for elements, held in versions:
        assert all(elements.get(key) == held.get(key) for key in "abcdef")
        assert all((key in elements) == (key in held) for key in "abcdef")
        for other, theirs in versions:
            differing = {key: value for key, value in held.items() if theirs.get(key) != value}
            assert dict(missing(elements, other)) == differing
    for elements, held in versions:
        assert (dict(elements), len(elements)) == (held, len(held))
