"""What the interface writes to a terminal, and how soon: on a pseudo-terminal, against a replay.

Run it with ``python -m benchmarks.wire`` from the checkout. It needs nothing but the test
environment, no root and no network, and takes about two minutes.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

COLUMNS, ROWS = 120, 40
ROOT = Path(__file__).resolve().parent.parent
QUIET = 0.4
"""Nothing written for so many seconds: the program has come to rest."""

BARE = """
from textual.app import App
from textual.widgets import DataTable

class Bare(App):
    def compose(self):
        yield DataTable()
    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("name", "state", "subnet", "bridge", "guests", "in", "out", "last")
        for number in range(20):
            table.add_row(f"net{number:05}", *["something"] * 7)

Bare().run()
"""
REPLAY = "from tests.ui.replay import main; main({!r})"


class Terminal:
    """A program on a pseudo-terminal, and all that it writes."""

    def __init__(
        self, command: str | Sequence[str], columns: int = COLUMNS, rows: int = ROWS
    ) -> None:
        """``command`` is a program with its arguments, or the text of one in Python."""
        arguments = [sys.executable, "-c", command] if isinstance(command, str) else [*command]
        self.started = time.monotonic()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(ROOT)
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execvp(arguments[0], arguments)  # noqa: S606
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.written = b""

    def read(self, seconds: float) -> bytes:
        """What it writes within a time; ends early when it comes to its end."""
        return self._read(lambda: False, time.monotonic() + seconds)

    def read_until(self, done: Callable[[], bool], limit: float) -> bytes:
        """What it writes until something holds, or until seconds have passed."""
        return self._read(done, time.monotonic() + limit)

    def settle(self, limit: float = 15.0, quiet: float = QUIET) -> bytes:
        """What it writes until it rests."""
        deadline = time.monotonic() + limit
        got = b""
        while time.monotonic() < deadline:
            more = self._read(lambda: False, time.monotonic() + quiet)
            got += more
            if not more:
                break
        return got

    def wait_for(self, text: bytes, limit: float = 20.0) -> float:
        """Seconds from the start until it has written a text."""
        self._read(lambda: text in self.written, time.monotonic() + limit)
        if text not in self.written:
            raise TimeoutError(f"{text!r} was not written within {limit} s")
        return time.monotonic() - self.started

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._fd, keys)

    def close(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def _read(self, done: Callable[[], bool], deadline: float) -> bytes:
        got = b""
        while not done() and (left := deadline - time.monotonic()) > 0:
            if not select.select([self._fd], [], [], left)[0]:
                break
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:  # EIO: the program has ended
                break
            if b"\x1b[?2026$p" in data:
                self.press(b"\x1b[?2026;2$y")  # yes, synchronized output is understood
            got += data
            self.written += data
        return got


def replay(*options: str, columns: int = COLUMNS, rows: int = ROWS) -> Terminal:
    """The interface on a replay, painted and at rest but for its figures."""
    terminal = Terminal(REPLAY.format(list(options)), columns, rows)
    terminal.wait_for(b"net00000")
    terminal.read(3)
    return terminal


def bytes_a_second(seconds: int, *options: str, columns: int = COLUMNS, rows: int = ROWS) -> float:
    """How much a running interface writes."""
    terminal = replay(*options, columns=columns, rows=rows)
    try:
        return len(terminal.read(seconds)) / seconds
    finally:
        terminal.close()


def bytes_a_key(
    key: bytes, times: int, *options: str, columns: int = COLUMNS, rows: int = ROWS
) -> float:
    """The median of what one press of a key makes it write, until it rests again."""
    terminal = replay(*options, columns=columns, rows=rows)
    try:
        figures = []
        for _ in range(times):
            terminal.press(key)
            figures.append(len(terminal.settle()))
        return statistics.median(figures)
    finally:
        terminal.close()


def first_paints(codes: Sequence[str], text: bytes, runs: int) -> list[float]:
    """For each program the median of the seconds from its start until a text is on the screen.

    The programs take turns, so that what else the machine does hits all alike.
    """
    figures: list[list[float]] = [[] for _ in codes]
    for _ in range(runs):
        for code, times in zip(codes, figures, strict=True):
            terminal = Terminal(code)
            try:
                times.append(terminal.wait_for(text))
            finally:
                terminal.close()
    return [statistics.median(times) for times in figures]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and print a line a figure with its target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wire", description=__doc__)
    parser.add_argument("--seconds", type=int, default=18, help="of each measurement")
    parser.add_argument("--runs", type=int, default=7, help="of each program for the first paint")
    options = parser.parse_args(argv)
    seconds = options.seconds

    def line(what: str, figure: float, unit: str, target: str) -> None:
        print(f"{what:<58} {figure:>9.2f} {unit:<8} {target}", flush=True)

    twenty = ("--networks", "20")
    standing = (*twenty, "--moving", "0")
    line("nothing changes", bytes_a_second(seconds, *standing), "bytes/s", "target 0")
    line("20 networks live, 120×40", bytes_a_second(seconds, *twenty), "bytes/s", "target ≤ 4000")
    line(
        "20 networks live, 80×24",
        bytes_a_second(seconds, *twenty, columns=80, rows=24),
        "bytes/s",
        "",
    )
    one = bytes_a_second(seconds, *twenty, "--moving", "1", columns=80, rows=24)
    line("one network's figures change, 80×24", one, "bytes/s", "")
    line(
        "the cursor moves, 80×24",
        bytes_a_key(b"\x1b[B", 8, *standing, columns=80, rows=24),
        "bytes",
        "target ≤ 1500",
    )
    line(
        "the cursor moves and the detail follows, 120×40",
        bytes_a_key(b"\x1b[B", 8, *standing),
        "bytes",
        "",
    )
    codes = (REPLAY.format(list(standing)), BARE)
    ours, bare = first_paints(codes, b"net00015", options.runs)
    line("first full paint", ours * 1000, "ms", "")
    line("first full paint of a bare application with a DataTable", bare * 1000, "ms", "")
    line("ratio of these medians", ours / bare, "", "target ≤ 1.5")


if __name__ == "__main__":
    main()
