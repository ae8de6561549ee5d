"""Checkpoints on a host in memory: from any state, after any changes, killed at any step."""

from __future__ import annotations

import asyncio
import copy
import errno
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings, strategies as st

from tests.support.eventually import soon
from tests.support.networks import document
from tests.support.simulated import SimulatedHost, mortal
from vnet_tui.engine import backoff, checkpoint_keeper, requests
from vnet_tui.engine.caller import CALLER, Caller
from vnet_tui.engine.catalog import Catalog
from vnet_tui.engine.change_request import Prepare, Request, Running
from vnet_tui.engine.changes import Changes, OnEnd
from vnet_tui.engine.checkpoint import Checkpoints
from vnet_tui.engine.checkpoint_file import CheckpointFiles
from vnet_tui.engine.desired import DesiredNetwork
from vnet_tui.engine.edits import Edits
from vnet_tui.engine.errors import (
    DriverError,
    NotFoundError,
    Problem,
    StateError,
    StepFailedError,
    StoreError,
    VnetError,
)
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.observe import RecordsDriver
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.records import Records
from vnet_tui.engine.steps import AddAddress, Step
from vnet_tui.engine.views import EventKind, Verb
from vnet_tui.engine.xml import parse

NAMES = ("a", "b", "c")


def text(name: str, variant: int = 0) -> str:
    """A network, or another definition of it."""
    return document(name, address=f"10.{1 + NAMES.index(name)}.{variant}.1")


class Bench:
    """One process's checkpoints, edits and changes on a simulated host."""

    def __init__(self, directory: Path) -> None:
        self.host = SimulatedHost()
        self.paths = Paths(state=directory / "state", run=directory / "run")
        self.on_step: Callable[[int, Step], None] = lambda _number, _step: None
        self.settled: list[bool] = []
        self.new_process()

    def new_process(self) -> None:
        """What a killed one leaves to the next."""
        self.host.dead = False
        self.catalog = Catalog(self.paths)
        self.bus = EventBus(self.paths)
        records = cast("RecordsDriver", mortal(Records(self.paths), self.host))
        self.changes = Changes(
            self.paths,
            replace(self.host.drivers, records=records),
            parse=parse,
            service_conflicts=_none,
            before_step=lambda number, step: self.on_step(number, step),
        )
        self.checkpoints = Checkpoints(
            self.paths,
            self.catalog,
            self.bus,
            changes=self._changes,
            links=self.host.links.snapshot,
            settled=self._settled,
        )
        self.edits = Edits(self.paths, self.catalog, self.bus, self.checkpoints)

    async def _changes(self) -> Changes:
        return self.changes

    async def _settled(self, rebooted: bool) -> None:
        self.settled.append(rebooted)

    async def change(self, verb: Verb, name: str) -> None:
        """Ask for a change as the engine does."""
        listing = self.catalog.look()
        change = requests.asked(verb, [listing.find(name)], listing)

        def prepare(running: Running) -> Request:
            self.checkpoints.allow()
            return change.prepare(running)

        await self.changes.run(prepare)

    async def act(self, action: str, name: str) -> None:
        """One of the things that can be done; what isn't possible now is left."""
        try:
            match action:
                case "define" | "define anew":
                    await self.edits.define(text(name, int(action != "define")), None)
                case "undefine":
                    await self.edits.undefine(name)
                case "autostart" | "no autostart":
                    await self.edits.set_autostart(name, action == "autostart")
                case "start" | "stop" | "restart" | "apply":
                    await self.change(action, name)
        except (StateError, NotFoundError, KeyError):
            pass

    def state(self) -> dict[str, object]:
        """All that a roll-back has to bring back."""
        running = {
            uuid: replace(record, started=0.0)
            for uuid, (record, _) in self.catalog.running().items()
        }
        return {
            **self.host.state(),
            "running": running,
            "definitions": self.catalog.store.texts(),
            "autostart": self.catalog.store.autostarts(),
        }


async def _none(_: DesiredNetwork, had: DesiredNetwork | None) -> tuple[Problem, ...]:
    return ()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    for name in NAMES[:2]:
        await made.edits.define(text(name), None)
    await made.change("start", "a")
    made.host.links.add("tap0", master="vn-a")
    yield made
    await made.checkpoints.close()


async def changed(bench: Bench) -> None:
    """Something of everything."""
    for action, name in (
        ("define anew", "a"),
        ("apply", "a"),
        ("start", "b"),
        ("define", "c"),
        ("autostart", "c"),
        ("undefine", "b"),
    ):
        await bench.act(action, name)


