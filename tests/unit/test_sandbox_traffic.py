"""The arithmetic of the sandbox's traffic: its bound, its packets, its name queries."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

import pytest
from hypothesis import given, strategies as st

from vnet_tui.sandbox.names import first_address, question
from vnet_tui.sandbox.traffic import Budget, echo_request


@given(st.lists(st.tuples(st.integers(1, 150_000), st.floats(0, 10)), min_size=1, max_size=60))
def test_the_budget_is_never_exceeded(demands: list[tuple[int, float]]) -> None:
    rate, burst = 50_000.0, 200_000.0
    budget = Budget(rate, burst)
    now, sent = 0.0, 0
    for size, pause in demands:
        now += pause
        ready = now + budget.wait(size, now)
        sent += size
        assert sent <= burst + rate * ready + 1


def test_the_budget_lets_a_burst_through_at_once_and_then_the_rate() -> None:
    budget = Budget(100, 300)
    assert budget.wait(300, now=5.0) == 0
    assert budget.wait(100, now=5.0) == 1.0
    assert budget.wait(100, now=7.0) == 0


def test_a_ping_has_the_checksum_that_hosts_verify() -> None:
    packet = echo_request(0x1234, 7)
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF
    assert len(packet) == 64


_ANSWER = (
    question("www.example.net", 7)[:2]
    + bytes.fromhex("8180 0001 0002 0000 0000")
    + question("www.example.net", 7)[12:]
    + bytes.fromhex("c00c 0005 0001 0000003c 0006 03 777777 c010")  # CNAME
    + bytes.fromhex("c00c 0001 0001 0000003c 0004 cb00710a")  # A 203.0.113.10
)


def test_an_address_is_found_behind_other_records() -> None:
    assert first_address(_ANSWER, 7) == IPv4Address("203.0.113.10")


def test_an_answer_to_another_question_is_refused() -> None:
    with pytest.raises(ValueError, match="another question"):
        first_address(_ANSWER, 8)


@given(st.integers(0, len(_ANSWER) - 1))
def test_a_truncated_answer_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="truncated"):
        first_address(_ANSWER[:length], 7)
