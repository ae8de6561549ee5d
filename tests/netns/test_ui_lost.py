"""A daemon that goes away under the interface, and comes back."""

from __future__ import annotations

import signal

from tests.support.daemon import Daemon
from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.raw import Raw
from tests.ui.playing import picture, until
from vnet_tui import client
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection


async def test_a_killed_daemon_is_told_and_found_again(lab: Lab) -> None:
    async def connect() -> Connection:
        return await client.open(paths=lab.paths)

    with Daemon(lab.paths) as first, Raw(lab.paths.socket) as asking:
        asking.call("Create", {"xml": document("web")})
        app = VnetApp(connect, theme="vnet-dark", silence=2.5)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await until(pilot, lambda: app.sample is not None and " web " in picture(app), 20)
            first.end(signal.SIGKILL)
            await until(pilot, lambda: "connection lost" in picture(app), 20)
            assert " web " in picture(app)
            assert app.screen.has_class("-lost")
            with Daemon(lab.paths), Raw(lab.paths.socket) as again:
                await until(pilot, lambda: not app.trouble, 20)
                assert "connection lost" not in picture(app)
                again.call("Stop", {"refs": ["web"]})
                await until(pilot, lambda: "No networks yet" in picture(app), 20)
