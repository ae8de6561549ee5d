"""What is told of pending changes: where, before and after they are applied, and of their end."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from tests.ui.playing import line_of, picture, playing, until
from tests.ui.replay import Replay
from tests.ui.test_pending import SMALL, WIDE, apply, open_pending, shown, stage_two, stored
from vnet_tui.drafts.draft import Draft
from vnet_tui.engine.errors import ConnectionLostError, Problem, Severity
from vnet_tui.engine.model import Dhcp, Ip, Network
from vnet_tui.engine.views import NetworkInfo, OnProgress, Ref
from vnet_tui.screens.apply_pending import ApplyPendingScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.pending import PendingScreen
from vnet_tui.screens.question import QuestionScreen
from vnet_tui.staging import Stage


async def test_networks_with_staged_edits_are_marked_everywhere() -> None:
    app = playing(Replay())
    async with app.run_test(size=WIDE) as pilot:
        await stage_two(pilot, app)
        await pilot.press("escape")
        await until(pilot, lambda: "✎ edited" in line_of(app, "lab"))
        assert "✎ 2 pending" in picture(app).splitlines()[0]
        assert "✎" not in line_of(app, "old")
        await pilot.press("t")
        await until(pilot, lambda: shown(app, "lab ✎", "Foo ✎"))
        await pilot.press("escape", "enter")
        await until(pilot, lambda: shown(app, "● ✎ Foo", "✎ title; not applied yet, P shows it"))
        await pilot.press("z")
        await until(pilot, lambda: len(app.staged) == 1)
        assert shown(app, "● ✎ Foo")
        await pilot.press("z")
        await until(pilot, lambda: shown(app, "● Foo") and not shown(app, "not applied yet"))


async def test_a_new_network_is_forgotten_after_a_question_only() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shown(app, "old"))
        app.post_message(Stage(Draft.new(Network(name="fresh"))))
        await until(pilot, lambda: shown(app, "✎ 1 pending"))
        for answer, left in (("n", 1), ("y", 0)):
            await pilot.press("z")
            await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
            assert shown(app, "Forget what was staged last?", "fresh: all of it.")
            await pilot.press(answer)
            await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
            assert len(app.staged) == left


async def test_two_drafts_that_want_the_same_name_each_other() -> None:
    app = playing(Replay())
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: shown(app, "old"))
        for name in ("one", "two"):
            ips = (Ip(address=IPv4Address("10.9.0.1"), prefix=24),)
            app.post_message(Stage(Draft.new(Network(name=name, dhcp=Dhcp(ips=ips)))))
        await open_pending(pilot, app)
        await until(pilot, lambda: shown(app, "the network two, as two is pending here"))
        assert "✗ 1 error" in line_of(app, "one")
        await pilot.press("p", "down")
        await until(pilot, lambda: shown(app, "the network one, as one is pending here"))
        assert isinstance(app.screen, PendingScreen)
        await pilot.press("delete")
        await until(pilot, lambda: "is stored only" in line_of(app, "one"))


async def test_what_deserves_a_look_is_told_before_and_after() -> None:
    replay = Replay()
    warning = Problem(message="port 22 is sshd's", line=9, severity=Severity.WARNING)
    replay.problems = (warning,)
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        await until(pilot, lambda: shown(app, "! 1 warning", "line 9", "! port 22 is sshd's"))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ApplyPendingScreen))
        assert "! 1 warning" in line_of(app, "lab")
        await pilot.press("k")
        await until(pilot, lambda: shown(app, "Nothing is pending.", "applied last  Foo, lab"))
        assert shown(app, "lab, line 9  ! port 22 is sshd's")


class CutOff(Replay):
    """The connection breaks while drafts are applied; the host goes on."""

    cut = False

    async def apply(self, ref: Ref, *, on_progress: OnProgress | None = None) -> NetworkInfo:
        if not self.cut:
            self.cut = True
            error = ConnectionLostError("the daemon is gone")
            self.lose(error)
            raise error
        return await super().apply(ref, on_progress=on_progress)

    async def roll_back(self, id: str) -> None:
        if self.calls.count("again") == 0:
            raise ConnectionLostError("the daemon is gone")
        await super().roll_back(id)


async def test_what_was_applied_by_half_is_taken_back_when_the_connection_is_there_again() -> None:
    replay = CutOff()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        await apply(pilot, app, "k")
        await until(pilot, lambda: shown(app, "The host takes it back by itself"))
        await pilot.press("escape")
        await until(pilot, lambda: shown(app, "applied by half"))
        assert not shown(app, "y keep")
        replay.calls.append("again")
        await pilot.press("f5")
        await until(pilot, lambda: app.checkpoint is None, 10)
        assert "title" not in await stored(replay, "Foo")
        assert len(app.staged) == 2


@pytest.mark.parametrize("keep", [True, False])
async def test_how_it_ended_while_there_was_no_connection_is_told(keep: bool) -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await stage_two(pilot, app)
        await apply(pilot, app, "enter")
        await until(pilot, lambda: shown(app, "on trial   60 s"))
        checkpoint = app.checkpoint
        assert checkpoint is not None
        replay.lose(ConnectionError("the daemon is gone"))
        await until(pilot, lambda: app.connection is None)
        await (replay.confirm if keep else replay.roll_back)(checkpoint.id)
        app.ask_again()
        told = "What was on trial is kept" if keep else "Rolled back: all is as it was."
        await until(pilot, lambda: shown(app, told), 10)
        assert len(app.staged) == (0 if keep else 2)
