"""Every change of a host is logged once: asked for or not, made or not, its caller there or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from tests.support.eventually import soon
from tests.support.inventory import links
from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui.engine import audit
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import DriverError, StepFailedError
from vnet_tui.engine.steps import MarkBridge, Step
from vnet_tui.engine.views import EventKind

ONE = document("one", address="10.41.0.1")


@pytest.fixture
def entries() -> Iterator[list[audit.Entry]]:
    """What was logged so far."""
    found: list[audit.Entry] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(vars(record)["audit"])

    handler, level = Handler(), audit.LOG.level
    audit.LOG.addHandler(handler)
    audit.LOG.setLevel(logging.INFO)
    yield found
    audit.LOG.removeHandler(handler)
    audit.LOG.setLevel(level)


async def test_every_change_is_logged_once(lab: Lab, entries: list[audit.Entry]) -> None:
    async with Engine(lab.paths) as engine:
        await engine.define(ONE)
        await engine.set_autostart("one", True)
        await engine.start(["one"])
        await engine.apply("one")
        await engine.restart(["one"])
        kept = await engine.open_checkpoint(60)
        await engine.confirm(kept.id)
        tried = await engine.open_checkpoint(60)
        await engine.stop(["one"])
        await engine.roll_back(tried.id)
        await engine.stop(["one"])
        await engine.undefine("one")
        await engine.create(ONE)
        await engine.stop(["one"])
    assert [entry.verb for entry in entries] == [
        "define",
        "autostart on",
        "start",
        "apply",
        "restart",
        "open a checkpoint",
        "confirm",
        "open a checkpoint",
        "stop",
        "roll back",
        "stop",
        "undefine",
        "create",
        "stop",
    ]
    assert {entry.result for entry in entries} == {"done"}
    assert {entry.networks for entry in entries} == {("one",), ()}
    by_verb = {entry.verb: entry.steps for entry in entries}
    assert "create bridge vn-one" in by_verb["start"]
    assert "create bridge vn-one" in by_verb["roll back"]
    assert by_verb["apply"] == ()


async def test_a_failure_is_logged_with_what_was_undone(
    lab: Lab, entries: list[audit.Entry]
) -> None:
    def fail(_: int, step: Step) -> None:
        if isinstance(step, MarkBridge):
            raise DriverError("injected")

    async with Engine(lab.paths, before_step=fail) as engine:
        await engine.define(ONE)
        with pytest.raises(StepFailedError):
            await engine.start(["one"])
    failed = entries[-1]
    assert (failed.verb, failed.result) == ("start", "failed")
    assert failed.error == "bring up bridge vn-one: injected"
    assert "create bridge vn-one" in failed.undone
    assert "start dnsmasq on vn-one" in failed.steps


async def test_a_change_whose_caller_went_away_is_logged_and_told_all_the_same(
    lab: Lab, entries: list[audit.Entry]
) -> None:
    begun = asyncio.Event()
    async with Engine(lab.paths, before_step=lambda _number, _step: begun.set()) as engine:
        await engine.define(ONE)
        asked = asyncio.ensure_future(engine.start(["one"]))
        await begun.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert [(entry.verb, entry.result) for entry in entries] == [
            ("define", "done"),
            ("start", "done"),
        ]
        assert EventKind.STARTED in [event.kind for event in await engine.past_events()]
        await engine.stop(["one"])


async def test_a_repair_is_logged_as_the_engines_own(lab: Lab, entries: list[audit.Entry]) -> None:
    async with Engine(lab.paths, repair=True) as engine:
        await engine.define(ONE)
        await engine.start(["one"])
        await engine.watch()
        lab.ip("address", "del", "10.41.0.1/24", "dev", "vn-one")

        async def logged() -> list[audit.Entry]:
            return [entry for entry in entries if entry.verb == "repair"]

        (repair,) = await soon(logged)
        assert links()["vn-one"]["addresses"] == ["10.41.0.1/24"]
        assert (repair.who, repair.networks) == (audit.ITSELF.who, ("one",))
        assert repair.steps == ("add address 10.41.0.1/24 to vn-one",)
        await engine.stop(["one"])
