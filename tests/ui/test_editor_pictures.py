"""Pictures of the editor and its forms, at each size, and in other colours.

``pytest tests/ui/test_editor_pictures.py --snapshot-update`` takes them anew.
"""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.playing import picture, playing, until
from tests.ui.test_editor import Judging
from tests.ui.test_snapshots import SnapCompare

SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (200, 60)
SIGNS = {
    "1": "[NAT]",
    "2": "127 addresses",
    "3": "Guests are known by their names",
    "4": "◌ waiting",
    "5": "deny tcp+udp 25",
    "6": "</network>",
}
"""What is seen when a tab shows all that it has."""


def taken(
    compare: SnapCompare,
    size: tuple[int, int],
    tab: str,
    *more: tuple[str, str],
    theme: str = "vnet-dark",
) -> bool:
    """Whether a tab of the editor looks as it did, after ``more``: keys, and what they lead to."""
    replay = Judging()
    app = playing(replay, theme=theme)

    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: "old" in picture(app))
        await follow(pilot, ("e", "nothing is wrong with it"), (tab, SIGNS[tab]))
        replay.tick()
        if tab in "45":
            await until(pilot, lambda: " kB" in picture(app) or " B" in picture(app))
        await follow(pilot, *more)
        await pilot.pause()

    return compare(app, terminal_size=size, run_before=before)


async def follow(pilot: Pilot[Any], *steps: tuple[str, str]) -> None:
    """Press keys, and wait for what they lead to."""
    for keys, sign in steps:
        await pilot.press(*keys.split())
        await until(pilot, lambda sign=sign: sign in picture(pilot.app))  # type: ignore[misc]


@pytest.mark.parametrize("tab", "123456")
def test_each_tab_at_the_smallest_size(snap_compare: SnapCompare, tab: str) -> None:
    assert taken(snap_compare, SMALL, tab)


@pytest.mark.parametrize("size", [MEDIUM, LARGE], ids=["120x40", "200x60"])
@pytest.mark.parametrize("tab", "24")
def test_lists_where_there_is_room(
    snap_compare: SnapCompare, tab: str, size: tuple[int, int]
) -> None:
    assert taken(snap_compare, size, tab)


@pytest.mark.parametrize("theme", ["vnet-light", "ansi-dark"])
@pytest.mark.parametrize("tab", "46")
def test_other_colours(snap_compare: SnapCompare, tab: str, theme: str) -> None:
    assert taken(snap_compare, SMALL, tab, theme=theme)


def test_what_can_be_added(snap_compare: SnapCompare) -> None:
    assert taken(snap_compare, SMALL, "2", ("plus", "a DHCP option"))


@pytest.mark.parametrize("theme", ["vnet-dark", "vnet-light", "ansi-dark"])
def test_a_form_with_an_error(snap_compare: SnapCompare, theme: str) -> None:
    typed = "1 0 . 0 . 0 . 6 4 down 1 0 . 0 . 0 . 2 0 0"
    more = ("plus", "a DHCP range"), ("2", "lease time"), (typed, "overlaps")
    assert taken(snap_compare, SMALL, "2", *more, theme=theme)


def test_the_form_of_a_rule(snap_compare: SnapCompare) -> None:
    assert taken(snap_compare, SMALL, "4", ("down enter", "Change an incoming rule"))


def test_broken_xml_beside_the_form(snap_compare: SnapCompare) -> None:
    broken = "6 ctrl+home down end backspace x", "the form waits for the XML"
    assert taken(snap_compare, LARGE, "4", broken)


def test_leaving(snap_compare: SnapCompare) -> None:
    assert taken(snap_compare, SMALL, "5", ("delete", "allow everything"), ("escape", "Leave Foo?"))
