"""Offsets after edits are those that a list would have."""

from __future__ import annotations

from hypothesis import given, strategies as st

from vnet_tui.engine.xml.offsets import Offsets

NUMBERS = st.lists(st.integers(0, 1_000), max_size=8)
EDITS = st.tuples(st.integers(0, 8), st.integers(0, 8), NUMBERS, st.integers(-50, 50))


@given(NUMBERS, st.lists(EDITS, max_size=6), st.integers(-9, 9))
def test_they_are_those_of_a_list(
    numbers: list[int], edits: list[tuple[int, int, list[int], int]], by: int
) -> None:
    offsets, plain = Offsets(numbers), numbers
    for one, other, new, longer in edits:
        first, last = sorted((min(one, len(plain)), min(other, len(plain))))
        was, offsets = offsets, offsets.spliced(first, last, new, longer)
        assert list(was) == plain
        plain = [*plain[:first], *new, *(number + longer for number in plain[last:])]
        assert list(offsets) == plain
        assert offsets[1:3] == plain[1:3]
        assert not plain or offsets[-1] == plain[-1]
    assert list(offsets.moved(by)) == [number + by for number in plain]