ACTIONS = (
    "define",
    "define anew",
    "undefine",
    "autostart",
    "no autostart",
    "start",
    "stop",
    "restart",
    "apply",
)
BEGINNINGS = (
    (),
    ("define",),
    ("define", "autostart"),
    ("define", "start"),
    ("define", "start", "undefine"),
    ("define", "start", "define anew", "autostart"),
)
some_actions = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.sampled_from(NAMES)), min_size=1, max_size=10
)


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.sampled_from(BEGINNINGS)] * len(NAMES)), some_actions)
async def test_any_changes_of_any_state_are_rolled_back(
    tmp_path_factory: pytest.TempPathFactory,
    before: tuple[tuple[str, ...], ...],
    after: list[tuple[str, str]],
) -> None:
    bench = Bench(tmp_path_factory.mktemp("host"))
    for name, actions in zip(NAMES, before, strict=True):
        for action in actions:
            await bench.act(action, name)
    for number, bridge in enumerate(list(bench.host.links.links)):
        bench.host.links.add(f"tap{number}", master=bridge)
    old = copy.deepcopy(bench.state())
    opened = await bench.checkpoints.open(60)
    for action, name in after:
        await bench.act(action, name)
    await bench.checkpoints.roll_back(opened.id)
    assert bench.state() == old
    assert await bench.checkpoints.current() is None
    await bench.checkpoints.close()


async def test_a_kill_at_any_step_of_a_roll_back_is_ended_by_the_next_process(
    bench: Bench,
) -> None:
    old = copy.deepcopy(bench.state())
    at = 0
    while True:
        opened = await bench.checkpoints.open(60)
        await changed(bench)

        def kill(number: int, _: Step, at: int = at) -> None:
            if number == at:
                bench.host.dead = True
                raise DriverError("killed")

        bench.on_step = kill
        try:
            await bench.checkpoints.roll_back(opened.id)
        except VnetError:
            await bench.checkpoints.close()
            bench.on_step = lambda _number, _step: None
            bench.new_process()
            await bench.checkpoints.adopt()
        else:
            break
        assert bench.state() == old, f"killed at step {at}"
        assert await bench.checkpoints.current() is None
        at += 1
    assert at > 5
    assert bench.state() == old


async def test_what_fails_is_tried_again_and_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.01)
    old = copy.deepcopy(bench.state())
    opened = await bench.checkpoints.open(60)
    await changed(bench)
    failures = 0

    def fail(_number: int, step: Step) -> None:
        nonlocal failures
        if isinstance(step, AddAddress) and failures < 5:
            failures += 1
            raise DriverError("not now")

    bench.on_step = fail
    events = bench.bus.subscribe()
    with pytest.raises(StepFailedError, match="not now"):
        await bench.checkpoints.roll_back(opened.id)
    seen = await bench.checkpoints.current()
    assert seen is not None
    assert "not now" in seen.note
    assert not [change for change in seen.changes if change.startswith(("b ", "c "))]
    told = []
    async with asyncio.timeout(10):
        async for event in events:
            told.append((event.kind, event.message))
            if event.kind is EventKind.ROLLED_BACK and event.network is None:
                break
    assert [kind for kind, _ in told].count(EventKind.FAILED) > 1
    assert f"checkpoint {opened.id} can't be rolled back yet" in str(told)
    assert bench.state() == old
    await bench.bus.close()


