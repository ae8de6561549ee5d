"""One sampler and its subscribers, on a clock that the test turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from tests.support.counters import readings
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.meter import Wiring
from vnet_tui.engine.readings import Readings
from vnet_tui.engine.stats import Sampler
from vnet_tui.engine.views import Sample

FOO = UUID(int=1)
BRIDGE, TAP = 10, 11


class Bench:
    """A sampler whose counters grow by 125 bytes in, and 250 out, with each reading."""

    def __init__(self) -> None:
        self.now = 0.0
        self.read_takes = 0.0
        self.reads = 0
        self.failing: Exception | None = None
        self.slept: list[float] = []
        self._asleep = asyncio.Event()
        self._wake = asyncio.Event()
        self.sampler = Sampler(
            self._read,
            {FOO: Wiring(bridge=BRIDGE, ports={TAP: "tap0"})},
            monotonic=lambda: self.now,
            wall=lambda: 1000 + self.now,
            sleep=self._sleep,
        )

    def _read(self) -> Readings:
        self.reads += 1
        self.now += self.read_takes
        if self.failing:
            raise self.failing
        counters = (125 * self.reads, 250 * self.reads, self.reads, self.reads, 0, 0)
        return readings({BRIDGE: counters, TAP: counters})

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._asleep.set()
        await self._wake.wait()
        self._wake.clear()
        self.now += seconds

    def runs(self) -> bool:
        return self.sampler.running

    async def until_asleep(self) -> None:
        """Wait until the sampler has done a round."""
        async with asyncio.timeout(5):
            await self._asleep.wait()
        self._asleep.clear()

    async def round(self) -> None:
        """Wake the sampler and let it do its next round."""
        self._wake.set()
        await self.until_asleep()


async def following(samples: AsyncIterator[Sample]) -> Sample:
    async with asyncio.timeout(5):
        return await anext(samples)


async def test_samples_are_taken_only_while_somebody_wants_them() -> None:
    bench = Bench()
    assert not bench.runs()
    samples = bench.sampler.samples()
    assert not bench.runs()
    await following(samples)
    assert bench.runs()
    bench.sampler.start()
    await samples.aclose()
    assert bench.runs()
    bench.sampler.stop()
    assert not bench.runs()
    await bench.sampler.close()


async def test_subscribers_share_each_sample_and_a_slow_one_gets_the_newest() -> None:
    bench = Bench()
    bench.sampler.start()
    await bench.until_asleep()
    quick, slow = bench.sampler.samples(), bench.sampler.samples()
    first = await following(quick)
    assert await following(slow) is first
    for _ in range(5):
        await bench.round()
        newest = await following(quick)
    assert await following(slow) is newest
    assert bench.reads == 6
    assert newest.time == 1005
    assert newest.networks[FOO].traffic.rates.in_bits == 1000
    assert newest.networks[FOO].traffic.rates.out_bits == 2000
    await bench.sampler.close()


async def test_who_asks_for_the_same_details_is_given_the_same_object() -> None:
    bench = Bench()
    bench.sampler.start()
    await bench.until_asleep()
    wanted: Sequence[frozenset[UUID]] = (frozenset(), frozenset({FOO}), frozenset({FOO}))
    following_each = [bench.sampler.samples(each) for each in wanted]
    for _ in range(2):
        none, some, same = [await following(each) for each in following_each]
        assert same is some
        assert some.networks[FOO].ports.keys() == {"tap0"}
        assert none.networks.keys() == some.networks.keys() == {FOO}
        brief = none.networks[FOO]
        assert brief == replace(some.networks[FOO], ports={}, detailed=False)
        assert brief.port_count == 1
        await bench.round()
    await bench.sampler.close()


async def test_the_pace_is_even_however_long_a_reading_takes() -> None:
    bench = Bench()
    bench.read_takes = 0.25
    bench.sampler.start()
    await bench.until_asleep()
    for _ in range(3):
        await bench.round()
    assert bench.slept == [0.75] * 4
    bench.read_takes = 3.5
    await bench.round()
    bench.read_takes = 0.25
    await bench.round()
    assert bench.slept[4:] == [1, 0.75]
    points = bench.sampler.history(FOO)
    assert [round(point.in_bits) for point in points] == [1000, 1000, 1000, 235, 800]
    await bench.sampler.close()


async def test_a_failed_reading_is_logged_once_and_sampling_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    bench.sampler.start()
    await bench.until_asleep()
    bench.failing = DriverError("no counters today")
    await bench.round()
    await bench.round()
    bench.failing = None
    await bench.round()
    assert [record.getMessage() for record in caplog.records] == ["statistics: no counters today"]
    # Three intervals passed, with three readings' bytes.
    assert [point.in_bits for point in bench.sampler.history(FOO)] == [1000]
    await bench.sampler.close()


async def test_a_subscriber_that_is_cancelled_is_gone() -> None:
    bench = Bench()

    async def watch() -> None:
        async for _ in bench.sampler.samples():
            pass

    watcher = asyncio.create_task(watch())
    await bench.until_asleep()
    assert bench.runs()
    watcher.cancel()
    await asyncio.wait([watcher])
    assert not bench.runs()
    await bench.sampler.close()


async def test_closing_ends_every_subscription() -> None:
    bench = Bench()

    async def count() -> int:
        return len([sample async for sample in bench.sampler.samples()])

    counters = [asyncio.create_task(count()) for _ in range(3)]
    await bench.until_asleep()
    await bench.round()
    await bench.sampler.close()
    async with asyncio.timeout(5):
        assert [await counter for counter in counters] == [2, 2, 2]
    assert not bench.runs()
    assert await count() == 0


async def test_what_came_before_a_pause_is_not_shown_as_new() -> None:
    bench = Bench()
    samples = bench.sampler.samples()
    await following(samples)
    await bench.until_asleep()
    await samples.aclose()
    bench.now += 1000
    sample = await following(again := bench.sampler.samples())
    assert sample.time == 2000
    assert sample.networks[FOO].traffic.rates.in_bits == 0
    await again.aclose()
    await bench.sampler.close()
