"""Events: told to those who listen, kept, shared between programs, and never growing."""

import asyncio
import json
import multiprocessing
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from vnet_tui.engine.event_log import EventLog
from vnet_tui.engine.events import EventBus, Subscription
from vnet_tui.engine.model import Action
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import Denial, Event, EventKind

FOO = UUID(int=1)
DEADLINE = 10


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(state=tmp_path / "state", run=tmp_path / "run")


def event(message: str, network: UUID | None = FOO) -> Event:
    return Event(
        time=datetime.now(UTC), kind=EventKind.STARTED, network=network, name="foo", message=message
    )


def denied(port: int, **more: Any) -> Event:
    """Somebody was denied that port."""
    told = Denial(
        time=1.5,
        network=FOO,
        direction="incoming",
        action=Action.DENY,
        guest="web\u202e\n",
        protocol="tcp",
        source=ip_address("2001:db8::2"),
        destination=ip_address("fd00::10"),
        source_port=40000,
        port=port,
        **more,
    )
    return replace(event(str(told)), kind=EventKind.DENIED, denial=told)


async def take(subscription: Subscription, count: int) -> list[str]:
    async with asyncio.timeout(DEADLINE):
        return [(await anext(subscription)).message for _ in range(count)]


async def test_a_listener_hears_what_is_told_from_then_on(paths: Paths) -> None:
    bus = EventBus(paths)
    bus.tell(EventKind.DEFINED, FOO, "foo", "before")
    listener = bus.subscribe()
    bus.tell(EventKind.STARTED, FOO, "foo", "one")
    bus.tell(EventKind.STOPPED, FOO, "foo", "two")
    assert await take(listener, 2) == ["one", "two"]
    await bus.close()
    with pytest.raises(StopAsyncIteration):
        await anext(listener)


def test_the_past_is_kept_bounded_and_by_network(paths: Paths) -> None:
    bus = EventBus(paths, kept=3)
    for number in range(5):
        bus.publish(event(str(number), FOO if number % 2 else None))
    assert [one.message for one in bus.past()] == ["2", "3", "4"]
    assert [one.message for one in bus.past(FOO)] == ["3"]


def test_another_program_sees_the_past(paths: Paths) -> None:
    told = event("control \x1b[2J, line\nend, \udcff and ünïcode")
    EventBus(paths).publish(told)
    assert EventBus(paths).past() == (told,)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"asked": ip_address("198.51.100.1"), "asked_port": 8080, "times": 4},
        {"rule": "rule 1 of <incoming> of foo: deny tcp 80"},
    ],
)
def test_another_program_sees_who_was_denied_what(paths: Paths, more: dict[str, Any]) -> None:
    told = denied(80, **more)
    EventBus(paths).publish(told)
    assert EventBus(paths).past() == (told,)


def test_a_denial_that_is_half_there_is_left_out(paths: Paths) -> None:
    bus = EventBus(paths)
    bus.publish(denied(80))
    line = json.loads((paths.run / "denials.jsonl").read_text())
    for field, value in (("source", "nobody"), ("port", None), ("action", "perhaps")):
        broken = {**line, "denial": {**line["denial"], field: value}}
        with (paths.run / "denials.jsonl").open("a") as file:
            file.write(json.dumps(broken) + "\n")
    assert len(EventBus(paths).past()) == 1


def test_a_flood_of_denials_pushes_out_nothing_else(paths: Paths) -> None:
    there = EventBus(paths, kept=5)
    there.publish(event("started"))
    for port in range(1, 2001):
        there.publish(denied(port))
    for bus in (there, EventBus(paths, kept=5)):
        kept = bus.past()
        assert kept[0].message == "started"
        assert [one.denial.port for one in kept[1:] if one.denial] == [*range(1996, 2001)]
    assert (paths.run / "denials.jsonl.1").exists()
    assert not (paths.run / "events.jsonl.1").exists()