async def test_who_is_overtaken_rolls_back_nothing_that_came_after(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Bench(tmp_path)
    slow.host = bench.host
    slow.new_process()
    opened = await bench.checkpoints.open(60)
    await changed(bench)
    run = slow.changes.run

    async def overtaken(prepare: Prepare, *, on_end: OnEnd | None = None) -> Running:
        running = await run(prepare, on_end=on_end)
        await bench.checkpoints.roll_back(opened.id)
        await bench.act("define anew", "b")
        return running

    monkeypatch.setattr(slow.changes, "run", overtaken)
    await slow.checkpoints.roll_back(opened.id)
    assert "10.2.1.1" in "".join(bench.catalog.store.texts().values())
    ended = [event for event in bench.bus.past() if event.kind is EventKind.ROLLED_BACK]
    assert len([event for event in ended if event.network is None]) == 1


async def test_a_full_disk_doesnt_keep_from_bringing_back_what_ran(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bench.state()
    await bench.checkpoints.open(60)
    await changed(bench)
    await bench.checkpoints.close()
    now = time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda clock: now(clock) + 61)
    real = tempfile.mkstemp

    def full(*, dir: Path, prefix: str, suffix: str) -> tuple[int, str]:
        if dir.is_relative_to(bench.paths.state):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(dir=str(dir), prefix=prefix, suffix=suffix)

    monkeypatch.setattr(tempfile, "mkstemp", full)
    await bench.checkpoints.end_overdue()
    assert bench.state()["running"] == before["running"]
    assert bench.state()["links"] == before["links"]
    seen = await bench.checkpoints.current()
    assert seen is not None
    assert "No space left on device" in seen.note


@pytest.mark.parametrize("seconds", [0, 0.99, -1, 86_401, float("nan"), float("inf")])
async def test_a_deadline_that_makes_no_sense_is_refused(bench: Bench, seconds: float) -> None:
    with pytest.raises(VnetError, match=r"s to confirm a change \(from 1 s to a day"):
        await bench.checkpoints.open(seconds)
    assert await bench.checkpoints.current() is None


async def test_it_says_what_would_be_taken_back(bench: Bench) -> None:
    opened = await bench.checkpoints.open(60)
    assert opened.changes == ()
    await changed(bench)
    await bench.act("restart", "b")
    seen = await bench.checkpoints.current()
    assert seen is not None
    assert set(seen.changes) == {
        "a defined anew",
        "a edited",
        "b undefined",
        "b started",
        "c defined",
        "c set to start by itself",
    }
    assert (seen.id, seen.who) == (opened.id, opened.who)
    assert seen.deadline == pytest.approx(opened.deadline, abs=0.05)
    await bench.checkpoints.confirm(opened.id)


async def test_a_clock_that_is_set_moves_no_deadline(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time
    opened = await bench.checkpoints.open(60)
    for jump in (86_400.0, -86_400.0):
        monkeypatch.setattr(time, "time", lambda jump=jump: now() + jump)
        seen = await bench.checkpoints.current()
        assert seen is not None
        assert seen.deadline - time.time() == pytest.approx(60, abs=1)
        bench.checkpoints.allow()
    await bench.checkpoints.confirm(opened.id)


async def test_after_a_reboot_the_clock_of_the_wall_counts_but_never_for_longer_than_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await bench.checkpoints.open(60)
    await bench.checkpoints.close()
    (bench.paths.run / "checkpoint.json").unlink()
    now = time.time
    for passed, left in ((20.0, 40.0), (61.0, -1.0), (-3_600.0, 60.0)):
        monkeypatch.setattr(time, "time", lambda passed=passed: now() + passed)
        pending = CheckpointFiles(bench.paths).pending()
        assert pending is not None
        assert pending.ran is None
        assert pending.remaining() == pytest.approx(left, abs=1)
    bench.new_process()
    await bench.checkpoints.adopt()  # from here on this boot's clock counts
    monkeypatch.setattr(time, "time", now)
    seen = await bench.checkpoints.current()
    assert seen is not None
    assert seen.deadline == pytest.approx(now() + 60, abs=1)
    await bench.checkpoints.roll_back(opened.id)
    assert bench.settled == [True]


async def test_the_session_counts_only_until_a_reboot(bench: Bench) -> None:
    opened = await bench.checkpoints.open(60)
    bench.checkpoints.allow()
    (bench.paths.run / "checkpoint.json").unlink()
    with pytest.raises(StateError, match="has changes on trial"):
        bench.checkpoints.allow()
    bench.checkpoints.allow(by_itself=True)
    await bench.checkpoints.confirm(opened.id)
    bench.checkpoints.allow()


async def test_what_is_overdue_is_rolled_back_before_anything_else_changes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = copy.deepcopy(bench.state())
    await bench.checkpoints.open(60)
    await changed(bench)
    await bench.checkpoints.close()
    bench.new_process()
    now = time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda clock: now(clock) + 61)
    token = CALLER.set(Caller(who="bob", session="bob's"))
    try:
        await bench.edits.set_autostart("a", True)
    finally:
        CALLER.reset(token)
    (marked,) = cast("frozenset[object]", bench.state()["autostart"])
    assert bench.state() == old | {"autostart": {marked}}


async def test_a_damaged_checkpoint_is_told_and_can_be_removed(bench: Bench) -> None:
    await bench.checkpoints.open(60)
    path = bench.paths.checkpoints / "open.json"
    for content in ("", "{}", "[]", '{"id": 1, "definitions": 7}', path.read_text()[:-9]):
        path.write_text(content)
        with pytest.raises(StoreError, match=r"open\.json can't be read.*remove the file"):
            await bench.edits.define(text("c"), None)
    path.unlink()
    await bench.edits.define(text("c"), None)
    await bench.checkpoints.adopt()
    assert not (bench.paths.run / "checkpoint.json").exists()


async def test_leases_go_when_their_network_cant_come_back(bench: Bench) -> None:
    await bench.act("define", "c")
    listing = bench.catalog.look()
    leases = {name: bench.paths.lease_file(listing.find(name)) for name in NAMES}
    bench.paths.leases.mkdir()
    for path in leases.values():
        path.write_text("")
    opened = await bench.checkpoints.open(60)
    await bench.edits.undefine("c")
    assert leases["c"].exists()
    await bench.checkpoints.roll_back(opened.id)
    assert leases["c"].exists()
    opened = await bench.checkpoints.open(60)
    await bench.edits.undefine("c")
    await bench.checkpoints.confirm(opened.id)
    assert {name for name, path in leases.items() if path.exists()} == {"a", "b"}


async def test_of_many_roll_backs_the_last_ones_are_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vnet_tui.engine.checkpoint_file.SET_ASIDE", 2)
    monkeypatch.setattr("vnet_tui.engine.checkpoint_file.REMEMBERED", 3)
    ids = []
    for _ in range(5):
        opened = await bench.checkpoints.open(60)
        await bench.act("define anew", "b")
        await bench.checkpoints.roll_back(opened.id)
        ids.append(opened.id)
    kept = {path.name for path in bench.paths.checkpoints.iterdir() if path.is_dir()}
    assert kept == set(ids[-2:])
    with pytest.raises(NotFoundError):
        await bench.checkpoints.confirm(ids[1])
    with pytest.raises(StateError, match="was rolled back by"):
        await bench.checkpoints.confirm(ids[2])


async def test_looking_whether_one_is_open_reads_nothing_twice(bench: Bench) -> None:
    files = CheckpointFiles(bench.paths)
    assert files.pending() is None
    opened = await bench.checkpoints.open(60)
    assert files.pending() is files.pending() is not None
    await bench.checkpoints.confirm(opened.id)
    assert files.pending() is None


# Its keeper


class Clock:
    """How much time remains, and what rolling back does."""

    def __init__(self, *remaining: float | None) -> None:
        self.remaining = list(remaining)
        self.rolled_back = 0
        self.fail = 0
        self.looks: list[float] = []

    def look(self) -> float | None:
        self.looks.append(time.monotonic())
        return self.remaining.pop(0) if len(self.remaining) > 1 else self.remaining[0]

    async def roll_back(self) -> None:
        self.rolled_back += 1
        if self.rolled_back <= self.fail:
            raise VnetError("not now") if self.rolled_back % 2 else AssertionError("a mistake")
        self.remaining = [None]


async def _ended(ended: Callable[[], bool]) -> None:
    async def look() -> bool:
        return ended()

    await soon(look)


async def test_a_machine_that_slept_past_the_deadline_rolls_back_at_the_next_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoint_keeper, "LOOK_SECONDS", 0.01)
    clock = Clock(3600.0, 3600.0, -500.0)
    keeper = checkpoint_keeper.Keeper(clock.look, clock.roll_back)
    keeper.start()
    await _ended(lambda: not keeper.keeps)
    assert clock.rolled_back == 1


