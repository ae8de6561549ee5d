"""The daemon asked without an event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui import client
from vnet_tui.client import blocking
from vnet_tui.client.connection import Connection
from vnet_tui.engine.errors import ConnectionLostError, NotFoundError

QUESTIONS: list[Callable[[Connection], Coroutine[Any, Any, object]]] = [
    lambda one: one.networks(),
    lambda one: one.network("web"),
    lambda one: one.xml("web", inactive=True),
    lambda one: one.plan("start", ["web"]),
]


async def test_what_blocks_gives_the_same_answers(lab: Lab) -> None:
    with Daemon(lab.paths):
        connection = await client.open("vnet:///system", paths=lab.paths)
        await connection.define(document("web"))
        other = blocking.connect(lab.paths)
        for ask in QUESTIONS:
            assert blocking.finished(ask(other)) == await ask(connection)
        with pytest.raises(NotFoundError, match="no network 'nobody'"):
            blocking.finished(other.network("nobody"))
        await connection.close()


def test_who_needs_an_event_loop_is_told() -> None:
    with pytest.raises(RuntimeError, match="event loop"):
        blocking.finished(asyncio.sleep(1))


def test_a_daemon_that_is_not_there_is_told(lab: Lab) -> None:
    with pytest.raises(ConnectionLostError, match="no daemon answers"):
        blocking.connect(lab.paths)


def test_a_daemon_that_goes_away_is_told() -> None:
    ours, theirs = socket.socketpair()
    channel = blocking.BlockingChannel(ours)
    theirs.sendall(b"one\0two\0thr")
    theirs.close()
    told = [blocking.finished(channel.receive()) for _ in range(3)]
    assert told == [b"one", b"two", None]
    assert not channel.open
