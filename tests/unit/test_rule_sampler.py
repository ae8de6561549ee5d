"""Whose counters are read when, and at what cost, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from uuid import UUID

import pytest

from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.rule_counters import DEFAULT_IN, Count, Counters, NetworkCounters
from vnet_tui.engine.rule_sampler import LONGEST_SECONDS, RuleSampler

ALL = tuple(UUID(int=number) for number in range(1, 201))


class Bench:
    """A firewall that takes its time, and counts its readings."""

    def __init__(self, *, a_network: float = 0.001) -> None:
        self.now = 0.0
        self.a_network = a_network
        self.failing: Exception | None = None
        self.asked: list[list[UUID]] = []
        self.sampler = RuleSampler(self._read, lambda: self.now)

    async def _read(self, networks: Collection[UUID]) -> Counters:
        self.asked.append(list(networks))
        self.now += self.a_network * len(networks)
        if self.failing:
            raise self.failing
        rules = {"busy": Count(len(self.asked), 40), "idle": Count(), DEFAULT_IN: Count()}
        counted = NetworkCounters(rules=rules)
        return Counters(networks=dict.fromkeys(networks, counted))

    async def second(self, networks: Collection[UUID] = ALL) -> list[UUID]:
        """What is asked for in one second."""
        before, self.now = len(self.asked), float(int(self.now) + 1)
        self.sampler.look(networks)
        await self.sampler.settle(1)
        return self.asked[-1] if len(self.asked) > before else []


async def test_rules_that_counted_nothing_are_left_out_but_for_the_defaults() -> None:
    bench = Bench()
    await bench.second(ALL[:1])
    assert bench.sampler.counted[ALL[0]].rules == {"busy": Count(1, 40), DEFAULT_IN: Count()}


async def test_networks_take_turns_and_all_have_theirs() -> None:
    bench = Bench()
    asked = [await bench.second() for _ in range(30)]
    assert {network for part in asked for network in part} == {*ALL}
    assert all(len(part) == 8 for part in asked[:10])  # of 10 ms
    assert not {*asked[0]} & {*asked[1]}
    assert bench.sampler.counted.keys() == {*ALL}


async def test_so_many_are_read_as_cost_little() -> None:
    bench = Bench(a_network=0.0001)
    asked = [len(await bench.second()) for _ in range(10)]
    assert asked == [8, 16, 32, 64, 64, 64, 64, 64, 64, 64]
    bench.a_network = 0.001
    await bench.second()
    bench.now += LONGEST_SECONDS
    assert len(await bench.second()) in (9, 10)  # of 1 ms


async def test_networks_that_somebody_looks_at_are_read_every_second() -> None:
    bench = Bench()
    for network in ALL[-5:]:
        bench.sampler.favour(network)
    for _ in range(10):
        assert {*ALL[-4:]} <= {*await bench.second()}
    bench.sampler.favour(UUID(int=999))  # which doesn't run
    assert {*ALL[-3:]} <= {*await bench.second()}


async def test_what_takes_long_is_read_less_often() -> None:
    bench = Bench(a_network=0.055)
    asked = [bool(await bench.second(ALL[:1])) for _ in range(9)]
    assert asked == [True, False, False] * 3
    bench = Bench(a_network=5.0)
    moments = []
    for _ in range(40):
        if await bench.second(ALL[:1]):
            moments.append(bench.now - bench.a_network)
    gaps = {late - early for early, late in pairwise(moments)}
    assert gaps == {LONGEST_SECONDS}


async def test_a_network_that_stopped_is_forgotten() -> None:
    bench = Bench()
    await bench.second(ALL[:2])
    await bench.second(ALL[1:2])
    assert bench.sampler.counted.keys() == {ALL[1]}
    assert await bench.second(()) == []


async def test_a_failure_is_told_once_and_tried_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    await bench.second(ALL[:1])
    bench.failing = DriverError("no counters today")
    asked = [bool(await bench.second(ALL[:1])) for _ in range(21)]
    assert sum(asked) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "counters of rules: no counters today"
    ]
    assert bench.sampler.counted.keys() == {ALL[0]}
    bench.failing = None
    for _ in range(11):
        await bench.second(ALL[:1])
    assert bench.sampler.counted[ALL[0]].rules["busy"].packets > 1