async def test_a_keeper_tries_again_ever_more_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.02)
    monkeypatch.setattr(checkpoint_keeper, "LONGEST_RETRY", 0.08)
    clock = Clock(0.0)
    clock.fail = 5
    keeper = checkpoint_keeper.Keeper(clock.look, clock.roll_back)
    keeper.start()
    await _ended(lambda: not keeper.keeps)
    assert clock.rolled_back == 6
    gaps = [after - before for before, after in zip(clock.looks, clock.looks[1:], strict=False)]
    assert all(gap >= least for gap, least in zip(gaps, (0.02, 0.04, 0.08, 0.08), strict=False))


async def test_one_for_good_keeps_those_that_others_open_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoint_keeper, "LOOK_SECONDS", 0.01)
    clock = Clock(None, None, None, 0.0)
    keeper = checkpoint_keeper.Keeper(clock.look, clock.roll_back)
    keeper.start(forever=True)
    await _ended(lambda: clock.rolled_back == 1)
    assert keeper.keeps
    await keeper.close()
    assert not keeper.keeps


async def test_closing_a_keeper_lets_its_roll_back_end(bench: Bench) -> None:
    old = copy.deepcopy(bench.state())
    begun = asyncio.Event()
    opened = await bench.checkpoints.open(60)
    await changed(bench)
    bench.host.pace = 0.01
    bench.on_step = lambda _number, _step: begun.set()
    rolling: Awaitable[None] = asyncio.ensure_future(bench.checkpoints.roll_back(opened.id))
    await begun.wait()
    cast("asyncio.Task[None]", rolling).cancel()
    with pytest.raises(asyncio.CancelledError):
        await rolling
    assert bench.state() == old
    assert await bench.checkpoints.current() is None
