"""What is staged, seen, dropped, applied, on trial and taken back, by keyboard only."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.ui.playing import line_of, picture, playing, until
from tests.ui.recorded import FOO, LAB
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.engine.errors import Problem, StepFailedError
from vnet_tui.engine.views import Checkpoint, Disturbance, PlannedStep, Preview
from vnet_tui.screens.apply_pending import ApplyPendingScreen
from vnet_tui.screens.confirm import ConfirmScreen
from vnet_tui.screens.editor import EditorScreen
from vnet_tui.screens.failure import FailureScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.overtaken import OvertakenScreen
from vnet_tui.screens.pending import PendingScreen
from vnet_tui.screens.question import QuestionScreen
from vnet_tui.staging import Stage

SMALL, WIDE = (80, 24), (120, 40)

PLAN = Preview(
    steps=(
        PlannedStep(text="change the firewall's rules", disturbs=Disturbance.LIVE),
        PlannedStep(text="restart dnsmasq of lab", disturbs=Disturbance.RESTARTS_SERVICES),
    )
)


def shown(app: VnetApp, *texts: str) -> bool:
    """Whether all of it can be read now."""
    return all(text in picture(app) for text in texts)


async def edit_title(pilot: Pilot[None], app: VnetApp, title: str) -> None:
    """Give the network under the cursor of the list a title, in the editor."""
    before = dict(app.staged.drafts)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(app.screen, EditorScreen))
    await until(pilot, lambda: shown(app, "title  ", "nothing is wrong with it"))
    await pilot.press("1", "down", *title, "ctrl+s")
    await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
    await until(pilot, lambda: app.staged.drafts != before)


async def open_pending(pilot: Pilot[None], app: VnetApp) -> None:
    await pilot.press("P")
    await until(pilot, lambda: isinstance(app.screen, PendingScreen))
    await until(pilot, lambda: shown(app, "of 2 networks"))


async def stage_two(pilot: Pilot[None], app: VnetApp) -> None:
    """Titles for Foo and lab, as the editor stages them; then what is pending."""
    await until(pilot, lambda: shown(app, "old"))
    for info, title in ((FOO, "Our shop"), (LAB, "Our lab")):
        draft = await app.draft_of(info.uuid)
        name = f"<name>{info.name}</name>"
        text = draft.text.replace(name, f"{name}\n  <title>{title}</title>")
        app.post_message(Stage(draft.retyped("title", text)))
    await until(pilot, lambda: len(app.staged) == 2)
    await open_pending(pilot, app)


async def stored(replay: Replay, name: str) -> str:
    return await replay.xml(name, inactive=True)


async def apply(pilot: Pilot[None], app: VnetApp, *keys: str) -> None:
    """Answer the question how to apply what is pending."""
    await pilot.press("p")
    await until(pilot, lambda: isinstance(app.screen, ApplyPendingScreen))
    await pilot.press(*keys)


async def test_two_edits_are_seen_and_one_is_dropped_and_brought_back() -> None:
    replay = Replay()
    replay.preview = PLAN
    app = playing(replay)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: shown(app, "old"))
        await edit_title(pilot, app, "Our shop")
        await pilot.press("down")
        await edit_title(pilot, app, "Our lab")
        await open_pending(pilot, app)
        await until(pilot, lambda: shown(app, "restart dnsmasq of lab"))
        assert "restarts DHCP/DNS" in line_of(app, "lab")
        assert "· live  " in line_of(app, "change the firewall's rules")
        await until(pilot, lambda: shown(app, "+  <title>Our shop</title>"))
        await pilot.press("down")
        await until(pilot, lambda: shown(app, "+  <title>Our lab</title>"))
        await pilot.press("delete")
        await until(pilot, lambda: list(app.staged.drafts) == [FOO.uuid])
        await until(pilot, lambda: shown(app, "of 1 network "))
        await pilot.press("z")
        await until(pilot, lambda: set(app.staged.drafts) == {FOO.uuid, LAB.uuid})
        await pilot.press("ctrl+x")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: shown(app, "Nothing is pending."))
        await pilot.press("z")
        await until(pilot, lambda: len(app.staged) == 2)
        assert not [call for call in replay.calls if call.startswith(("define", "apply"))]


async def test_all_is_applied_and_kept() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        await apply(pilot, app, "k")
        await until(pilot, lambda: not app.staged.drafts)
        await until(pilot, lambda: shown(app, "Nothing is pending."))
        assert "<title>Our shop</title>" in await stored(replay, "Foo")
        assert "<title>Our lab</title>" in await stored(replay, "lab")
        assert await replay.checkpoint() is None
        assert not (await replay.network("Foo")).pending
        assert app.checkpoint is None
        await pilot.press("z")
        assert not app.staged.drafts


async def test_on_trial_and_kept() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        await apply(pilot, app, "enter")
        await until(pilot, lambda: shown(app, "on trial   60 s"))
        replay.tick()
        await until(pilot, lambda: shown(app, "on trial   59 s"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        assert shown(app, "on trial   59 s", "y keep", "R roll back")
        await pilot.press("enter")
        await until(pilot, lambda: shown(app, "Overview", "on trial   59 s"))
        await pilot.press("y")
        await until(pilot, lambda: app.checkpoint is None)
        await until(pilot, lambda: not shown(app, "on trial"))
        assert "<title>Our lab</title>" in await stored(replay, "lab")
        assert not app.staged.drafts


async def test_leaving_with_changes_on_trial_asks_what_becomes_of_them() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        await apply(pilot, app, "enter")
        await until(pilot, lambda: shown(app, "on trial   60 s", "Nothing is pending."))
        await pilot.press("escape", "q")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        assert await replay.checkpoint() is not None
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.return_code == 0)
    assert replay.calls[-1] == "confirm c0ffee01"


async def test_leaving_with_pending_edits_asks() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        await pilot.press("escape", "q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert shown(app, "What you edited of Foo, lab isn't applied")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        assert "P pending 2" in picture(app)


async def test_the_deadline_passes_and_the_edits_are_staged_again() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await stage_two(pilot, app)
        drafts = dict(app.staged.drafts)
        await apply(pilot, app, "left", "left", "enter")
        await until(pilot, lambda: shown(app, "on trial   10 s"))
        for _ in range(10):
            replay.tick()
        await until(pilot, lambda: shown(app, "Rolled back: all is as it was. What you edited"))
        assert "title" not in await stored(replay, "lab")
        assert app.staged.drafts == drafts
        assert app.checkpoint is None
        await until(pilot, lambda: not shown(app, "R roll back"))


async def test_rolled_back_at_once_by_a_key() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        await apply(pilot, app, "right", "enter")
        await until(pilot, lambda: shown(app, "on trial  120 s"))
        await pilot.press("R")
        await until(pilot, lambda: len(app.staged) == 2)
        assert "title" not in await stored(replay, "Foo")
        assert app.checkpoint is None


async def test_a_failing_apply_leaves_all_staged() -> None:
    replay = Replay()
    replay.fail = StepFailedError("restart dnsmasq of Foo", "it does not start", [], [])
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        drafts = dict(app.staged.drafts)
        await apply(pilot, app, "enter")
        await until(pilot, lambda: isinstance(app.screen, FailureScreen))
        await until(pilot, lambda: shown(app, "it does not start", "The host is as it was before."))
        assert app.staged.drafts == drafts
        assert "title" not in await stored(replay, "Foo")
        assert await replay.checkpoint() is None
        assert app.checkpoint is None
        await pilot.press("escape")
        await until(pilot, lambda: shown(app, "of 2 networks"))


async def test_errors_keep_all_from_being_applied() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await stage_two(pilot, app)
        replay.problems = (Problem(message="the bridge is another's", line=7),)
        await pilot.press("delete")
        await until(pilot, lambda: shown(app, "line 7", "the bridge is another's"))
        await pilot.press("p")
        await until(pilot, lambda: shown(app, "has errors; e edits it."))
        assert isinstance(app.screen, PendingScreen)


async def theirs(replay: Replay, old: str, new: str) -> None:
    """Another administrator edits lab."""
    before = await stored(replay, "lab")
    assert old in before
    await replay.define(before.replace(old, new))


async def test_a_second_administrator_changed_the_same_line() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await stage_two(pilot, app)
        await theirs(replay, "<name>lab</name>", "<name>lab</name>\n  <title>Theirs</title>")
        await until(pilot, lambda: shown(app, "lab was changed by others while you edited it"))
        await until(pilot, lambda: "! others changed it" in line_of(app, "lab"))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, OvertakenScreen))
        await until(pilot, lambda: shown(app, "<title>Theirs</title>", "<title>Our lab</title>"))
        assert shown(app, "Both touch the same lines")
        assert replay.calls == ["define"]
        await pilot.press("B")
        assert isinstance(app.screen, OvertakenScreen)
        await pilot.press("M")
        await until(pilot, lambda: "~ changed" in line_of(app, "lab"))
        await until(pilot, lambda: shown(app, "-  <title>Theirs</title>"))
        await apply(pilot, app, "k")
        await until(pilot, lambda: not app.staged.drafts)
        assert "<title>Our lab</title>" in await stored(replay, "lab")


async def test_a_second_administrator_changed_something_else() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=WIDE) as pilot:
        await stage_two(pilot, app)
        await theirs(replay, "10.20.0.1", "10.20.0.2")
        await until(pilot, lambda: "! others changed it" in line_of(app, "lab"))
        await pilot.press("down", "enter")
        await until(pilot, lambda: shown(app, "both can be joined"))
        await pilot.press("B")
        await until(pilot, lambda: "~ changed" in line_of(app, "lab"))
        await apply(pilot, app, "k")
        await until(pilot, lambda: not app.staged.drafts)
        document = await stored(replay, "lab")
        assert "<title>Our lab</title>" in document
        assert "10.20.0.2" in document


async def test_theirs_are_taken() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        await theirs(replay, "10.20.0.1", "10.20.0.2")
        await until(pilot, lambda: "! others changed it" in line_of(app, "lab"))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, OvertakenScreen))
        await pilot.press("A")
        await until(pilot, lambda: list(app.staged.drafts) == [FOO.uuid])


async def test_others_who_come_while_it_is_asked_are_not_overwritten() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ApplyPendingScreen))
        await theirs(replay, "10.20.0.1", "10.20.0.2")
        await until(pilot, lambda: app.overtaken(app.staged.drafts[LAB.uuid]))
        await pilot.press("k")
        await until(pilot, lambda: isinstance(app.screen, OvertakenScreen))
        await until(pilot, lambda: shown(app, "lab was changed by others", "10.20.0.2"))
        assert replay.calls == ["define"]


class Quicker(Replay):
    """Another administrator is quicker than the news of it."""

    async def open_checkpoint(self, confirm_within: float) -> Checkpoint:
        await theirs(self, "10.20.0.1", "10.20.0.2")
        return await super().open_checkpoint(confirm_within)


async def test_others_who_are_quicker_than_their_news_are_not_overwritten() -> None:
    replay = Quicker()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await stage_two(pilot, app)
        await apply(pilot, app, "k")
        await until(pilot, lambda: isinstance(app.screen, FailureScreen))
        assert shown(app, "network", "lab", "was changed since you read it", "is still pending")
        assert "10.20.0.2" in await stored(replay, "lab")
        assert "title" not in await stored(replay, "Foo")
        await pilot.press("escape")
        await until(pilot, lambda: "! others changed it" in line_of(app, "lab"))
        assert len(app.staged) == 2


async def test_what_others_store_just_the_same_is_pending_no_more() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await stage_two(pilot, app)
        await replay.define(app.staged.drafts[LAB.uuid].text.replace("\n", "\n  "))
        await until(pilot, lambda: shown(app, "lab is stored as you edited it, by others"))
        assert list(app.staged.drafts) == [FOO.uuid]
        assert not shown(app, "changed by others")


async def test_changes_that_others_have_on_trial_are_told() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: shown(app, "old"))
        await replay.open_checkpoint(90)
        await until(pilot, lambda: shown(app, "on trial   90 s", "changes of tester"))
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert shown(app, "Roll back the changes of tester?")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        checkpoint = await replay.checkpoint()
        assert checkpoint is not None
        await replay.confirm(checkpoint.id)
        await until(pilot, lambda: not shown(app, "on trial"))


async def test_a_lost_connection_says_who_rolls_back() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=WIDE) as pilot:
        await stage_two(pilot, app)
        await apply(pilot, app, "enter")
        await until(pilot, lambda: shown(app, "on trial   60 s"))
        replay.lose(ConnectionError("the daemon is gone"))
        await until(pilot, lambda: app.connection is None)
        await until(pilot, lambda: shown(app, "then the host rolls your changes back"))
        replay.now += 61
        await until(pilot, lambda: shown(app, "time is up"))
