"""Pictures of the editor and its forms.

``pytest tests/ui/test_editor_pictures.py --snapshot-update`` takes them anew.
"""

from __future__ import annotations

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from tests.ui.looks import LARGE, Looks
from tests.ui.playing import picture, playing, until
from tests.ui.test_editor import Judging
from tests.ui.test_snapshots import SnapCompare

SIGNS = {
    "1": "[NAT]",
    "2": "127 addresses",
    "3": "Guests are known by their names",
    "4": "◌ waiting",
    "5": "deny tcp+udp 25",
    "6": "</network>",
}
"""What is seen when a tab shows all that it has."""


def taken(looks: Looks, tab: str, *more: tuple[str, str]) -> bool:
    """Whether a tab of the editor looks as it did, after ``more``: keys, and what they lead to."""
    replay = Judging()
    app = playing(replay)

    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: "old" in picture(app))
        await follow(pilot, ("e", "nothing is wrong with it"), (tab, SIGNS[tab]))
        replay.tick()
        if tab in "45":
            await until(pilot, lambda: " kB" in picture(app) or " B" in picture(app))
        await follow(pilot, *more)
        await pilot.pause()

    return looks(app, before)


async def follow(pilot: Pilot[Any], *steps: tuple[str, str]) -> None:
    """Press keys, and wait for what they lead to."""
    for keys, sign in steps:
        await pilot.press(*keys.split())
        await until(pilot, lambda sign=sign: sign in picture(pilot.app))  # type: ignore[misc]


@pytest.mark.parametrize("tab", "123456")
def test_each_tab(looks: Looks, tab: str) -> None:
    assert taken(looks, tab)


def test_what_can_be_added(looks: Looks) -> None:
    assert taken(looks, "2", ("plus", "a DHCP option"))


def test_a_form_with_an_error(looks: Looks) -> None:
    typed = "1 0 . 0 . 0 . 6 4 down 1 0 . 0 . 0 . 2 0 0"
    more = ("plus", "a DHCP range"), ("2", "lease time"), (typed, "overlaps")
    assert taken(looks, "2", *more)


def test_the_form_of_a_rule(looks: Looks) -> None:
    assert taken(looks, "4", ("down enter", "Change an incoming rule"))


def test_broken_xml_beside_the_form(snap_compare: SnapCompare, snapshot: SnapshotAssertion) -> None:
    broken = "6 ctrl+home down end backspace x", "the form waits for the XML"
    assert taken(Looks(snap_compare, snapshot, LARGE), "4", broken)


def test_leaving(looks: Looks) -> None:
    assert taken(looks, "5", ("delete", "allow everything"), ("escape", "Leave Foo?"))
