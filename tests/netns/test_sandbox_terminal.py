"""The sandbox on a terminal: keys, job control and the terminal's size reach the command."""

from __future__ import annotations

import fcntl
import os
import pty
import shlex
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from select import select

import pytest

from tests.support.eventually import eventually
from tests.support.sandbox import Starter, alive, members


class Terminal:
    """A terminal on which a shell with job control runs a sandbox, and ``fg`` once it stops."""

    def __init__(self, starter: Starter, script: str) -> None:
        self._master, slave = pty.openpty()
        job = shlex.join(starter.command("bash", "-c", script))
        self._shell = subprocess.Popen(
            ["setsid", "--ctty", "bash", "-c", f"set -m; {job}; echo status $?; fg; echo end $?"],
            env=starter.environment,
            cwd="/",
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self._seen = ""

    def wait_for(self, text: str, *, within: float = 20.0) -> None:
        """Read until ``text`` has been written, and forget everything up to it."""
        end = time.monotonic() + within
        while text not in self._seen:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} in {self._seen!r}"
            if select([self._master], [], [], left)[0]:
                try:
                    self._seen += os.read(self._master, 4096).decode()
                except OSError:
                    raise AssertionError(f"no {text!r} in all of {self._seen!r}") from None
        self._seen = self._seen.partition(text)[2]

    def press(self, control: str) -> None:
        """Press a letter together with Ctrl."""
        os.write(self._master, bytes([ord(control) & 0x1F]))

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def processes(self) -> set[int]:
        """The outer process of the sandbox and all inside; empty when it has ended."""
        shell = self._shell.pid
        outer = [
            int(pid) for pid in Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        ]
        return {*outer, *(pid for process in outer for pid in members(process))}

    def hang_up(self) -> None:
        """As a lost connection does."""
        os.close(self._master)
        self._shell.wait(timeout=30)

    def close(self) -> None:
        """Hang up, and wait for the end of everything."""
        if self._shell.returncode is None:
            left = self.processes()
            self.hang_up()
            eventually(lambda: not alive(left), what="the end of all processes")


Open = Callable[[str], Terminal]


@pytest.fixture(params=[False, True], ids=["root", "plain user"])
def open_terminal(request: pytest.FixtureRequest) -> Iterator[Open]:
    starter = Starter(plain=request.param)
    opened: list[Terminal] = []

    def open_(script: str) -> Terminal:
        opened.append(Terminal(starter, script))
        return opened[-1]

    yield open_
    for terminal in opened:
        terminal.close()
    starter.close()


def test_a_new_size_is_told_and_seen(open_terminal: Open) -> None:
    terminal = open_terminal("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
    terminal.wait_for("ready")
    terminal.resize(33, 99)
    terminal.wait_for("33 99")


def test_ctrl_c_is_the_commands_alone(open_terminal: Open) -> None:
    terminal = open_terminal(
        "trap 'echo and still $(pgrep -c udhcpc); exit 130' INT;"
        "until [ $(pgrep -c udhcpc) = 5 ]; do sleep 0.05; done;"
        "echo ready; while :; do sleep 0.05; done"
    )
    terminal.wait_for("ready")
    terminal.press("C")
    terminal.wait_for("and still 5\r\n")
    terminal.wait_for("status 130")


def test_ctrl_z_stops_the_job_and_fg_wakes_it(open_terminal: Open) -> None:
    terminal = open_terminal(
        "trap 'echo awake; exit 9' CONT; echo ready; while :; do sleep 0.05; done"
    )
    terminal.wait_for("ready")
    terminal.press("Z")
    terminal.wait_for("status 148")
    terminal.wait_for("awake")
    terminal.wait_for("end 9")


def test_a_command_that_stops_itself_stops_the_job(open_terminal: Open) -> None:
    terminal = open_terminal("kill -STOP $$; echo awake; exit 9")
    terminal.wait_for("status 148")
    terminal.wait_for("awake")
    terminal.wait_for("end 9")


def test_a_lost_terminal_ends_everything(open_terminal: Open) -> None:
    terminal = open_terminal("echo ready; sleep 1000")
    terminal.wait_for("ready")
    processes = terminal.processes()
    assert len(processes) >= 5  # outside, pid 1, the name server, life, the command
    terminal.hang_up()
    eventually(lambda: not alive(processes), what="the end of all processes")
