"""Signals that end programs: the interface leaves the terminal as it was, and tells by which."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

_PROGRAM = """
import sys
from tests.ui.replay import Replay
from tests.ui.recorded import DEMO
from vnet_tui.app import VnetApp

async def connect():
    return Replay(DEMO)

app = VnetApp(connect)
app.run()
sys.exit(app.return_code)
"""
_NORMAL_SCREEN = b"\x1b[?1049l"


def read_until(terminal: int, wanted: bytes, *, within: float = 20.0) -> None:
    """Read what a program writes to its terminal until it has written that."""
    seen = b""
    end = time.monotonic() + within
    while wanted not in seen:
        assert time.monotonic() < end, f"{wanted!r} never came, but {seen[-500:]!r}"
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 1 << 16)


@contextlib.contextmanager
def running() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The interface on a terminal of its own, of which this gives our end."""
    terminal, its_end = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        env=os.environ | {"TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(its_end)
    try:
        read_until(terminal, b"Foo")
        yield program, terminal
    finally:
        program.kill()
        program.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    with running() as (program, terminal):
        program.send_signal(number)
        read_until(terminal, _NORMAL_SCREEN)
        assert program.wait(10) == 128 + number
        os.close(terminal)


def test_a_terminal_that_is_gone_doesnt_keep_it() -> None:
    with running() as (program, terminal):
        os.close(terminal)
        program.send_signal(signal.SIGHUP)  # what the kernel sends to a terminal's session
        assert program.wait(10) == 128 + signal.SIGHUP
