"""Home: what the list shows, what the keys do, what is told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Button, Input

from tests.ui.playing import line_of, picture, playing, until
from tests.ui.recorded import DEMO, FOO, FOO_XML, LAB, OLD, WEB, many
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection
from vnet_tui.engine.errors import Problem, Severity, StepFailedError, VnetError
from vnet_tui.engine.views import EventKind, State
from vnet_tui.screens.confirm import ConfirmScreen
from vnet_tui.screens.failure import FailureScreen
from vnet_tui.screens.keys import KeysScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.open_file import OpenFileScreen
from vnet_tui.screens.too_small import TooSmallScreen
from vnet_tui.widgets.networks_table import NetworksTable

SMALL = (80, 24)


def under_cursor(table: NetworksTable) -> str:
    """The name of the network under the cursor."""
    return "" if table.cursor_key is None else table.row(table.cursor_key)[1].text


async def test_every_network_with_its_state_in_words() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        replay.tick()
        await until(pilot, lambda: "Mb/s" in line_of(app, "Foo"))
        assert "● Foo" in picture(app)
        assert "active " in line_of(app, "Foo")
        assert "active*" in line_of(app, "lab")  # defined otherwise than it runs
        assert " 41 " in line_of(app, "lab")
        assert "10.20.0.0/22 +1" in line_of(app, "lab")
        assert "○ old" in picture(app)
        assert "defined" in line_of(app, "old")
        assert "b/s" not in line_of(app, "old")
        assert "◐ web" in picture(app)
        assert "drifted" in line_of(app, "web")
        assert "table" in line_of(app, "web")
        top = picture(app).splitlines()[0]
        assert "alpha" in top
        assert "5 networks, 4 active, 1 drifted" in top
        assert "Mb/s" in top


async def test_only_the_figures_move_with_the_seconds() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        replay.tick()
        await until(pilot, lambda: "Mb/s" in line_of(app, "Foo"))
        before = line_of(app, "Foo")
        replay.tick()
        await until(pilot, lambda: line_of(app, "Foo") != before)
        after = line_of(app, "Foo")
        changed = [
            x for x, pair in enumerate(zip(before, after, strict=True)) if len(set(pair)) > 1
        ]
        assert min(changed) > before.index("10.0.0.0/24")
        assert before.index("b/s") == after.index("b/s")


async def test_what_happens_elsewhere_is_shown() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        repaired = replace(WEB, state=State.ACTIVE, note="")
        replay.change(WEB.uuid, repaired, EventKind.RECOVERED, "repaired")
        await until(pilot, lambda: "active" in line_of(app, "web"))
        assert "drifted" not in picture(app)


async def test_start_with_progress_while_keys_work() -> None:
    replay = Replay()
    gate = asyncio.Semaphore(0)

    async def between() -> None:
        await gate.acquire()

    replay.between_steps = between
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("down", "down", "s")
        await until(pilot, lambda: "starting old" in picture(app))
        assert "starting" in line_of(app, "old")
        await pilot.press("s")
        await until(pilot, lambda: "Still starting old." in picture(app))
        gate.release()
        await until(pilot, lambda: "1/4  give it its address" in picture(app))
        table = app.screen.query_one(NetworksTable)
        await pilot.press("up")
        assert table.cursor_key == LAB.uuid
        for _ in range(3):
            gate.release()
        await until(pilot, lambda: "active" in line_of(app, "old"))
        await until(pilot, lambda: "old runs." in picture(app))
        assert not app.operations
    assert replay.calls == ["start old"]


async def test_what_is_being_changed_can_be_cancelled() -> None:
    replay, gate = Replay(), asyncio.Semaphore(0)

    async def between() -> None:
        await gate.acquire()

    replay.between_steps = between
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        assert "C cancel" not in picture(app)
        await pilot.press("down", "down", "s")
        await until(pilot, lambda: "C cancel" in picture(app))
        gate.release()
        await until(pilot, lambda: "1/4" in picture(app))
        await pilot.press("C")
        await until(pilot, lambda: "cancel" in replay.calls)
        gate.release()
        await until(pilot, lambda: isinstance(app.screen, FailureScreen))
        await until(pilot, lambda: "cancelled by admin" in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: "defined" in line_of(app, "old"))
        assert "C cancel" not in picture(app)


async def test_a_failure_tells_step_cause_undone_and_remedy() -> None:
    replay = Replay()
    replay.fail = StepFailedError(
        "start dnsmasq for old",
        "Address already in use",
        ["give vnet-old its address", "create bridge vnet-old"],
        [],
        "see what listens on port 53",
    )
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("down", "down", "s")
        await until(pilot, lambda: isinstance(app.screen, FailureScreen))
        shown = picture(app)
        for text in (
            "Could not start old",
            "start dnsmasq for old",
            "Address already in use",
            "2 steps",
            "✓ create bridge vnet-old",
            "The host is as it was before.",
            "see what listens on port 53",
        ):
            assert text in shown
        await pilot.press("enter")
        assert isinstance(app.screen, NetworksScreen)
        assert "defined" in line_of(app, "old")


async def test_what_could_not_be_undone_is_said() -> None:
    replay = Replay()
    replay.fail = StepFailedError("write rules", "no space", [], ["delete vnet-old: busy"])
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("down", "down", "s")
        await until(pilot, lambda: isinstance(app.screen, FailureScreen))
        assert "✗ delete vnet-old: busy" in picture(app)
        assert "as it was before" not in picture(app)


async def test_stop_asks_when_guests_would_lose_it() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        replay.tick()
        await until(pilot, lambda: "Mb/s" in line_of(app, "Foo"))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "3 guests will lose it." in picture(app)
        await pilot.press("enter")  # the safe answer is the one that is ready
        await pilot.pause()
        assert replay.calls == []
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: replay.calls == ["stop Foo"])
        await until(pilot, lambda: "defined" in line_of(app, "Foo"))


async def test_stop_of_an_empty_network_does_not_ask() -> None:
    replay = Replay(many(3))
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "net00002" in picture(app))
        await pilot.press("x")
        await until(pilot, lambda: replay.calls == ["stop net00000"])


async def test_restart_after_a_yes_with_the_other_button() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        replay.tick()
        await until(pilot, lambda: "Mb/s" in line_of(app, "Foo"))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("right", "enter")
        await until(pilot, lambda: replay.calls == ["restart Foo"])


async def test_undefine_asks_always() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("down", "down", "u")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: "○ old" not in picture(app))
    assert replay.calls == ["undefine old"]


@pytest.mark.parametrize(
    ("moves", "key", "reason"),
    [
        (0, "s", "Foo runs already."),
        (2, "x", "old doesn't run."),
        (2, "r", "old doesn't run."),
        (3, "u", "scratch has no definition."),
        (3, "a", "scratch is transient"),
        (0, "p", "Foo runs as it is defined."),
    ],
)
async def test_what_makes_no_sense_is_answered_with_the_reason(
    moves: int, key: str, reason: str
) -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press(*["down"] * moves, key)
        await until(pilot, lambda: reason in picture(app))
    assert replay.calls == []


async def test_autostart_is_toggled_and_shown() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        assert " yes " in line_of(app, "Foo")
        await pilot.press("a")
        await until(pilot, lambda: "Foo no longer starts with the host." in picture(app))
        await until(pilot, lambda: " yes " not in line_of(app, "Foo"))


async def test_pending_definition_is_applied() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "active*" in picture(app))
        await pilot.press("down", "p")
        await until(pilot, lambda: "active*" not in picture(app))
    assert replay.calls == ["apply lab"]


async def test_define_from_a_file_completed_with_tab(tmp_path: Path) -> None:
    (tmp_path / "fresh.xml").write_text("<network><name>fresh</name></network>")
    (tmp_path / "notes.txt").write_text("no network")
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, OpenFileScreen))
        prompt = app.screen.query_one(Input)
        prompt.value = f"{tmp_path}/"
        await until(pilot, lambda: prompt._suggestion.endswith("fresh.xml"))
        await pilot.press("tab")
        assert prompt.value == f"{tmp_path}/fresh.xml"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        await until(pilot, lambda: "○ fresh" in picture(app))
        table = app.screen.query_one(NetworksTable)
        await until(pilot, lambda: under_cursor(table) == "fresh")
        assert table.has_focus
    assert replay.calls == ["define"]


async def test_what_deserves_a_look_in_a_definition_is_said(tmp_path: Path) -> None:
    (tmp_path / "fresh.xml").write_text("<network><name>fresh</name></network>")
    replay = Replay()
    replay.problems = tuple(
        Problem(message=f"rule {number} waits", line=number, severity=Severity.WARNING)
        for number in range(1, 6)
    )
    app = playing(replay)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, OpenFileScreen))
        app.screen.query_one(Input).value = f"{tmp_path}/fresh.xml"
        await pilot.press("enter")
        await until(pilot, lambda: "line 3: rule 3 waits" in picture(app))
        await until(pilot, lambda: "and 2 more" in picture(app))
        assert "rule 4 waits" not in picture(app)


async def test_every_error_of_a_document_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.xml"
    path.write_text(FOO_XML)
    replay = Replay()
    replay.problems = (
        Problem(message="</conections> closes nothing", remedy="</connections>?", line=6),
        Problem(message="the range ends before it starts", line=9),
        Problem(message="nothing is denied", line=12, severity=Severity.WARNING),
    )
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, OpenFileScreen))
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        await until(pilot, lambda: "2 errors; nothing was defined" in picture(app))
        shown = picture(app)
        assert "line 6    ✗ </conections> closes nothing" in shown
        assert "→ </connections>?" in shown
        assert "line 9    ✗ the range ends before it starts" in shown
        assert "line 12   ! nothing is denied" in shown
        replay.problems = ()
        await pilot.press("enter")  # mended meanwhile: the path is still there
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("missing.xml", None, "No such file"),
        ("binary.xml", b"\xff\xfe\x00", "is not UTF-8 text"),
        ("huge.xml", b" " * ((1 << 21) + 1), "larger than 2 MiB"),
        (".", None, "Is a directory"),
        ("pipe", None, "is not a regular file"),
    ],
)
async def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    path = tmp_path / name
    os.mkfifo(tmp_path / "pipe")
    if content is not None:
        path.write_bytes(content)
    app = playing(Replay())
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, OpenFileScreen))
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        await until(pilot, lambda: "nothing was defined" in picture(app))
        assert told in " ".join(picture(app).split())


async def test_palette_does_it_to_any_network_by_name() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("ctrl+p", *"start old")
        await until(pilot, lambda: "start old" in picture(app))
        await until(pilot, lambda: "Start the network from its definition." in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: replay.calls == ["start old"])


@pytest.mark.parametrize(
    ("typed", "title", "done"),
    [
        ("show all", "show all keys", lambda app: isinstance(app.screen, KeysScreen)),
        ("quit", "quit", lambda app: not app.is_running),
    ],
)
async def test_palette_does_what_needs_no_network(
    typed: str, title: str, done: Callable[[VnetApp], object]
) -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("ctrl+p", *typed)
        await until(pilot, lambda: title in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: done(app))


async def test_a_click_on_a_key_does_what_the_key_does() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "x stop" in picture(app))
        x = picture(app).splitlines()[23].index("? keys")
        await pilot.click(offset=(x, 23))
        await until(pilot, lambda: isinstance(app.screen, KeysScreen))
        await pilot.press("escape")
        await pilot.click(offset=(1, 23))  # enter open
        await until(pilot, lambda: str(FOO.uuid) in picture(app))


async def test_a_click_puts_the_cursor_and_a_second_one_opens() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.click(offset=(5, 4))
        table = app.screen.query_one(NetworksTable)
        assert under_cursor(table) == "old"
        await pilot.click(offset=(5, 4))
        await until(pilot, lambda: str(OLD.uuid) in picture(app))


async def test_enter_opens_and_escape_comes_back() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Overview" in picture(app) and str(FOO.uuid) in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


@pytest.mark.parametrize("size", [SMALL, (120, 40)])
async def test_a_tab_by_its_number_where_there_is_room(size: tuple[int, int]) -> None:
    app = playing(Replay())
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        if size != SMALL:
            await until(pilot, lambda: "Overview" in picture(app))
        await pilot.press("2")
        await until(pilot, lambda: "10.0.0.131" in picture(app))
        assert isinstance(app.screen, NetworksScreen) is (size != SMALL)


async def test_detail_follows_the_cursor_where_there_is_room() -> None:
    app = playing(Replay())
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: f"{FOO.addresses[0]} " in picture(app))
        await pilot.press("down", "down")
        await until(pilot, lambda: f"{OLD.addresses[0]} " in picture(app))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: f"{OLD.addresses[0]} " not in picture(app))


async def test_without_networks_it_says_how_to_begin() -> None:
    replay = Replay(())
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "No networks yet." in picture(app))
        shown = picture(app)
        assert "vnet-tui --sandbox" in shown
        assert "examples" in shown
        assert " s start" not in shown
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, OpenFileScreen))
        assert app.screen.query_one(Input).value.endswith("examples/")
        await pilot.press("escape")
        await replay.define("<network><name>first</name></network>")
        await until(pilot, lambda: "○ first" in picture(app))
        assert "No networks yet." not in picture(app)
        assert app.screen.query_one(NetworksTable).has_focus


async def test_no_connection_at_all_leaves_with_the_reason() -> None:
    async def connect() -> Connection:
        raise VnetError("the run directory belongs to somebody else")

    app = VnetApp(connect, theme="vnet-dark")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FailureScreen))
        assert "No connection" in picture(app)
        assert "belongs to somebody else" in " ".join(picture(app).split())
        assert len(app.screen.query(Button)) == 2
        await pilot.press("escape")
        await until(pilot, lambda: not app.is_running)


async def test_a_terminal_that_is_too_small_is_told() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.resize_terminal(60, 20)
        await until(pilot, lambda: isinstance(app.screen, TooSmallScreen))
        assert "60×20 is too small: vnet-tui needs 80×24." in picture(app)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


async def test_names_inject_nothing() -> None:
    wicked = replace(DEMO[2], info=replace(OLD, name="[bold]\x1b[2J\u202eevil", note="a\nb"))
    replay = Replay((wicked,))
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "[bold]\ufffd[2J" in picture(app))
        assert "\x1b" not in picture(app)
        assert "\u202e" not in picture(app)
        await pilot.press("x")
        await until(pilot, lambda: "doesn't run" in picture(app))
        assert "\x1b" not in picture(app)
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "\x1b" not in picture(app)
        await pilot.press("n", "ctrl+p", *"undefine")
        await until(pilot, lambda: "undefine [bold]" in picture(app))


async def test_quit_while_something_runs_asks() -> None:
    replay = Replay()
    gate = asyncio.Event()

    async def between() -> None:
        await gate.wait()

    replay.between_steps = between
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("down", "down", "s")
        await until(pilot, lambda: "starting old" in picture(app))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "Still starting old." in picture(app)
        await pilot.press("n")
        gate.set()
        await until(pilot, lambda: "active" in line_of(app, "old"))
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)
    assert replay.closed


async def test_thousands_of_networks_and_a_cursor_that_stays() -> None:
    replay = Replay(many(5000, running=False))
    app = playing(replay)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "net00000" in picture(app))
        table = app.screen.query_one(NetworksTable)
        await pilot.press("end")
        await until(pilot, lambda: "net04999" in picture(app))
        await pilot.press("up", "pageup")
        key = table.cursor_key
        await replay.define("<network><name>aaa</name></network>")
        await until(pilot, lambda: len(table.keys) == 5001)
        assert table.cursor_key == key
