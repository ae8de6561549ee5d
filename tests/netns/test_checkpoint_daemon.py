"""Changes on trial through vnetd: its clients come and go, and it is killed itself."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator

import pytest

from tests.support.daemon import Daemon
from tests.support.eventually import soon
from tests.support.inventory import dnsmasqs, links
from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui import client
from vnet_tui.client.connection import Connection
from vnet_tui.engine.errors import StateError

ONE = document("one", address="10.41.0.1")
MOVED = document("one", address="10.45.0.1")


@pytest.fixture
def daemon(lab: Lab) -> Iterator[Daemon]:
    with Daemon(lab.paths) as made:
        yield made


async def connect(lab: Lab) -> Connection:
    return await client.open("vnet:///system", paths=lab.paths)


async def begin(lab: Lab) -> None:
    connection = await connect(lab)
    await connection.define(ONE)
    await connection.start(["one"])
    await connection.close()


async def on_trial(lab: Lab, within: float) -> str:
    """A client that cuts itself off: it never confirms."""
    connection = await connect(lab)
    opened = await connection.open_checkpoint(within)
    await connection.define(MOVED)
    await connection.apply("one")
    seen = await connection.checkpoint()
    assert seen is not None
    assert seen.changes == ("one defined anew", "one edited")
    await connection.close()
    return opened.id


async def end(lab: Lab) -> None:
    connection = await connect(lab)
    await connection.stop(["one"])
    await connection.close()
    assert dnsmasqs() == []


def addresses() -> object:
    return links()["vn-one"]["addresses"]


async def came_back(lab: Lab) -> None:
    connection = await connect(lab)

    async def ended() -> bool:
        return await connection.checkpoint() is None

    await soon(ended)
    assert addresses() == ["10.41.0.1/24"]
    assert not await connection.plan("apply", ["one"])
    await connection.close()


async def test_what_a_client_that_is_gone_tried_comes_back(lab: Lab, daemon: Daemon) -> None:
    await begin(lab)
    id_ = await on_trial(lab, 1)
    assert addresses() == ["10.45.0.1/24"]
    await came_back(lab)
    other = await connect(lab)
    with pytest.raises(StateError, match=rf"{id_} was rolled back by the engine itself \(nobody"):
        await other.confirm(id_)
    await other.close()
    await end(lab)
    assert "roll back one" in daemon.said


async def test_another_client_is_refused_until_it_confirms(lab: Lab, daemon: Daemon) -> None:
    await begin(lab)
    id_ = await on_trial(lab, 60)
    other = await connect(lab)
    with pytest.raises(StateError, match="has changes on trial, for another") as caught:
        await other.stop(["one"])
    assert id_ in caught.value.remedy
    await other.confirm(id_)
    assert addresses() == ["10.45.0.1/24"]
    await other.close()
    await end(lab)
    assert f"confirm: checkpoint {id_}" in daemon.said


@pytest.mark.parametrize("overdue", [False, True])
async def test_a_daemon_that_was_killed_comes_back_and_meets_the_deadline(
    lab: Lab, daemon: Daemon, overdue: bool
) -> None:
    await begin(lab)
    begun = time.monotonic()
    await on_trial(lab, 3)
    daemon.end(signal.SIGKILL)
    assert addresses() == ["10.45.0.1/24"]
    if overdue:
        await asyncio.sleep(max(0.0, begun + 3.5 - time.monotonic()))
    daemon.start()
    if overdue:
        assert addresses() == ["10.41.0.1/24"]  # before it is ready
    await came_back(lab)
    assert time.monotonic() - begun > 2.9
    await end(lab)
