"""Repairs by vnetd, as its clients and an engine beside it see them."""

from __future__ import annotations

import asyncio
import signal
import subprocess

import pytest

from tests.support.daemon import Daemon
from tests.support.eventually import soon
from tests.support.heard import Heard
from tests.support.inventory import inventory, links
from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui import client
from vnet_tui.client.connection import Connection
from vnet_tui.engine import repair
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.views import EventKind, State

ONE = document("one")


async def _break(lab: Lab) -> None:
    command = "ip link set vn-one mtu 1400"
    await asyncio.to_thread(subprocess.run, ["sh", "-euc", command], check=True)


async def _mtu_is(mtu: int) -> None:
    async def right() -> bool:
        return links()["vn-one"]["mtu"] == mtu

    await soon(right, what=f"the MTU isn't {mtu}")


async def test_the_daemon_mends_and_tells_and_others_take_its_place_when_it_dies(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair, "RELIEVE_SECONDS", 0.2)
    async with Engine(lab.paths) as beside:
        await beside.define(ONE)
        await beside.start(["one"])
        await beside.watch()
        daemon = Daemon(lab.paths)
        await asyncio.to_thread(daemon.start)
        try:
            connection = await client.open("vnet:///system", paths=lab.paths)
            assert (await connection.host()).repairs
            heard = Heard(connection)
            for times in (1, 2):
                await _break(lab)
                await heard.told(EventKind.RECOVERED, times=times)
            await _mtu_is(1500)
            await soon(lambda: _is(connection, State.ACTIVE))
            assert len(heard.of(EventKind.DRIFTED)) == 2
            assert "mtu 1400 → 1500" in heard.of(EventKind.RECOVERED)[0]
            await connection.close()
            await asyncio.to_thread(daemon.end, signal.SIGKILL)
            await _break(lab)
            await _mtu_is(1500)
        finally:
            await asyncio.to_thread(daemon.stop)
        await beside.stop(["one"])


async def test_a_daemon_that_only_reports_leaves_all_as_it_is(lab: Lab) -> None:
    daemon = Daemon(lab.paths, "--report-only")
    await asyncio.to_thread(daemon.start)
    try:
        connection = await client.open("vnet:///system", paths=lab.paths)
        assert not (await connection.host()).repairs
        await connection.define(ONE)
        await connection.start(["one"])
        async with Engine(lab.paths) as beside:
            await beside.watch()
            heard = Heard(connection)
            await _break(lab)
            broken = inventory(lab.paths)
            assert "vnet network-apply one mends it" in await heard.told(EventKind.DRIFTED)
            await soon(lambda: _is(connection, State.DRIFTED))
            await soon(lambda: _is(beside, State.DRIFTED))
            assert inventory(lab.paths) == broken
            await connection.apply("one")
            await soon(lambda: _is(connection, State.ACTIVE))
        await connection.stop(["one"])
        await connection.close()
    finally:
        await asyncio.to_thread(daemon.stop)


async def _is(connection: Connection | Engine, state: State) -> bool:
    return (await connection.network("one")).state is state
