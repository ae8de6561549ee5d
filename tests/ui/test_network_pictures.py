"""Pictures of each tab of a network, at each size, and on terminals with sixteen colours.

``pytest tests/ui/test_network_pictures.py --snapshot-update`` takes them anew.
"""

from __future__ import annotations

from typing import Any, Protocol

import pytest
from textual.pilot import Pilot

from tests.ui.detail import DetailApp, is_shown, until
from tests.ui.recorded import FOO, LAB, WEB
from tests.ui.replay import Replay
from vnet_tui.engine.views import NetworkInfo
from vnet_tui.themes import DARK, LIGHT
from vnet_tui.widgets.network_detail import PANES

TABS = [pane.TITLE for pane in PANES]


class Compare(Protocol):
    """What pytest-textual-snapshot's fixture does."""

    def __call__(self, app: Any, *, terminal_size: tuple[int, int], run_before: Any) -> bool: ...


def picture(
    compare: Compare,
    info: NetworkInfo,
    tab: str,
    size: tuple[int, int],
    *,
    theme: str = DARK.name,
    keys: str = "",
) -> bool:
    """Whether a tab looks as it did, one second after it was opened."""
    replay = Replay()
    app = DetailApp(replay, info.uuid, tab=TABS.index(tab), theme=theme)

    async def settle(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: is_shown(app.detail, info.uuid))
        replay.tick()
        app.detail.take_sample(replay.sample())
        await pilot.press(*keys)
        await pilot.pause()

    return compare(app, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}")
@pytest.mark.parametrize("tab", TABS)
def test_a_tab(snap_compare: Compare, tab: str, size: tuple[int, int]) -> None:
    assert picture(snap_compare, FOO, tab, size)


@pytest.mark.parametrize("theme", [LIGHT.name, "ansi-dark"])
@pytest.mark.parametrize("tab", TABS)
def test_other_colours(snap_compare: Compare, tab: str, theme: str) -> None:
    assert picture(snap_compare, FOO, tab, (80, 24), theme=theme)


@pytest.mark.parametrize(("tab", "keys"), [("Guests", "v"), ("Events", "v")])
def test_another_view(snap_compare: Compare, tab: str, keys: str) -> None:
    assert picture(snap_compare, FOO, tab, (80, 24), keys=keys)


def test_many_guests(snap_compare: Compare) -> None:
    assert picture(snap_compare, LAB, "Guests", (80, 24))


def test_a_drifted_network(snap_compare: Compare) -> None:
    assert picture(snap_compare, WEB, "Overview", (80, 24))


def test_a_pending_definition(snap_compare: Compare) -> None:
    assert picture(snap_compare, LAB, "XML", (80, 24), keys="vv")
