"""Who listens, as the kernel tells it in two ways."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from tests.support.lab import Lab
from vnet_tui.engine.drivers import sockets


def test_both_ways_tell_the_same(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        held = set()
        for family, address in (
            (socket.AF_INET, "127.0.0.1"),
            (socket.AF_INET, "0.0.0.0"),  # noqa: S104
            (socket.AF_INET6, "::1"),
            (socket.AF_INET6, "::"),
        ):
            one = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            one.bind((address, 0))
            one.listen()
            port = one.getsockname()[1]
            held.add((address, port))
            client = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            client.connect(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
            stack.enter_context(one.accept()[0])  # what isn't listened on has this port, too
        asked = set(sockets.held_ports("tcp"))
        assert {(str(one.address), one.port) for one in asked} == held
        assert all(one.inode and one.waits for one in asked)

        def refused(version: int) -> list[object]:
            raise OSError("there is no sock_diag")

        monkeypatch.setattr(sockets, "listening", refused)
        assert set(sockets.held_ports("tcp")) == asked
