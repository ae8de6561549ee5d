"""Pictures of every screen, at three sizes and in other colours, compared with those on file.

After an intended change: ``pytest tests/ui/test_snapshots.py --snapshot-update``, and look at them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.playing import picture, playing, until
from tests.ui.recorded import DEMO, OLD
from tests.ui.replay import Replay
from vnet_tui.engine.errors import Problem, Severity, StepFailedError
from vnet_tui.screens.confirm import ConfirmScreen
from vnet_tui.screens.failure import FailureScreen
from vnet_tui.screens.open_file import OpenFileScreen

SnapCompare = Callable[..., bool]
Before = Callable[[Pilot[Any]], Awaitable[None]]

SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (200, 60)


def shows(pilot: Pilot[Any], text: str) -> Callable[[], bool]:
    return lambda: text in picture(pilot.app)


def after(replay: Replay, then: Before | None = None) -> Before:
    """Let a minute pass on the list, and then go on."""

    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, shows(pilot, "old"))
        # What is remembered and what is sampled make up one figure: in this order, always.
        await until(pilot, replay.remembered)
        await pilot.pause()
        for _ in range(60):
            replay.tick()
        await until(pilot, shows(pilot, "▇"))
        if pilot.app.size != SMALL:
            await until(pilot, shows(pilot, "10 min"))
        await pilot.pause()
        if then is not None:
            await then(pilot)
        await pilot.pause()

    return before


@pytest.mark.parametrize("size", [SMALL, MEDIUM, LARGE], ids=["80x24", "120x40", "200x60"])
@pytest.mark.parametrize("theme", ["vnet-dark", "vnet-light", "ansi-dark"])
def test_home(snap_compare: SnapCompare, size: tuple[int, int], theme: str) -> None:
    replay = Replay()
    app = playing(replay, theme=theme)
    assert snap_compare(app, terminal_size=size, run_before=after(replay))


def test_no_networks(snap_compare: SnapCompare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vnet_tui.screens.networks.examples", lambda: "/usr/share/vnet/examples")

    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, shows(pilot, "No networks yet."))

    assert snap_compare(playing(Replay(())), terminal_size=SMALL, run_before=before)


@pytest.mark.parametrize("theme", ["vnet-dark", "ansi-dark"])
def test_question(snap_compare: SnapCompare, theme: str) -> None:
    replay = Replay()

    async def ask(pilot: Pilot[Any]) -> None:
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))

    app = playing(replay, theme=theme)
    assert snap_compare(app, terminal_size=SMALL, run_before=after(replay, ask))


@pytest.mark.parametrize("theme", ["vnet-dark", "ansi-dark"])
def test_failure(snap_compare: SnapCompare, theme: str) -> None:
    replay = Replay()
    replay.fail = StepFailedError(
        "start dnsmasq for old",
        "dnsmasq: failed to create listening socket for 192.168.50.1: Address already in use",
        ["write the firewall's rules", "give vnet-old its address", "create bridge vnet-old"],
        [],
        "see what listens there: ss -lunp 'sport = :53'",
    )

    async def start(pilot: Pilot[Any]) -> None:
        await pilot.press("down", "down", "s")
        await until(pilot, lambda: isinstance(pilot.app.screen, FailureScreen))
        await until(pilot, shows(pilot, "remedy"))

    app = playing(replay, theme=theme)
    assert snap_compare(app, terminal_size=SMALL, run_before=after(replay, start))


def test_progress(snap_compare: SnapCompare) -> None:
    replay = Replay()
    reached: list[None] = []

    async def between() -> None:
        reached.append(None)
        if len(reached) == 3:
            await replay.never.wait()

    replay.between_steps = between

    async def start(pilot: Pilot[Any]) -> None:
        await pilot.press("down", "down", "s")
        await until(pilot, shows(pilot, "2/4"))

    assert snap_compare(playing(replay), terminal_size=SMALL, run_before=after(replay, start))


def test_errors_of_a_document(
    snap_compare: SnapCompare, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.xml").write_text("<network/>")
    replay = Replay()
    replay.problems = (
        Problem(
            message="</conections> closes nothing that is open",
            remedy="</connections> is probably meant",
            line=6,
            column=3,
        ),
        Problem(
            message="the range 10.0.1.5 – 10.0.1.9 is outside of 10.0.0.0/24",
            remedy="choose addresses between 10.0.0.2 and 10.0.0.254",
            line=8,
        ),
        Problem(message="everything is allowed outwards", line=9, severity=Severity.WARNING),
    )

    async def refuse(pilot: Pilot[Any]) -> None:
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenFileScreen))
        pilot.app.screen.query_one(Input).value = "bad.xml"
        await pilot.press("enter")
        await until(pilot, shows(pilot, "line 9"))

    assert snap_compare(playing(replay), terminal_size=SMALL, run_before=after(replay, refuse))


def test_palette(snap_compare: SnapCompare) -> None:
    replay = Replay()

    async def search(pilot: Pilot[Any]) -> None:
        await pilot.press("ctrl+p", *"lab")
        await until(pilot, shows(pilot, "bring lab to its definition"))

    assert snap_compare(playing(replay), terminal_size=SMALL, run_before=after(replay, search))


def test_all_keys(snap_compare: SnapCompare) -> None:
    replay = Replay()

    async def ask(pilot: Pilot[Any]) -> None:
        await pilot.press("question_mark")
        await until(pilot, shows(pilot, "Page down"))

    assert snap_compare(playing(replay), terminal_size=MEDIUM, run_before=after(replay, ask))


def test_one_defined_network_on_a_large_terminal(snap_compare: SnapCompare) -> None:
    replay = Replay(DEMO)

    async def go(pilot: Pilot[Any]) -> None:
        await pilot.press("down", "down")
        await until(pilot, shows(pilot, str(OLD.uuid)))

    assert snap_compare(playing(replay), terminal_size=MEDIUM, run_before=after(replay, go))


def test_too_small(snap_compare: SnapCompare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, shows(pilot, "is too small"))

    assert snap_compare(playing(Replay()), terminal_size=(60, 12), run_before=before)
