"""Topology, monitor and guests against the real engine: where it leaves, and who is mute."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.lab import Lab
from tests.support.networks import document
from tests.ui.playing import picture, until
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection
from vnet_tui.client.local import connect
from vnet_tui.screens.monitor import MonitorScreen
from vnet_tui.screens.topology import TopologyScreen

PATIENCE = 20.0
WITHOUT_DHCP = document("web").replace("<dhcp>", '<dhcp enabled="false">')


@pytest.fixture
async def running(lab: Lab) -> AsyncIterator[None]:
    """A network that runs, until it is stopped."""
    connection = await connect(lab.paths)
    await connection.define(WITHOUT_DHCP)
    await connection.start(["web"])
    yield
    await connection.stop(["web"])
    await connection.close()


async def test_who_leaves_through_which_link_and_who_has_no_address(
    lab: Lab, running: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("up0", "up1"):
        lab.ip("link", "add", name, "type", "veth", "peer", "name", f"far-{name}")
        lab.ip("link", "set", name, "up")
        lab.ip("link", "set", f"far-{name}", "up")
    lab.ip("route", "add", "default", "dev", "up0")

    async def opened() -> Connection:
        return await connect(lab.paths)

    app = VnetApp(opened)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: " web " in picture(app), PATIENCE)
        guest = lab.guest("mute", "vn-web")
        guest.run("ip", "addr", "add", "10.1.0.50/24", "dev", "eth0")
        guest.run("ping", "-c1", "-W2", "10.1.0.1")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, TopologyScreen), PATIENCE)
        await until(pilot, lambda: " → up0 " in picture(app), PATIENCE)
        lab.ip("route", "replace", "default", "dev", "up1")
        await until(pilot, lambda: " → up1 " in picture(app), PATIENCE)
        await pilot.press("right", "right", "enter")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen), PATIENCE)
        own = "up1 · this host's own · no link rate · default route of IPv4"
        await until(pilot, lambda: own in picture(app), PATIENCE)
        assert picture(app).index(" up1 ") < picture(app).index(" web ")
        await pilot.press("slash", *"up1", "enter", "w", "enter")
        await until(pilot, (tmp_path / "monitor.csv").exists, PATIENCE)
        rows = csv.DictReader((tmp_path / "monitor.csv").read_text().splitlines())
        assert {row["port"] for row in rows} == {"up1", "far-up1"}
        await pilot.press("escape", "escape", "left", "left", "left", "enter")
        await until(pilot, lambda: " has no address: DHCP is off" in picture(app), PATIENCE)
        assert "no lease" in picture(app)
