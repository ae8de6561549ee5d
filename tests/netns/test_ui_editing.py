"""Edits made by keys, applied to a network that runs, and proved with packets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from textual.pilot import Pilot

from tests.support.dhcp import lease4
from tests.support.lab import Lab
from tests.support.packets import Fate, Packets, Probe
from tests.ui.playing import picture, until
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection
from vnet_tui.client.local import connect
from vnet_tui.drafts.applying import apply_drafts
from vnet_tui.engine.xml import parse
from vnet_tui.sandbox.namespaces import veth
from vnet_tui.screens.editor import EditorScreen
from vnet_tui.screens.element import ElementScreen
from vnet_tui.screens.network import NetworkScreen

UPLINK, OUTSIDE, MAC = "198.51.100.2", "198.51.100.1", "52:54:00:00:00:0a"
DOCUMENT = """
<network>
  <name>foo</name>
  <dhcp><ip address="10.0.0.1" prefix="24" start="10.0.0.100" end="10.0.0.199"/></dhcp>
  <forwarding>
    <incoming><deny port="8080"/></incoming>
  </forwarding>
</network>
"""
PATIENCE = 20.0


class Scene:
    """A network that runs, a guest ``web`` with a lease, a machine outside, and the interface."""

    def __init__(self, lab: Lab, app: VnetApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.web = lab.guest("web", "vnet-foo", mac=MAC)
        offer = lease4(self.web, lab.paths.state, "web")
        assert offer is not None
        self.address = offer.address
        self.web.run("ip", "address", "add", f"{offer.address}/24", "dev", "eth0")
        self.web.run("ip", "route", "add", "default", "via", "10.0.0.1")
        outside = lab.machine("outside")
        veth("up0", "eth0", outside)
        lab.ip("address", "add", f"{UPLINK}/24", "dev", "up0")
        outside.run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "eth0")
        self.packets = Packets({"web": self.web, "outside": outside})
        self.packets.listen("web", 80)
        self.packets.listen("outside", 80)

    @property
    def connection(self) -> Connection:
        assert self.app.connection is not None
        return self.app.connection

    async def seen(self, text: str) -> None:
        await until(self.pilot, lambda: text in picture(self.app), PATIENCE)

    async def on(self, screen: type[object]) -> None:
        await until(self.pilot, lambda: isinstance(self.app.screen, screen), PATIENCE)

    async def apply(self) -> None:
        """What the screen of pending changes does."""
        await until(self.pilot, lambda: self.app.staged.drafts, PATIENCE)
        await apply_drafts(self.connection, list(self.app.staged.drafts.values()))

    async def knock(self) -> Fate:
        """Somebody outside wants port 8080 of the host."""
        probe = Probe("outside", "tcp", UPLINK, 8080)
        (answer,) = await asyncio.to_thread(self.packets.probe, [probe])
        return answer.fate


@asynccontextmanager
async def scene(lab: Lab) -> AsyncIterator[Scene]:
    connection = await connect(lab.paths)
    await connection.define(DOCUMENT)
    await connection.start(["foo"])

    async def connected() -> Connection:
        return connection

    app = VnetApp(connected)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        made = await asyncio.to_thread(Scene, lab, app, pilot)
        try:
            yield made
        finally:
            made.packets.close()
            await connection.stop(["foo"])


async def test_8080_is_forwarded_to_web_while_traffic_flows(lab: Lab) -> None:
    async with scene(lab) as here:
        await here.seen("foo")
        flowing = here.packets.connect("web", OUTSIDE, 80, server=("outside", 80))
        assert await here.knock() is not Fate.PASS
        await here.pilot.press("enter")
        await here.on(NetworkScreen)
        await here.pilot.press("2")
        await here.seen("● web")
        await here.pilot.press("f")
        await here.on(ElementScreen)
        await here.pilot.press(*"8080", "down", "down", *"80", "enter")
        await here.seen("P shows what is pending")
        assert await here.knock() is not Fate.PASS
        await here.apply()
        assert await here.knock() is Fate.PASS
        assert flowing.works()
        flowing.close()
        await here.pilot.press("3", "e")
        await here.on(EditorScreen)
        await here.seen("allow tcp 8080 → web:80")
        await here.seen("● active")


async def test_a_lease_is_kept_and_a_range_added_where_the_guest_is(lab: Lab) -> None:
    async with scene(lab) as here:
        await here.seen("foo")
        await here.pilot.press("enter")
        await here.on(NetworkScreen)
        await here.pilot.press("2")
        await here.seen("● web")
        await here.pilot.press("l")
        await here.seen("P shows what is pending")
        await here.pilot.press("e")
        await here.on(EditorScreen)
        await here.seen(f"reservation {here.address}")
        await here.pilot.press("plus", "2")
        await here.on(ElementScreen)
        await here.pilot.press(*"10.0.0.50", "down", *"10.0.0.59", "enter")
        await here.seen("10.0.0.50 – 10.0.0.59")
        await here.seen("nothing is wrong with it")
        await here.pilot.press("ctrl+s")
        await here.on(NetworkScreen)
        await here.apply()
        runs = parse(await here.connection.xml("foo"))
        assert runs.dhcp is not None
        (kept,) = runs.dhcp.reservations
        assert (str(kept.address), kept.mac, kept.name) == (here.address, MAC, "web")
        assert [one.start for one in runs.ips[0].ranges][1] == ip_address("10.0.0.50")
        guests = await here.connection.guests("foo")
        assert [guest.reserved for guest in guests] == [True]


async def test_a_rule_is_switched_off_by_key(lab: Lab) -> None:
    async with scene(lab) as here:
        await here.seen("foo")
        await here.pilot.press("e")
        await here.on(EditorScreen)
        await here.pilot.press("4")
        await here.seen("deny tcp+udp 8080")
        await here.seen("● active")
        await here.pilot.press("minus")
        await here.seen("○ off")
        await here.pilot.press("ctrl+s")
        await here.apply()
        (rule,) = await here.connection.rules("foo")
        assert rule.state == "off"
