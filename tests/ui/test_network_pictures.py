"""Pictures of each tab of a network.

``pytest tests/ui/test_network_pictures.py --snapshot-update`` takes them anew.
"""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.ui.detail import DetailApp, is_shown, until
from tests.ui.looks import Looks
from tests.ui.recorded import FOO, LAB, WEB
from tests.ui.replay import Replay
from vnet_tui.engine.views import NetworkInfo
from vnet_tui.widgets.network_detail import PANES

TABS = [pane.TITLE for pane in PANES]


def picture(looks: Looks, info: NetworkInfo, tab: str, *, keys: str = "") -> bool:
    """Whether a tab looks as it did, one second after it was opened."""
    replay = Replay()
    app = DetailApp(replay, info.uuid, tab=TABS.index(tab))

    async def settle(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: is_shown(app.detail, info.uuid))
        replay.tick()
        app.detail.take_sample(replay.sample())
        await pilot.press(*keys)
        await pilot.pause()

    return looks(app, settle)


@pytest.mark.parametrize("tab", TABS)
def test_a_tab(looks: Looks, tab: str) -> None:
    assert picture(looks, FOO, tab)


@pytest.mark.parametrize(("tab", "keys"), [("Guests", "v"), ("Events", "v")])
def test_another_view(looks: Looks, tab: str, keys: str) -> None:
    assert picture(looks, FOO, tab, keys=keys)


def test_many_guests(looks: Looks) -> None:
    assert picture(looks, LAB, "Guests")


def test_a_drifted_network(looks: Looks) -> None:
    assert picture(looks, WEB, "Overview")


def test_a_pending_definition(looks: Looks) -> None:
    assert picture(looks, LAB, "XML", keys="vv")
