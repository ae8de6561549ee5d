"""The guided form against the real engine: what it creates runs, what is in the way is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from textual.pilot import Pilot

from tests.support.dhcp import lease4
from tests.support.lab import Lab
from tests.support.networks import document
from tests.ui.playing import picture, until
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection
from vnet_tui.client.local import LocalConnection, connect
from vnet_tui.drafts.draft import Draft
from vnet_tui.engine.xml import parse
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.new_network import NewNetworkScreen
from vnet_tui.staging import Stage

PATIENCE = 20.0


@asynccontextmanager
async def form(lab: Lab, first: str) -> AsyncIterator[tuple[VnetApp, Pilot[None]]]:
    """The form, opened by its key once ``first`` is on the screen, with a subnet found for it."""

    async def opened() -> Connection:
        return await connect(lab.paths)

    app = VnetApp(opened)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: first in picture(app), PATIENCE)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewNetworkScreen), PATIENCE)
        await until(pilot, lambda: "<ip " in described(app), PATIENCE)
        yield app, pilot


def flat(app: VnetApp) -> str:
    """What is on the screen, in one line."""
    return " ".join(picture(app).split())


def described(app: VnetApp) -> str:
    """The document that the form has made."""
    return app.screen.draft.text if isinstance(app.screen, NewNetworkScreen) else ""


def listed(app: VnetApp, name: str, state: str) -> bool:
    """Whether the list of networks shows it in this state."""
    return re.search(rf" {name} +{state} ", picture(app)) is not None


async def test_a_nat_network_for_three_guests_by_keyboard_only(lab: Lab) -> None:
    async with form(lab, "No networks yet") as (app, pilot):
        await pilot.press(*"lab", "enter", "enter", "enter", "enter")
        await until(pilot, lambda: "steps; nothing else is disturbed" in picture(app), PATIENCE)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen), PATIENCE)
        await until(pilot, lambda: listed(app, "lab", "active"), PATIENCE)
        async with LocalConnection(lab.paths) as other:
            network = parse(await other.xml("lab"))
        (ip,) = network.ips
        for number in range(1, 4):
            mac = f"52:54:00:00:00:{number:02x}"
            guest = lab.guest(f"guest{number}", "vnet-lab", mac=mac)
            offer = await asyncio.to_thread(lease4, guest, lab.paths.state, f"guest{number}")
            assert offer is not None
            served = range(int(ip.ranges[0].start), int(ip.ranges[0].end) + 1)
            assert int(ip_address(offer.address)) in served
            assert offer.options["router"] == str(ip.address)
        await until(pilot, lambda: listed(app, "lab", "active +10.0.0.0/24 +3"), PATIENCE)
        await pilot.press("x")
        await until(pilot, lambda: "Stop lab?" in picture(app), PATIENCE)
        await pilot.press("y")
        await until(pilot, lambda: listed(app, "lab", "defined"), PATIENCE)


async def test_what_others_and_the_host_have_is_told_while_it_is_typed(lab: Lab) -> None:
    async with LocalConnection(lab.paths) as connection:
        await connection.define(document("web", address="10.5.0.1"))
    lab.ip("link", "add", "uplink", "type", "bridge")
    lab.ip("address", "add", "192.0.2.7/24", "dev", "uplink")
    lab.ip("link", "set", "uplink", "up")
    async with form(lab, "web") as (app, pilot):
        await pilot.press(*"web")
        await until(pilot, lambda: "another network named web" in picture(app), PATIENCE)
        await pilot.press("2", "enter")
        await until(pilot, lambda: "[2 Addresses]" in picture(app), PATIENCE)
        assert "1 Name✗" not in picture(app)
        await pilot.press("ctrl+u", *"10.5.0.128/25")
        await until(pilot, lambda: "overlaps 10.5.0.0/24 of the network web" in picture(app))
        app.post_message(Stage(Draft.new(parse(document("draft", address="10.6.0.1")))))
        await until(pilot, lambda: app.staged.drafts)
        await pilot.press("ctrl+u", *"10.6.0.128/25")
        await until(pilot, lambda: "as draft is pending here" in flat(app), PATIENCE)
        await pilot.press("ctrl+u", *"192.0.2.0/25")
        await until(pilot, lambda: "192.0.2.7/24 on uplink" in picture(app), PATIENCE)
        await pilot.press("pagedown", "pagedown", "pagedown", "enter")
        await until(pilot, lambda: "[2 Addresses✗]" in picture(app), PATIENCE)
        await pilot.press("f3")
        await until(pilot, lambda: "10.0.0.1/24" in picture(app), PATIENCE)
        await until(pilot, lambda: "✗" not in picture(app), PATIENCE)
        await pilot.press("escape")
        await until(pilot, lambda: "Throw away web2?" in picture(app), PATIENCE)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen), PATIENCE)
    async with LocalConnection(lab.paths) as connection:
        assert [info.name for info in await connection.networks()] == ["web"]


async def test_a_transient_network_and_one_that_is_only_defined(lab: Lab) -> None:
    async with form(lab, "No networks yet") as (app, pilot):
        await pilot.press(*"later", "enter", "enter", "enter", "enter", "right", "enter")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen), PATIENCE)
        await until(pilot, lambda: listed(app, "later", "defined"), PATIENCE)
        await pilot.press("n")
        await until(pilot, lambda: "<ip " in described(app), PATIENCE)
        await pilot.press(*"brief", "enter", "enter", "enter", "enter", "left", "left", "enter")
        await until(pilot, lambda: isinstance(app.screen, NetworksScreen), PATIENCE)
        await until(pilot, lambda: listed(app, "brief", "active"), PATIENCE)
        async with LocalConnection(lab.paths) as other:
            infos = {info.name: info for info in await other.networks()}
            assert (infos["later"].active, infos["later"].persistent) == (False, True)
            assert (infos["brief"].active, infos["brief"].persistent) == (True, False)
            assert infos["later"].addresses != infos["brief"].addresses
            await other.stop(["brief"])
