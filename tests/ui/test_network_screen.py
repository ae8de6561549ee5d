"""The screen of one network, opened from the list, with keys only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.ui.detail import text_of, until
from tests.ui.recorded import FOO, NOW
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection
from vnet_tui.screens.network import NetworkScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.units import bit_rate


def app_on(replay: Replay) -> VnetApp:
    """The whole application on a replay."""

    async def connect() -> Connection:
        return replay

    return VnetApp(connect, clock=lambda: NOW)


def seen(pilot: Pilot[None], *texts: str) -> Callable[[], bool]:
    """Whether all of these texts stand on the screen."""
    return lambda: all(text in text_of(pilot.app) for text in texts)


async def opened(pilot: Pilot[None], name: str) -> None:
    """Go down to a network in the list, and open it."""
    await until(pilot, seen(pilot, "scratch", "old"))
    for _ in ("Foo", "lab", "old", "scratch", "web")[: ("Foo", "lab", "old").index(name)]:
        await pilot.press("down")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, NetworkScreen))
    await until(pilot, seen(pilot, f" {name} ── ", "uuid"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_enter_opens_it_and_escape_goes_back(size: tuple[int, int]) -> None:
    app = app_on(Replay())
    async with app.run_test(size=size) as pilot:
        await opened(pilot, "Foo")
        await pilot.press("3")
        await until(pilot, seen(pilot, "deny port 25"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        assert "last min" in text_of(app)


async def test_samples_reach_the_open_tab() -> None:
    replay = Replay()
    app = app_on(replay)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "Foo")
        await pilot.press("4")
        await until(pilot, seen(pilot, "10 min"))
        replay.tick()
        rates = replay.sample().networks[FOO.uuid].traffic.rates
        await until(pilot, seen(pilot, f"↓ in  {bit_rate(rates.in_bits):>10}"))


async def test_keys_act_on_the_network_and_its_tabs_follow() -> None:
    replay = Replay()
    app = app_on(replay)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "old")
        await until(pilot, seen(pilot, "○ defined"))
        await pilot.press("s")
        await until(pilot, seen(pilot, "● active"))
        assert "start old" in replay.calls
        await pilot.press("a")
        await until(pilot, seen(pilot, "by itself with the host"))
