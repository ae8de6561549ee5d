"""The doctor, explanations, and the events of all networks; by keyboard only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from tests.ui.looks import MEDIUM, SMALL, Looks
from tests.ui.playing import picture, playing, until
from tests.ui.recorded import FOO, WEB
from tests.ui.replay import Replay
from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.errors import DriverError, Severity, VnetError
from vnet_tui.engine.views import EventKind, State
from vnet_tui.screens.confirm import ConfirmScreen
from vnet_tui.screens.doctor import DoctorScreen
from vnet_tui.screens.networks import NetworksScreen

DROPS = Finding(
    severity=Severity.ERROR,
    blocks=("the way out", "allow tcp 123 → foobar"),
    message="the policy of a chain of Docker drops what ours accepts",
    where="table ip filter, chain FORWARD: policy drop",
    commands=(("iptables", "-I", "DOCKER-USER", "-i", "vnet-foo", "-j", "ACCEPT"),),
)
NO_DNS = Finding(
    severity=Severity.WARNING,
    blocks=("DNS",),
    message="/etc/resolv.conf names no server: guests can't resolve names outside",
)


def examined(*findings: Finding) -> Replay:
    replay = Replay()
    replay.findings = findings
    return replay


async def test_the_doctor_shows_what_opens_the_way_and_runs_it_when_asked_to() -> None:
    replay = examined(DROPS, NO_DNS)
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "Foo" in picture(app))
        await pilot.press("D")
        await until(pilot, lambda: "2 findings" in picture(app))
        assert "iptables -I DOCKER-USER -i vnet-foo -j ACCEPT" in picture(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "As root, on this host:" in picture(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DoctorScreen))
        assert not replay.calls
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: "1 finding," in picture(app))
        assert replay.calls == ["mend iptables -I DOCKER-USER -i vnet-foo -j ACCEPT"]
        assert "no command" in picture(app)
        await pilot.press("p", "enter")
        assert isinstance(app.screen, DoctorScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


async def test_a_command_that_fails_is_told_and_the_findings_stay() -> None:
    replay = examined(DROPS)
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "Foo" in picture(app))
        await pilot.press("D")
        await until(pilot, lambda: "1 finding," in picture(app))
        replay.fail = DriverError("iptables -I DOCKER-USER: no chain by that name")
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: "no chain by that name" in picture(app))
        assert "✗ stops" in picture(app)


async def test_nothing_in_the_way() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "Foo" in picture(app))
        await pilot.press("D")
        await until(pilot, lambda: "Nothing stands in its way" in picture(app))


async def test_what_does_not_run_is_not_examined() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("down", "down", "D")
        await until(pilot, lambda: "nothing to examine" in picture(app))


async def test_who_reaches_whom_is_asked_in_a_form() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "Foo" in picture(app))
        await pilot.press("X")
        await until(pilot, lambda: "Explain · Foo" in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: "it can't be empty" in picture(app))
        await pilot.press(*"foobar", "down", "down", *"99999", "enter")
        await until(pilot, lambda: "99999" in picture(app) and "✗" in picture(app))
        await pilot.press("ctrl+u", *"123", "enter")
        await until(pilot, lambda: "nobody has anything against it" in picture(app))


async def test_an_error_of_the_explanation_stands_where_the_answer_would() -> None:
    replay = Replay()
    app = playing(replay)

    async def refuse(query: object) -> None:
        raise VnetError("there is no guest mallory", "network-dhcp-leases lists them")

    replay.explain = refuse  # type: ignore[method-assign,assignment]
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "Foo" in picture(app))
        await pilot.press("X")
        await until(pilot, lambda: "Explain · Foo" in picture(app))
        await pilot.press(*"mallory", "enter")
        await until(pilot, lambda: "there is no guest mallory" in picture(app))
        assert "lists them" in picture(app)


async def test_all_events_come_live_and_are_filtered() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=MEDIUM) as pilot:
        await until(pilot, lambda: "Foo" in picture(app))
        await pilot.press("E")
        await until(pilot, lambda: "table flushed by another program" in picture(app))
        repaired = replace(WEB, state=State.ACTIVE, note="")
        replay.change(WEB.uuid, repaired, EventKind.RECOVERED, "put back: its table")
        await until(pilot, lambda: "put back: its table" in picture(app))
        lines = picture(app).splitlines()
        assert "put back" in lines[2]
        assert " web " in lines[2]
        await pilot.press("slash", *"recovered", "enter")
        await until(pilot, lambda: "table flushed" not in picture(app))
        assert "put back" in picture(app)
        await pilot.press("escape")
        await until(pilot, lambda: "table flushed" in picture(app))
        await pilot.press("v")
        await until(pilot, lambda: "[denied and passed]" in picture(app))
        assert "put back" not in picture(app)
        await pilot.press("v", "slash", *"nonsense", "enter")
        await until(pilot, lambda: "Nothing of it has these words." in picture(app))
        await pilot.press("escape")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


async def test_what_happened_while_there_was_no_connection_is_told_in_its_place() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=MEDIUM) as pilot:
        await until(pilot, lambda: "Foo" in picture(app))
        app.connection = None
        await pilot.press("E")
        await until(pilot, lambda: "Nothing like that is remembered." in picture(app))
        replay.now += 1
        replay.change(FOO.uuid, FOO, EventKind.EDITED, "edited unseen")
        app.connection = replay
        await until(pilot, lambda: "edited unseen" in picture(app))
        replay.now += 1
        replay.change(FOO.uuid, FOO, EventKind.EDITED, "edited later")
        await until(pilot, lambda: "edited later" in picture(app))
        app.connection = None
        app.connection = replay
        await pilot.pause()
        lines = picture(app).splitlines()
        assert "edited later" in lines[2]
        assert "edited unseen" in lines[3]
        assert sum(" ~ edited" in line and "unseen" in line for line in lines) == 1


async def test_only_so_many_events_are_kept() -> None:
    replay = Replay()
    app = playing(replay)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "Foo" in picture(app))
        await pilot.press("E")
        await until(pilot, lambda: "Events of all networks" in picture(app))
        for number in range(2200):
            replay.now += timedelta(seconds=1).total_seconds()
            replay.change(FOO.uuid, FOO, EventKind.EDITED, f"edit {number}")
        await until(pilot, lambda: "edit 2199" in picture(app), 30)
        events = getattr(app.screen, "_events")  # noqa: B009 - what is kept is not shown
        assert len(events) == 2000


@pytest.mark.parametrize("key", ["D", "X", "E"])
def test_pictures(looks: Looks, key: str) -> None:
    app = playing(examined(DROPS, NO_DNS))
    sign = {"D": "2 findings", "X": "Explain", "E": "table flushed"}[key]

    async def show(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "Foo" in picture(app))
        await pilot.press(key)
        await until(pilot, lambda: sign in picture(app))

    assert looks(app, show)
