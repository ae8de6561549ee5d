"""Histories in one line."""

from __future__ import annotations

from vnet_tui.widgets.blocks import BLOCKS, Buckets, sparkline


def test_from_nothing_to_the_greatest() -> None:
    assert sparkline([0, 1, 50, 100]) == BLOCKS[0] + BLOCKS[1] + BLOCKS[3] + BLOCKS[-1]


def test_what_is_not_known_is_not_drawn() -> None:
    assert sparkline([None, 0, None]) == " ▁ "
    assert sparkline([]) == ""


def test_noise_stays_low() -> None:
    assert sparkline([1, 2, 3], least=1000) == BLOCKS[1] * 3


def test_given_scale() -> None:
    assert sparkline([50, 500], top=100) == BLOCKS[3] + BLOCKS[-1]


def test_buckets_move_once_a_span() -> None:
    buckets = Buckets(3, 6.0)
    buckets.extend((float(second), 10.0 * (second // 6)) for second in range(18))
    before = buckets.values
    assert before == (None, 0.0, 10.0)
    for second in range(18, 24):
        buckets.add(float(second), 30.0)
        assert buckets.values == (0.0, 10.0, 20.0)
    buckets.add(24.0, 0.0)
    assert buckets.values == (10.0, 20.0, 30.0)


def test_a_gap_is_a_gap() -> None:
    buckets = Buckets(4, 6.0)
    buckets.add(0.0, 5.0)
    buckets.add(18.0, 7.0)
    assert buckets.values == (None, 5.0, None, None)
