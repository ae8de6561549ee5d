"""What is pending against the real engine: on trial through a daemon, and beside others."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from tests.support.daemon import Daemon
from tests.support.eventually import soon
from tests.support.inventory import links
from tests.support.lab import Lab
from tests.support.networks import document
from tests.ui.playing import line_of, picture, until
from vnet_tui import client
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection
from vnet_tui.client.local import LocalConnection, connect
from vnet_tui.screens.apply_pending import ApplyPendingScreen
from vnet_tui.screens.failure import FailureScreen
from vnet_tui.screens.overtaken import OvertakenScreen
from vnet_tui.screens.pending import PendingScreen
from vnet_tui.staging import Stage
from vnet_tui.trial import Apply

PATIENCE = 20.0
ONE, TWO = document("one", address="10.41.0.1"), document("two", address="10.42.0.1")


@pytest.fixture
def daemon(lab: Lab) -> Iterator[Daemon]:
    with Daemon(lab.paths) as made:
        yield made


@asynccontextmanager
async def interface(
    opened: Callable[[], Awaitable[Connection]],
) -> AsyncIterator[tuple[VnetApp, Pilot[None]]]:
    """The interface, when it has shown both networks."""
    app = VnetApp(opened)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shown(app, " one ", " two "), PATIENCE)
        yield app, pilot


def shown(app: VnetApp, *texts: str) -> bool:
    return all(text in picture(app) for text in texts)


async def stage(pilot: Pilot[None], app: VnetApp, name: str, old: str, new: str) -> None:
    """An edit of a definition, as the editor stages it."""
    assert app.connection is not None
    info = await app.connection.network(name)
    draft = await app.draft_of(info.uuid)
    assert re.search(old, draft.text)
    app.post_message(Stage(draft.retyped(f"edit {name}", re.sub(old, new, draft.text))))
    await until(pilot, lambda: info.uuid in app.staged.drafts)


async def open_pending(pilot: Pilot[None], app: VnetApp, *texts: str) -> None:
    await pilot.press("P")
    await until(pilot, lambda: isinstance(app.screen, PendingScreen), PATIENCE)
    await until(pilot, lambda: shown(app, *texts), PATIENCE)


def addresses(bridge: str) -> object:
    return links()[bridge]["addresses"]


async def test_on_trial_and_the_connection_is_cut(lab: Lab, daemon: Daemon) -> None:
    async def opened() -> Connection:
        return await client.open("vnet:///system", paths=lab.paths)

    other = await opened()
    for each in (ONE, TWO):
        await other.define(each)
    await other.start(["one"])
    async with interface(opened) as (app, pilot):
        await stage(pilot, app, "one", r"10\.41\.", "10.45.")
        await stage(pilot, app, "two", r"<name>two</name>", "<name>two</name><title>T</title>")
        await open_pending(pilot, app, "disconnects guests", "is stored only")
        app.post_message(Apply(3))
        await until(pilot, lambda: shown(app, "! on trial", "y keep"), PATIENCE)
        assert addresses("vn-one") == ["10.45.0.1/24"]
        assert (await other.network("two")).title == "T"
        assert app.connection is not None
        await app.connection.close()

        async def ended() -> bool:
            return await other.checkpoint() is None

        await soon(ended)
        assert addresses("vn-one") == ["10.41.0.1/24"]
        assert (await other.network("two")).title == ""
    await other.stop(["one"])
    await other.close()


async def test_on_trial_and_kept(lab: Lab, daemon: Daemon) -> None:
    async def opened() -> Connection:
        return await client.open("vnet:///system", paths=lab.paths)

    other = await opened()
    for each in (ONE, TWO):
        await other.define(each)
    await other.start(["one"])
    async with interface(opened) as (app, pilot):
        await stage(pilot, app, "one", r"10\.41\.0\.200", "10.41.0.150")
        await open_pending(pilot, app, "restarts DHCP/DNS")
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ApplyPendingScreen))
        await pilot.press("enter")
        await until(pilot, lambda: shown(app, "! on trial", "y keep"), PATIENCE)
        await pilot.press("y")
        await until(pilot, lambda: app.checkpoint is None, PATIENCE)
        assert await other.checkpoint() is None
        assert "10.41.0.150" in await other.xml("one")
        assert not app.staged.drafts
        await stage(pilot, app, "one", r"10\.41\.0\.150", "10.41.0.151")
        await until(pilot, lambda: shown(app, "restarts DHCP/DNS"), PATIENCE)
        app.post_message(Apply(1))
        await until(pilot, lambda: app.checkpoint is not None, PATIENCE)
        await until(pilot, lambda: len(app.staged) == 1, PATIENCE)
        assert "10.41.0.150" in await other.xml("one")
    await other.stop(["one"])
    await other.close()


async def test_two_administrators(lab: Lab) -> None:
    async def opened() -> Connection:
        return await connect(lab.paths)

    async with LocalConnection(lab.paths) as other:
        for each in (ONE, TWO):
            await other.define(each)
        async with interface(opened) as (app, pilot):
            await stage(pilot, app, "one", "<name>one</name>", "<name>one</name><title>T</title>")
            await open_pending(pilot, app, "is stored only")
            theirs = await other.xml("one", inactive=True)
            await other.define(theirs.replace("10.41.0.200", "10.41.0.150"))
            await until(pilot, lambda: "! others" in line_of(app, "one"), PATIENCE)
            await pilot.press("p")
            await until(pilot, lambda: isinstance(app.screen, OvertakenScreen))
            await until(pilot, lambda: shown(app, "both can be joined", "10.41.0.150"))
            await pilot.press("B")
            await until(pilot, lambda: "~ changed" in line_of(app, "one"), PATIENCE)
            await pilot.press("p")
            await until(pilot, lambda: isinstance(app.screen, ApplyPendingScreen))
            await pilot.press("k")
            await until(pilot, lambda: not app.staged.drafts, PATIENCE)
            stored = await other.xml("one", inactive=True)
            assert "<title>T</title>" in stored
            assert "10.41.0.150" in stored


async def test_what_was_done_before_a_failure_is_undone_and_told(lab: Lab) -> None:
    async def opened() -> Connection:
        return await connect(lab.paths)

    async with LocalConnection(lab.paths) as other:
        for each in (ONE, TWO):
            await other.define(each)
        await other.start(["one", "two"])
        async with interface(opened) as (app, pilot):
            await stage(pilot, app, "one", r"10\.41\.", "10.45.")
            await stage(pilot, app, "two", r"10\.42\.", "10.46.")
            await open_pending(pilot, app, "disconnects guests")
            lab.ip("link", "add", "uplink", "type", "bridge")
            lab.ip("addr", "add", "10.46.0.9/24", "dev", "uplink")
            lab.ip("link", "set", "uplink", "up")
            await pilot.press("p")
            await until(pilot, lambda: isinstance(app.screen, ApplyPendingScreen))
            await pilot.press("k")
            await until(pilot, lambda: isinstance(app.screen, FailureScreen), PATIENCE)
            await until(pilot, lambda: shown(app, "network   two", "10.46.0.0/24", "uplink"))
            assert shown(
                app, "undone    ✓ one defined anew", "✓ one edited", "networks are as before"
            )
            assert addresses("vn-one") == ["10.41.0.1/24"]
            assert "10.42.0.1" in await other.xml("two", inactive=True)
            assert len(app.staged) == 2
        await other.stop(["one", "two"])
