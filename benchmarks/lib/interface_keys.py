"""The interface on a daemon with many networks, on a terminal, and how long a key takes there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.wire import ROOT, Terminal
from tests.ui.terminal import Screen
from vnet_tui.engine.paths import Paths

FRAME = re.compile(rb"\x1b\[\?2026h(.*?)\x1b\[\?2026l", re.DOTALL)
"""What is painted at once: between the marks of synchronized output."""

NAME = re.compile(r"net\d{5}")
HOME, DOWN, REDRAW = b"\x1b[H", b"\x1b[B", b"\x0c"

LONGEST = 2.0
"""Seconds after which a key counts as one that did nothing."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a key took until its repaint was there: seconds by the clock, and of the interface's
    processor time."""

    clock: float
    processor: float


@contextmanager
def served(networks: int, *options: str) -> Iterator[None]:
    """A daemon of a replay, to which ``vnet:///system`` leads meanwhile; its options are those of
    :mod:`benchmarks.lib.interface_replay`."""
    with tempfile.TemporaryDirectory() as run:
        places = {"VNET_RUN_DIR": run, "XDG_CONFIG_HOME": run, "XDG_STATE_HOME": run}
        before = dict(os.environ)
        command = [sys.executable, "-m", "benchmarks.lib.interface_replay", run, str(networks)]
        daemon = subprocess.Popen([*command, *options], cwd=ROOT)
        try:
            os.environ.update(places)
            while not Paths(run=Path(run)).socket.exists():
                time.sleep(0.1)
                if daemon.poll() is not None:
                    raise SystemExit("the daemon of the replay has ended")
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            daemon.kill()
            daemon.wait()


class Watched:
    """The list of networks on a terminal, shown as some keys make it, the cursor on the first."""

    def __init__(
        self, columns: int, rows: int, keys: Sequence[bytes] = (), *, wait: float = 6.0
    ) -> None:
        ours = (sys.executable, "-m", "vnet_tui", "--connect", "vnet:///system")
        self.terminal = Terminal(ours, columns, rows)
        self._screen = Screen(columns, rows)
        self._processor = (~self.terminal.pid << 3) | 2  # clock_getcpuclockid(3), glibc's way
        self.terminal.wait_for(b"net00000", 60)
        self.terminal.read(wait)
        for key in (*keys, HOME, REDRAW):
            self.terminal.press(key)
            self.terminal.read(0.5)
        self._read = 0
        self._look()
        y, x = next(
            (y, found.start())
            for y, line in enumerate(self._screen.lines)
            if (found := NAME.search(line))
        )
        self._cursor = (x, self._screen.cells[y][x][1])

    @property
    def under_cursor(self) -> str:
        """The name of the network under the cursor; empty when it is not in view."""
        x, pen = self._cursor
        under = (line[x : x + len("net00000")] for line in self._screen.cells if line[x][1] == pen)
        return "".join(character for character, _ in next(under, ()))

    @property
    def places(self) -> int:
        """On how many lines the name of the network under the cursor stands now: in the list, and
        over the detail, where there is one and it is of this network."""
        self._look()
        return sum(self.under_cursor in line for line in self._screen.lines)

    def press(self, key: bytes, goal: str = "") -> Pressed:
        """Press a key and wait until the cursor is on another network, or on a certain one.
        SystemExit: it does not get there."""
        self._look()
        before = self.under_cursor

        def moved() -> bool:
            name = self.under_cursor
            return name == goal or (not goal and name not in ("", before))

        taken = self._until(key, moved)
        if taken is None:
            raise SystemExit(f"the cursor stays on {self.under_cursor}, from {before}")
        return taken

    def open(self, key: bytes, text: str) -> Pressed:
        """Press a key and wait until a text is to be seen that wasn't. SystemExit: it isn't."""
        self._look()
        if self._shows(text):
            raise SystemExit(f"{text!r} is there before {key!r}")
        taken = self._until(key, lambda: self._shows(text))
        if taken is None:
            raise SystemExit(f"{key!r} doesn't lead to {text!r}")
        return taken

    def _shows(self, text: str) -> bool:
        return any(text in line for line in self._screen.lines)

    def _until(self, key: bytes, seen: Callable[[], bool]) -> Pressed | None:
        began = self._now()
        ended = None

        def there() -> bool:
            nonlocal ended
            now = self._now()
            self._look()
            if seen():
                ended = now
            return ended is not None

        self.terminal.press(key)
        self.terminal.read_until(there, LONGEST)
        return Pressed(ended[0] - began[0], ended[1] - began[1]) if ended else None

    def _now(self) -> tuple[float, float]:
        return time.perf_counter(), time.clock_gettime(self._processor)

    def _look(self) -> None:
        for frame in FRAME.finditer(self.terminal.written, self._read):
            self._screen.feed(frame[1].decode())
            self._read = frame.end()