async def test_a_slow_listener_loses_the_oldest_and_is_told(paths: Paths) -> None:
    bus = EventBus(paths, backlog=3)
    listener = bus.subscribe()
    for number in range(10):
        bus.publish(event(str(number)))
    first = await anext(listener)
    assert first.kind is EventKind.WARNING
    assert first.message.startswith("7 events")
    assert await take(listener, 3) == ["7", "8", "9"]
    await bus.close()


async def test_a_listener_hears_other_programs_in_order(paths: Paths) -> None:
    here, there = EventBus(paths), EventBus(paths)
    listener = here.subscribe()
    there.publish(event("theirs"))
    here.publish(event("ours"))
    there.publish(event("theirs again"))
    assert await take(listener, 3) == ["theirs", "ours", "theirs again"]
    waiting = asyncio.ensure_future(take(listener, 1))
    await asyncio.sleep(0)
    there.publish(event("while it waits"))
    assert await waiting == ["while it waits"]
    await here.close()
    assert [one.message for one in here.past()] == [one.message for one in there.past()]


async def test_a_listener_that_is_forgotten_is_let_go(paths: Paths) -> None:
    bus = EventBus(paths)
    bus.subscribe()
    bus.publish(event("one"))
    assert not list(bus._subscriptions)
    await bus.close()


def test_half_a_line_costs_no_other(paths: Paths) -> None:
    bus = EventBus(paths)
    bus.publish(event("one"))
    with (paths.run / "events.jsonl").open("ab") as file:
        file.write(b'{"time": "2026-01-01T00:0')
    bus.publish(event("two"))
    with (paths.run / "events.jsonl").open("ab") as file:
        file.write(b'\n["not an object"]\n{"kind": 3}\nnull\n\xff\n')
    bus.publish(event("three"))
    assert [one.message for one in EventBus(paths).past()] == ["one", "two", "three"]


def test_a_line_is_read_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    EventLog(path).append(event("one"))
    line = path.read_bytes()
    reader = EventLog(tmp_path / "other")
    with (tmp_path / "other").open("ab", buffering=0) as file:
        file.write(line[:20])
        assert list(reader.news()) == []
        file.write(line[20:])
        assert [one.message for one in reader.news()] == ["one"]
    assert list(reader.news()) == []


def test_the_file_never_grows_beyond_its_bound_and_readers_miss_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer, reader = EventLog(path, 2000), EventLog(path, 2000)
    seen: list[Event] = []
    for number in range(100):
        writer.append(event(str(number)))
        seen.extend(reader.news())
    assert [one.message for one in seen] == [str(number) for number in range(100)]
    assert sum(one.stat().st_size for one in tmp_path.iterdir()) <= 4000
    late = [one.message for one in EventLog(path, 2000).news()]
    assert late[-1] == "99"
    assert late == [str(number) for number in range(100 - len(late), 100)]


def _write_many(path: Path, name: str) -> None:
    log = EventLog(path, 1 << 20)
    for number in range(200):
        log.append(event(f"{name} {number}"))


def test_programs_that_write_at_once_mix_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    programs = [context.Process(target=_write_many, args=(path, name)) for name in "ab"]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    messages = [one.message for one in EventLog(path).news()]
    for name in "ab":
        mine = [message for message in messages if message.startswith(name)]
        assert mine == [f"{name} {number}" for number in range(200)]
    assert all(json.loads(line) for line in path.read_bytes().split(b"\n") if line)


def test_a_run_directory_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    bus = EventBus(Paths(state=tmp_path, run=tmp_path / "file" / "run"))
    bus.publish(event("one"))
    assert [one.message for one in bus.past()] == ["one"]


async def test_what_cannot_be_followed_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    bus = EventBus(Paths(state=tmp_path, run=tmp_path / "file" / "run"))
    assert "other programs" in (await take(bus.subscribe(), 1))[0]
    await bus.close()
