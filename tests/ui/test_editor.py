"""Editing definitions, by keyboard only; nothing is stored, edits are staged."""

from __future__ import annotations

from uuid import UUID

from textual.pilot import Pilot

from tests.ui.playing import line_of, picture, playing, until
from tests.ui.recorded import FOO
from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.engine.model import Network
from vnet_tui.screens.editor import EditorScreen
from vnet_tui.screens.element import ElementScreen
from vnet_tui.screens.networks import NetworksScreen

SMALL, WIDE = (80, 24), (160, 48)
GENERAL, ADDRESSES, DNS, INCOMING, OUTGOING, XML = "123456"


def editor(app: VnetApp) -> EditorScreen:
    assert isinstance(app.screen, EditorScreen)
    return app.screen


def edited(app: VnetApp) -> Network:
    network = editor(app).draft.network
    assert network is not None
    return network


def staged(app: VnetApp, uuid: UUID = FOO.uuid) -> Network:
    network = app.staged.drafts[uuid].network
    assert network is not None
    return network


async def open_editor(pilot: Pilot[None], app: VnetApp, tab: str) -> None:
    """The editor of Foo, the first of the list, at a tab."""
    await until(pilot, lambda: "old" in picture(app))
    await pilot.press("e")
    await until(pilot, lambda: isinstance(app.screen, EditorScreen))
    await until(pilot, lambda: "Foo" in picture(app) and "[NAT]" in picture(app))
    await pilot.press(tab)


async def test_a_range_is_added() -> None:
    app = playing(Replay())
    async with app.run_test(size=SMALL) as pilot:
        await open_editor(pilot, app, ADDRESSES)
        await until(pilot, lambda: "10.0.0.128 – 10.0.0.254" in picture(app))
        await pilot.press("plus")
        await until(pilot, lambda: "a DHCP range" in picture(app))
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ElementScreen))
        await pilot.press(*"10.0.0.64", "down", *"10.0.0.200")
        await until(pilot, lambda: "overlaps" in picture(app))
        await pilot.press(*["backspace"] * 3, *"95")
        await until(pilot, lambda: "overlaps" not in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, EditorScreen))
        await until(pilot, lambda: "10.0.0.64 – 10.0.0.95" in picture(app))
        assert "32 addresses" in line_of(app, "10.0.0.64")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen))
        await until(pilot, lambda: FOO.uuid in app.staged.drafts)
        assert [str(one.start) for one in staged(app).ips[0].ranges] == ["10.0.0.128", "10.0.0.64"]
