"""The keys that lead from screen to screen: to and fro, and back at once."""

from __future__ import annotations

from functools import partial

import pytest
from textual.screen import Screen

from tests.ui.playing import picture, playing, until
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.screens.events import EventsScreen
from vnet_tui.screens.monitor import MonitorScreen
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.new_network import NewNetworkScreen
from vnet_tui.screens.topology import TopologyScreen

SCREENS: dict[str, type[Screen[None]]] = {
    "m": MonitorScreen,
    "t": TopologyScreen,
    "E": EventsScreen,
}


def arrived(app: VnetApp, screen: type[Screen[None]]) -> bool:
    return isinstance(app.screen, screen)


@pytest.mark.parametrize("way", [("m", "t", "E", "m"), ("E", "m", "t"), ("t", "E")])
async def test_to_and_fro_is_one_step_from_the_list(way: tuple[str, ...]) -> None:
    app = playing(Replay())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        for key in way:
            await pilot.press(key)
            await until(pilot, partial(arrived, app, SCREENS[key]))
            here = app.screen
            await pilot.press(key)  # leads nowhere: it is there already
            await pilot.pause()
            assert app.screen is here
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))


async def test_a_network_is_begun_from_the_monitor_and_leads_back_to_it() -> None:
    app = playing(Replay())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "old" in picture(app))
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewNetworkScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
