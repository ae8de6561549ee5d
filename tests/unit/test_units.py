"""Numbers that don't jump."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from vnet_tui.units import (
    RATE_WIDTH,
    SIZE_WIDTH,
    bit_rate,
    byte_rate,
    byte_size,
    duration,
    packet_count,
    packet_rate,
)


@pytest.mark.parametrize(
    ("bits", "shown"),
    [
        (0, "   0  b/s"),
        (999, " 999  b/s"),
        (999.6, " 1.0 kb/s"),
        (1000, " 1.0 kb/s"),
        (99_940, "99.9 kb/s"),
        (99_960, " 100 kb/s"),
        (812_345, " 812 kb/s"),
        (999_499, " 999 kb/s"),
        (999_500, " 1.0 Mb/s"),
        (12_400_000, "12.4 Mb/s"),
        (1e30, " 999 Eb/s"),
        (-5, "   0  b/s"),
    ],
)
def test_three_digits_and_a_unit(bits: float, shown: str) -> None:
    assert bit_rate(bits) == shown


@given(st.floats(min_value=0, max_value=1e25))
def test_always_the_same_width(value: float) -> None:
    for rate in (bit_rate, byte_rate, packet_rate):
        assert len(rate(value)) == RATE_WIDTH
    for size in (byte_size, packet_count):
        assert len(size(value)) == SIZE_WIDTH


@given(st.floats(min_value=0, max_value=1e17), st.floats(min_value=1, max_value=2))
def test_a_greater_value_never_shows_a_smaller_one(value: float, factor: float) -> None:
    def shown(bits: float) -> float:
        number, unit = bit_rate(bits).split()
        return float(number) * float(1000 ** " kMGTPE".index(unit[0].replace("b", " ")))

    assert shown(value) <= shown(value * factor)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (2460, "41 min"),
        (7500, "2 h 05"),
        (90_000, "1 d 01 h"),
        (-3, "0 s"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
