"""The log of changes: one entry a change, safe to print, free where nobody listens."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from uuid import UUID

import pytest

from vnet_tui.engine import audit
from vnet_tui.engine.caller import CALLER, Caller
from vnet_tui.engine.errors import ConflictError, Problem, StateError, StepFailedError
from vnet_tui.engine.resources import BridgeSettings, BridgeSpec
from vnet_tui.engine.steps import CreateBridge, MarkBridge, Plan, Stage

FOO = {UUID("a9b1c3d5-0000-4000-8000-000000000000"): "Foo"}
SPEC = BridgeSpec(
    name="vnet-foo",
    mark="vnet:0:0",
    settings=BridgeSettings(mac="52:54:00:00:00:01", mtu=1500, stp=False, forward_delay=0),
)
PLAN = Plan(stages=(Stage(steps=(CreateBridge(spec=SPEC), MarkBridge(spec=SPEC))),))


class Listener(logging.Handler):
    """Whoever wants the entries."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def entries(self) -> list[audit.Entry]:
        return [vars(record)["audit"] for record in self.records]


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    level = audit.LOG.level
    audit.LOG.addHandler(made)
    audit.LOG.setLevel(logging.INFO)
    yield made
    audit.LOG.removeHandler(made)
    audit.LOG.setLevel(level)


def test_who_did_what_and_how(listener: Listener) -> None:
    token = CALLER.set(Caller(who="alice (uid 1000)", session="7"))
    try:
        audit.log("start", FOO, steps=PLAN)
    finally:
        CALLER.reset(token)
    assert listener.entries == [
        audit.Entry(
            who="alice (uid 1000)",
            session="7",
            verb="start",
            networks=("Foo",),
            uuids=tuple(FOO),
            result="done",
            steps=("create bridge vnet-foo", "bring up bridge vnet-foo"),
        )
    ]
    (record,) = listener.records
    assert record.levelno == logging.INFO
    assert record.getMessage() == (
        "alice (uid 1000): start Foo: create bridge vnet-foo; bring up bridge vnet-foo"
    )


def test_a_failure_says_why_and_what_was_undone(listener: Listener) -> None:
    error = StepFailedError("bring up bridge x", "no", ["create bridge x"], ["add a: it's gone"])
    audit.log("start", FOO, steps=PLAN, error=error, by=audit.ITSELF)
    problems = [Problem(message="one thing"), Problem(message="another")]
    audit.log("start", FOO, error=ConflictError("in the way", problems), by=audit.ITSELF)
    failed, conflict = listener.entries
    assert (failed.result, failed.error) == ("failed", "bring up bridge x: no")
    assert (failed.undone, failed.left) == (("create bridge x",), ("add a: it's gone",))
    assert str(failed) == (
        "the engine itself: start Foo failed: bring up bridge x: no"
        "; could not be undone: add a: it's gone"
    )
    assert conflict.error == "in the way: one thing; another"
    assert {record.levelno for record in listener.records} == {logging.WARNING}


def test_a_block_is_logged_once_however_it_ends(listener: Listener) -> None:
    with audit.logged("define", FOO):
        pass
    with pytest.raises(StateError), audit.logged("undefine", FOO):
        raise StateError("no")
    assert [(one.verb, one.result, one.error) for one in listener.entries] == [
        ("define", "done", ""),
        ("undefine", "failed", "no"),
    ]


def test_nothing_that_a_guest_chose_reaches_a_terminal(listener: Listener) -> None:
    evil = "a\x1b[2J\nb\u202ec"
    with pytest.raises(StateError), audit.logged(evil[:1], dict.fromkeys(FOO, evil)):
        raise StateError(evil)
    audit.log("start", dict.fromkeys(FOO, evil), steps=[evil], by=Caller(who=evil, session=evil))
    for record in listener.records:
        assert record.getMessage().isprintable()
    for entry in listener.entries:
        assert all(text.isprintable() for text in (*entry.networks, *entry.steps, entry.error))


def test_where_nobody_listens_nothing_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> str:
        raise AssertionError("somebody asked for words")

    monkeypatch.setattr(audit, "describe", never)
    monkeypatch.setattr(audit.LOG, "propagate", False)
    audit.log("start", FOO, steps=PLAN)
    monkeypatch.setattr(audit.LOG, "level", logging.INFO)
    audit.log("start", FOO, steps=PLAN, error=StateError("no"))


def test_it_doesnt_write_on_the_terminal_by_itself(capfd: pytest.CaptureFixture[str]) -> None:
    audit.log("start", FOO, steps=PLAN, error=StateError("no"))
    assert capfd.readouterr().err == ""
