"""Changes on trial on a real kernel: whatever becomes of those who made them, all comes back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import pytest

from tests.support.eventually import soon
from tests.support.inventory import dnsmasqs, inventory, links
from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.packets import Fate, Packets, Probe
from vnet_tui.engine.caller import CALLER, Caller
from vnet_tui.engine.checkpoint_file import CheckpointFiles
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import ConflictError, NotFoundError, StateError
from vnet_tui.engine.steps import Step
from vnet_tui.engine.views import Event, EventKind
from vnet_tui.sandbox.namespaces import veth

ONE = document("one", address="10.41.0.1")
TWO = document("two", address="10.42.0.1")
THREE = document("three", address="10.43.0.1")
NEW = document("new", address="10.44.0.1")
SHUT = document(
    "one",
    '<forwarding><outgoing default="deny"/></forwarding>',
    address="10.41.0.1",
)
MOVED = document("one", address="10.45.0.1").replace('"vn-one"', '"vn-uno" mtu="1400"')


@contextlib.contextmanager
def on_behalf_of(who: str) -> Iterator[None]:
    """Another client than this process."""
    token = CALLER.set(Caller(who=who, session=f"session of {who}"))
    try:
        yield
    finally:
        CALLER.reset(token)


def host(lab: Lab) -> dict[str, object]:
    """Everything that a roll-back has to bring back."""
    state = lab.paths.state
    files = [*lab.paths.definitions.glob("*"), *lab.paths.autostart.glob("*")]
    ours = {str(path.relative_to(state)): path.read_text() for path in files}
    seen = inventory(lab.paths)
    seen["files"] = [
        name for name in _names(seen["files"]) if not name.endswith((".tmp", ".lock", ".sock"))
    ]
    return {**seen, "store": ours}


def _names(files: object) -> list[str]:
    assert isinstance(files, list)
    return files


async def rolled_back(events: AsyncIterator[Event]) -> str:
    """The message that all is as it was."""
    async for event in events:
        if event.kind is EventKind.ROLLED_BACK and event.network is None:
            return event.message
    raise AssertionError("no more events")


@pytest.fixture
async def engine(lab: Lab) -> AsyncIterator[Engine]:
    """An engine with three networks, of which one and two run, a guest on one; what runs at the end
    is stopped."""
    async with Engine(lab.paths) as made:
        for text in (ONE, TWO, THREE):
            await made.define(text)
        await made.set_autostart("two", True)
        await made.start(["one", "two"])
        lab.guest("guest", "vn-one")
        yield made
        pending = await made.checkpoint()
        if pending is not None:
            await made.confirm(pending.id)
        active = [info.uuid for info in await made.networks() if info.active]
        if active:
            await made.stop(active)


# By itself


async def test_an_edit_that_cuts_off_a_guest_comes_back_by_itself(lab: Lab, engine: Engine) -> None:
    outside = lab.machine("outside")
    veth("up0", "eth0", outside)
    lab.ip("address", "add", "198.51.100.2/24", "dev", "up0")
    outside.run("ip", "address", "add", "198.51.100.1/24", "dev", "eth0")
    guest = lab.guest("cut", "vn-one")
    guest.run("ip", "address", "add", "10.41.0.9/24", "dev", "eth0")
    guest.run("ip", "route", "add", "default", "via", "10.41.0.1")
    packets = Packets({"cut": guest, "outside": outside})
    packets.listen("outside", 80)
    probes = [Probe("cut", "tcp", "198.51.100.1", 80)]

    def fate() -> Fate:
        return packets.probe(probes)[0].fate

    try:
        assert fate() is Fate.PASS
        connection = packets.connect("cut", "198.51.100.1", 80, server=("outside", 80))
        before = host(lab)
        events = engine.events()
        await engine.open_checkpoint(1.5)
        await engine.define(SHUT)
        await engine.apply("one")
        assert fate() is Fate.DENIED
        assert connection.works()
        message = await asyncio.wait_for(rolled_back(events), 10)
        assert "nobody confirmed it" in message
        assert fate() is Fate.PASS
        assert connection.works()
        assert host(lab) == before
        assert not await engine.plan("apply", ["one"])
        connection.close()
    finally:
        packets.close()


async def test_what_was_confirmed_stays(lab: Lab, engine: Engine) -> None:
    opened = await engine.open_checkpoint(1)
    await engine.define(SHUT)
    await engine.apply("one")
    after = host(lab)
    await asyncio.sleep(max(0.0, opened.deadline - time.time() - 0.15))
    await engine.confirm(opened.id)
    assert await engine.checkpoint() is None
    await asyncio.sleep(max(0.0, opened.deadline - time.time()))
    second = await engine.open_checkpoint(60)  # nothing rolls the first one back any more
    await engine.confirm(second.id)
    assert host(lab) | {"files": []} == after | {"files": []}
    kinds = [event.kind for event in await engine.past_events()]
    assert EventKind.ROLLED_BACK not in kinds
    assert kinds.count(EventKind.CHECKPOINT_CONFIRMED) == 2


# Everything that a change can be


async def _edit(engine: Engine) -> None:
    await engine.define(MOVED)
    await engine.apply("one")


async def _start(engine: Engine) -> None:
    await engine.start(["three"])


async def _stop(engine: Engine) -> None:
    await engine.stop(["one", "two"])


async def _stop_and_start(engine: Engine) -> None:
    await engine.stop(["one", "two"])
    await engine.start(["two"])
    await engine.start(["one"])


async def _restart(engine: Engine) -> None:
    await engine.restart(["one"])


async def _definitions(engine: Engine) -> None:
    await engine.undefine("three")
    await engine.undefine("one")
    await engine.define(NEW)
    await engine.set_autostart("two", False)
    await engine.set_autostart("new", True)


async def _in_their_places(engine: Engine) -> None:
    """Another network takes the bridge, the subnet and the id of one that was."""
    await engine.stop(["two"])
    await engine.undefine("two")
    await engine.define(NEW.replace("10.44", "10.42").replace("vn-new", "vn-two"))
    await engine.start(["new"])


async def _transient(engine: Engine) -> None:
    await engine.undefine("one")
    await engine.stop(["one"])
    await engine.create(NEW)


CHANGES: dict[str, Callable[[Engine], Awaitable[None]]] = {
    "edit": _edit,
    "start": _start,
    "stop": _stop,
    "stop and start": _stop_and_start,
    "restart": _restart,
    "definitions": _definitions,
    "in their places": _in_their_places,
    "transient": _transient,
}


@pytest.mark.parametrize("change", CHANGES)
async def test_whatever_was_changed_is_as_it_was(lab: Lab, engine: Engine, change: str) -> None:
    leases = lab.paths.lease_file((await engine.network("one")).uuid)
    leases.write_text("2000000000 52:54:00:00:00:01 10.41.0.150 web *\n")
    ids = {info.name: info.id for info in await engine.networks()}
    before = host(lab)
    opened = await engine.open_checkpoint(60)
    await CHANGES[change](engine)
    seen = await engine.checkpoint()
    assert seen is not None
    assert seen.changes
    await engine.roll_back(opened.id)
    assert host(lab) == before
    assert {info.name: info.id for info in await engine.networks()} == ids
    assert not [info.name for info in await engine.networks() if info.pending]
    assert "10.41.0.150" in leases.read_text()
    for name in ("one", "two"):
        assert not await engine.plan("apply", [name])


async def test_a_definition_that_somebody_wrote_by_hand_is_set_aside(
    lab: Lab, engine: Engine
) -> None:
    before = host(lab)
    uuid = (await engine.network("three")).uuid
    opened = await engine.open_checkpoint(60)
    by_hand = THREE.replace("10.43", "10.46")
    (lab.paths.definitions / f"{uuid}.xml").write_text(by_hand)
    await engine.roll_back(opened.id)
    assert host(lab) == before
    assert (lab.paths.checkpoints / opened.id / f"{uuid}.xml").read_text() == by_hand


# Others


async def test_others_change_nothing_meanwhile_but_may_confirm(lab: Lab, engine: Engine) -> None:
    opened = await engine.open_checkpoint(60)
    before = host(lab)
    async with Engine(lab.paths) as other:
        with on_behalf_of("bob"):
            for change in (
                other.define(NEW),
                other.undefine("three"),
                other.set_autostart("one", True),
                other.create(NEW),
                other.start(["three"]),
                other.stop(["one"]),
                other.restart(["one"]),
                other.apply("one"),
            ):
                with pytest.raises(StateError, match=r"has changes on trial.*another \d+ s") as no:
                    await change
                assert opened.who in no.value.message
                assert f"vnet network-confirm {opened.id}" in no.value.remedy
                assert f"vnet network-rollback {opened.id}" in no.value.remedy
            with pytest.raises(StateError, match=f"opened checkpoint {opened.id}"):
                await other.open_checkpoint(60)
            assert host(lab) == before
            await other.confirm(opened.id)
            await other.define(NEW)
    with pytest.raises(StateError, match=f"{opened.id} was confirmed by bob at 20"):
        await engine.confirm(opened.id)
    with pytest.raises(StateError, match=f"{opened.id} was confirmed by bob at 20"):
        await engine.roll_back(opened.id)
    with pytest.raises(NotFoundError, match="there is no checkpoint f00"):
        await engine.confirm("f00")


async def test_another_process_is_refused_too(lab: Lab, engine: Engine) -> None:
    opened = await engine.open_checkpoint(60)
    before = host(lab)
    assert await asyncio.to_thread(_in_child, partial(_refused, lab)) == 0
    assert host(lab) == before
    await engine.confirm(opened.id)


async def _refused(lab: Lab) -> None:
    async with Engine(lab.paths) as other:
        with pytest.raises(StateError, match="has changes on trial"):
            await other.stop(["one"])
        with pytest.raises(StateError, match="has changes on trial"):
            await other.define(NEW)


async def test_of_confirming_and_rolling_back_at_once_one_wins(lab: Lab, engine: Engine) -> None:
    before = host(lab)
    async with Engine(lab.paths) as other:
        for turn in range(8):
            opened = await engine.open_checkpoint(60)
            await engine.define(SHUT)
            await engine.apply("one")
            after = host(lab)
            rivals = [engine.confirm(opened.id), other.roll_back(opened.id)]
            ended = await asyncio.gather(*rivals[:: (-1) ** turn], return_exceptions=True)
            lost = [one for one in ended if isinstance(one, StateError)]
            assert (len(lost), len(ended)) == (1, 2), ended
            winner = after if "was confirmed" in str(lost[0]) else before
            assert host(lab) | {"files": []} == winner | {"files": []}
            await engine.define(ONE)
            await engine.apply("one")


# Killed


def _in_child(work: Callable[[], Awaitable[None]]) -> int:
    """Run this in another process; its exit code, or the negative number of what killed it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.run(_awaited(work))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def _prepare(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        for text in (ONE, TWO, THREE):
            await engine.define(text)
        await engine.start(["one", "two"])
        lab.guest("guest", "vn-one")


async def _try(engine: Engine) -> None:
    """An edit, a start, a stop, and definitions that come and go."""
    await engine.define(SHUT)
    await engine.apply("one")
    await engine.undefine("three")
    await engine.stop(["two"])
    await engine.create(NEW)
    await engine.set_autostart("one", True)


async def _end(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        await engine.stop([info.uuid for info in await engine.networks() if info.active])
    assert dnsmasqs() == []


async def _killed_on_trial(lab: Lab, within: float) -> None:
    async with Engine(lab.paths) as engine:
        await engine.open_checkpoint(within)
        await _try(engine)
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_next_engine_keeps_the_deadline_of_one_that_was_killed(lab: Lab) -> None:
    asyncio.run(_prepare(lab))
    before = host(lab)
    assert _in_child(partial(_killed_on_trial, lab, 2)) == -signal.SIGKILL

    async def adopted() -> None:
        async with Engine(lab.paths) as engine:
            events = engine.events()
            await engine.adopt()
            pending = await engine.checkpoint()
            assert pending is not None
            assert 0 < pending.deadline - time.time() < 2
            await asyncio.wait_for(rolled_back(events), 10)

    asyncio.run(adopted())
    assert host(lab) == before
    asyncio.run(_end(lab))


def test_the_next_engine_rolls_back_at_once_what_is_overdue(lab: Lab) -> None:
    asyncio.run(_prepare(lab))
    before = host(lab)
    assert _in_child(partial(_killed_on_trial, lab, 1)) == -signal.SIGKILL
    pending = CheckpointFiles(lab.paths).pending()
    assert pending is not None
    time.sleep(max(0.0, pending.remaining()))

    async def adopted() -> None:
        async with Engine(lab.paths) as engine:
            await engine.adopt()
            assert await engine.checkpoint() is None

    asyncio.run(adopted())
    assert host(lab) == before
    asyncio.run(_end(lab))


async def test_one_that_watches_keeps_the_deadlines_of_others(lab: Lab, engine: Engine) -> None:
    before = host(lab)
    events = engine.events()
    await engine.watch()
    killed = await asyncio.to_thread(_in_child, partial(_killed_on_trial, lab, 1))
    assert killed == -signal.SIGKILL
    await asyncio.wait_for(rolled_back(events), 10)
    assert host(lab) == before


class _Killer:
    """Kills this process before the step, or the durable write, that has this number."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.seen = 0
        self._fsync = os.fsync

    def step(self, _number: int, _step: Step) -> None:
        self._count()

    def fsync(self, descriptor: int) -> None:
        self._count()
        self._fsync(descriptor)

    def _count(self) -> None:
        if self.seen == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.seen += 1


async def _killed_rolling_back(lab: Lab, id_: str, at: int) -> None:
    killer = _Killer(at)
    os.fsync = killer.fsync  # type: ignore[assignment]
    async with Engine(lab.paths, before_step=killer.step) as engine:
        await engine.roll_back(id_)


def test_a_kill_anywhere_in_a_roll_back_is_ended_by_the_next_engine(lab: Lab) -> None:
    asyncio.run(_prepare(lab))
    before = host(lab)

    async def on_trial() -> str:
        async with Engine(lab.paths) as engine:
            opened = await engine.open_checkpoint(3600)
            await _try(engine)
            return opened.id

    async def adopted(id_: str) -> None:
        async with Engine(lab.paths) as engine:
            await engine.adopt()
            if await engine.checkpoint() is not None:  # it hadn't been decided yet
                await engine.roll_back(id_)

    at = 0
    while True:
        id_ = asyncio.run(on_trial())
        killed = _in_child(partial(_killed_rolling_back, lab, id_, at))
        if killed == 0:
            break
        assert killed == -signal.SIGKILL
        asyncio.run(adopted(id_))
        assert host(lab) == before, f"killed at {at}"
        at += 1
    assert at > 20
    assert host(lab) == before
    asyncio.run(_end(lab))


# What is in the way


async def test_what_cant_be_brought_back_yet_doesnt_keep_the_rest_from_it(
    lab: Lab, engine: Engine
) -> None:
    before = host(lab)
    opened = await engine.open_checkpoint(60)
    await engine.define(SHUT)
    await engine.apply("one")
    await engine.stop(["two"])
    lab.ip("link", "add", "vn-two", "type", "veth", "peer", "name", "other")
    events = engine.events()
    with pytest.raises(ConflictError, match="veth interface called vn-two"):
        await engine.roll_back(opened.id)
    assert not (await engine.network("one")).pending
    assert not await engine.plan("apply", ["one"])
    pending = await engine.checkpoint()
    assert pending is not None
    assert "veth interface called vn-two" in pending.note
    with pytest.raises(StateError, match="too late"):
        await engine.confirm(opened.id)
    with pytest.raises(StateError, match="is being rolled back"):
        await engine.start(["three"])
    told = [event.message async for event in _until(events, EventKind.FAILED)]
    assert "veth interface called vn-two" in told[-1]
    lab.ip("link", "del", "vn-two")
    await asyncio.wait_for(rolled_back(events), 20)
    assert host(lab) == before


async def _until(events: AsyncIterator[Event], kind: EventKind) -> AsyncIterator[Event]:
    async for event in events:
        yield event
        if event.kind is kind:
            return


async def test_after_a_reboot_what_starts_by_itself_runs_as_it_was_defined(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        for text in (ONE, TWO, THREE):
            await engine.define(text)
        for name in ("one", "two"):
            await engine.set_autostart(name, True)
        await engine.start(["one", "two"])
        defined = host(lab)["store"]
        opened = await engine.open_checkpoint(3)
        await engine.define(MOVED)
        await engine.apply("one")
        await engine.set_autostart("two", False)
        await engine.set_autostart("three", True)
        await engine.stop(["one", "two"])
    shutil.rmtree(lab.paths.run)
    async with Engine(lab.paths) as engine:
        await engine.adopt()
        assert {info.name for info in await engine.start_autostart()} == {"one", "three"}
        assert "vn-uno" in links()
        again = await engine.checkpoint()
        assert again is not None
        assert again.deadline == pytest.approx(opened.deadline, abs=0.1)
        with pytest.raises(StateError, match="has changes on trial"):
            await engine.stop(["one"])
        await asyncio.wait_for(rolled_back(engine.events()), 10)
        await soon(lambda: _active(engine, {"one", "two"}))
        assert host(lab)["store"] == defined
        assert "vn-one" in links()
        for name in ("one", "two"):
            assert not await engine.plan("apply", [name])
        await engine.stop(["one", "two"])


async def _active(engine: Engine, names: set[str]) -> bool:
    return {info.name for info in await engine.networks() if info.active} == names
