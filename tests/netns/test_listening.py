"""The daemon's socket, where another program has one."""

from __future__ import annotations

import socket

import pytest

from tests.support.lab import Lab
from vnet_tui.daemon.listening import listening
from vnet_tui.engine.errors import BusyError


def test_a_socket_on_which_somebody_listens_is_left_to_him(lab: Lab) -> None:
    """As systemd does for a service that doesn't run now."""
    lab.paths.run.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(lab.paths.socket))
        other.listen()
        before = lab.paths.socket.stat()
        with pytest.raises(BusyError, match="somebody listens on"), listening(lab.paths.socket):
            pass
        assert lab.paths.socket.stat().st_ino == before.st_ino
    with listening(lab.paths.socket), socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(lab.paths.socket))
    assert not lab.paths.socket.exists()
