"""Pictures of every screen, at three sizes and in other colours, compared with those on file.

After an intended change: ``pytest tests/ui/test_snapshots.py --snapshot-update``, and look at them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.looks import MEDIUM, SMALL, Before, Looks
from tests.ui.playing import picture, playing, until
from tests.ui.recorded import DEMO, OLD
from tests.ui.replay import Replay
from vnet_tui.engine.errors import Problem, Severity, StepFailedError
from vnet_tui.screens.confirm import ConfirmScreen
from vnet_tui.screens.failure import FailureScreen
from vnet_tui.screens.open_file import OpenFileScreen

SnapCompare = Callable[..., bool]


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


def test_home(looks: Looks) -> None:
    replay = Replay()
    assert looks(playing(replay), after(replay))


def test_no_networks(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Path("/usr/share/vnet/examples")
    monkeypatch.setattr("vnet_tui.screens.networks.examples", lambda: place)

    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, shows(pilot, "No networks yet."))

    assert looks(playing(Replay(())), before)


def test_question(looks: Looks) -> None:
    replay = Replay()

    async def ask(pilot: Pilot[Any]) -> None:
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))

    assert looks(playing(replay), after(replay, ask))


def test_failure(looks: Looks) -> None:
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

    assert looks(playing(replay), after(replay, start))


def test_progress(looks: Looks) -> None:
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

    assert looks(playing(replay), after(replay, start))


def test_errors_of_a_document(looks: Looks, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
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

    assert looks(playing(replay), after(replay, refuse))


def test_palette(looks: Looks) -> None:
    replay = Replay()

    async def search(pilot: Pilot[Any]) -> None:
        await pilot.press("ctrl+p", *"lab")
        await until(pilot, shows(pilot, "bring lab to its definition"))

    assert looks(playing(replay), after(replay, search))


def test_all_keys(looks: Looks) -> None:
    replay = Replay()

    async def ask(pilot: Pilot[Any]) -> None:
        await pilot.press("question_mark")
        await until(pilot, shows(pilot, "esc  close"))

    assert looks(playing(replay), after(replay, ask))


def test_one_defined_network_on_a_large_terminal(snap_compare: SnapCompare) -> None:
    replay = Replay(DEMO)

    async def go(pilot: Pilot[Any]) -> None:
        await pilot.press("down", "down")
        await until(pilot, shows(pilot, f"{OLD.addresses[0]} "))

    assert snap_compare(playing(replay), terminal_size=MEDIUM, run_before=after(replay, go))


def test_too_small(snap_compare: SnapCompare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, shows(pilot, "is too small"))

    assert snap_compare(playing(Replay()), terminal_size=(60, 12), run_before=before)
