"""What the interface costs: keys, monitoring, starting, and hours of it.

    python -m benchmarks.interface            all of it, some fifteen minutes
    python -m benchmarks.interface keys       some of: keys, moves, opening, monitoring, start,
                                              memory

``monitoring`` and ``start`` need root, for private namespaces with networks that run, and
monitoring is compared with two others: ``apt-get install btop bmon``. The others need nothing but
the test environment.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from math import ceil
from statistics import median

from benchmarks.lib.arena import Arena
from benchmarks.lib.interface_keys import DOWN, LONGEST, Watched, served
from benchmarks.lib.interface_start import BARE_NAME
from benchmarks.lib.report import Comparison, print_report
from benchmarks.wire import Terminal

OURS = (sys.executable, "-m", "vnet_tui", "--connect", "vnet:///embedded")
BMON = ("bmon", "-p", "vb-*", "-o", "curses")
BTOP = ("btop", "--utf-force")

LISTS: Sequence[tuple[tuple[int, int], str, Sequence[bytes]]] = (
    ((80, 24), "", ()),
    ((120, 40), "", ()),
    ((120, 40), ", by rate", [b"o"] * 6),
    ((120, 40), ", filtered", [b"/", b"n", b"e", b"t", b"0", b"\r"]),
)
"""The terminal, how the list is shown, and the keys for that."""

REPEATS, REPEATS_A_SECOND = 90, 30
"""Of a key that is held down."""

SIZES = ((80, 24), (100, 34), (110, 40), (120, 40), (132, 43), (160, 50), (200, 60), (240, 70))
"""Terminals on which the cursor is moved: also those between, in which another part has room."""

MOVES = 30
"""On each; the list scrolls once the cursor has come to its end."""

STANDING, REST = 3.0, 0.5
"""So many seconds without a byte, and figures stand; or a move has written all that it does."""

SCREENS = {
    "one network": b"\r",
    "its editor": b"e",
    "a new network": b"n",
    "pending changes": b"P",
    "the monitor": b"m",
    "the topology": b"t",
    "all events": b"E",
    "all keys": b"?",
}
"""What is opened from the list, and by which key."""

OPENINGS, WAY_BACK, ESCAPE = 6, "esc ", b"\x1b"
"""So often; each names the key that leads back, which the list has not."""

PAUSES = (0.13, 0.21, 0.17, 0.29, 0.11, 0.23)
"""Between keys, in seconds: they fall upon every part of a second."""

KEY_MS, MOVE_BYTES, MONITOR_BYTES, MONITOR_CPU, START = 30.0, 1500, 4000, 5.0, 1.5
MEMORY = 1.05
"""Memory after all hours, at most, over that after the first."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and tell whether all bounds hold: 0 or 1."""
    parts: dict[str, Callable[[argparse.Namespace], bool]] = {
        "keys": keys,
        "moves": moves,
        "opening": opening,
        "monitoring": monitoring,
        "start": start,
        "memory": memory,
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interface")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}")
    parser.add_argument("--networks", type=int, default=1000, help="for keys, moves, the start")
    parser.add_argument("--varied", action="store_true", help="for keys: seven ports a network")
    parser.add_argument("--presses", type=int, default=250, help="for keys")
    parser.add_argument("--rows", type=int, default=40, help="for monitoring")
    parser.add_argument("--seconds", type=float, default=20, help="for monitoring")
    parser.add_argument("--runs", type=int, default=7, help="for the start")
    parser.add_argument("--hours", type=int, default=8, help="for memory")
    parser.add_argument("--hour", type=int, default=3600, help="seconds of each, for memory")
    parser.add_argument("--events", type=int, default=2500, help="an hour, for memory")
    options = parser.parse_args(argv)
    if unknown := set(options.parts) - parts.keys():
        parser.error(f"there is no part {', '.join(unknown)}")
    wanted = [parts[name] for name in parts if name in options.parts or not options.parts]
    if os.geteuid() != 0 and {monitoring, start} & set(wanted):
        parser.error("monitoring and start need root")
    held = [part(options) for part in wanted]
    return 0 if all(held) else 1


def _line(what: str, figure: str, bound: str = "", *, holds: bool = True) -> bool:
    print(f"{what:<48}{figure:>16}   {bound}{'' if holds else '  EXCEEDED'}", flush=True)
    return holds


def keys(options: argparse.Namespace) -> bool:
    """The time from a key to what it paints while all networks' figures move."""
    good = True
    for (columns, rows), how, pressed in LISTS:
        with served(options.networks, *["--varied"] * options.varied):
            watched = Watched(columns, rows, pressed)
            taken = []
            for number in range(options.presses):
                taken.append(watched.press(DOWN))
                watched.terminal.read(PAUSES[number % len(PAUSES)])
            if not how:
                good &= _held(watched)
            watched.terminal.close()
        late, late_by_clock = (
            1000 * sorted(times)[ceil(0.95 * len(times)) - 1]
            for times in ([one.processor for one in taken], [one.clock for one in taken])
        )
        typical = 1000 * median(one.processor for one in taken)
        good &= _line(
            f"key to repaint, {options.networks} live, {columns}×{rows}{how}, p95",
            f"{late:.1f} ms",
            f"(median {typical:.1f}, by the clock {late_by_clock:.1f}) at most {KEY_MS:g} ms",
            holds=late <= KEY_MS,
        )
    return good


def opening(options: argparse.Namespace) -> bool:
    """The time from a key to the screen that it opens: the first time, and from then on."""
    with served(options.networks, "--varied"):
        watched = Watched(120, 40)
        for what, key in SCREENS.items():
            taken = []
            for _ in range(OPENINGS):
                taken.append(1000 * watched.open(key, WAY_BACK).processor)
                watched.terminal.read(1)
                watched.terminal.press(ESCAPE)
                watched.terminal.read(1)
            first, *later = taken
            _line(f"to open {what}", f"{median(later):.1f} ms", f"(the first time {first:.1f})")
        watched.terminal.close()
    return True


def _held(watched: Watched) -> bool:
    """How long after the last repeat of a key that is held down the cursor is where it led."""
    last = int(watched.under_cursor.removeprefix("net")) + REPEATS
    for _ in range(REPEATS - 1):
        watched.terminal.press(DOWN)
        watched.terminal.read(1 / REPEATS_A_SECOND)
    behind = 1000 * watched.press(DOWN, f"net{last:05}").clock
    most = 2000 / REPEATS_A_SECOND
    return _line(
        f"  held down for {REPEATS} repeats, then it stops after",
        f"{behind:.1f} ms",
        f"at most {most:.0f} ms, two repeats",
        holds=behind <= most,
    )


def moves(options: argparse.Namespace) -> bool:
    """What a move of the cursor makes it write, with figures that stand, until it rests."""
    good = True
    for columns, rows in SIZES:
        written = _written(columns, rows, options.networks)
        holds = max(written) <= MOVE_BYTES
        good &= _line(
            f"the cursor moves, and the list with it, {columns}×{rows}",
            f"{max(written)} bytes",
            f"(median {median(written):.0f}) at most {MOVE_BYTES}{'  OK' if holds else ''}",
            holds=holds,
        )
    return good


def _written(columns: int, rows: int, networks: int) -> list[int]:
    """Bytes of each move."""
    with served(networks, "--varied", "--still"):
        watched = Watched(columns, rows)
        watched.terminal.settle(60, quiet=STANDING)
        places = watched.places
        made = []
        for _ in range(MOVES):
            seen = len(watched.terminal.written)
            watched.press(DOWN)
            watched.terminal.read_until(lambda: watched.places == places, LONGEST)
            watched.terminal.settle(quiet=REST)
            made.append(len(watched.terminal.written) - seen)
        watched.terminal.close()
    return made


def monitoring(options: argparse.Namespace) -> bool:
    """Bytes and processor time a second while it is looked at, beside others, in turn."""
    missing = [name for name in ("btop", "bmon") if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"{' and '.join(missing)} missing: apt-get install {' '.join(missing)}")
    sides = {
        "vnet-tui, monitor": (OURS, "m"),
        "vnet-tui, networks": (OURS, ""),
        "bmon": (BMON, ""),
        "btop, every two seconds as it comes": (BTOP, ""),
    }
    good = True
    print(f"{options.rows} networks with traffic, 120×40")
    with Arena(
        "benchmarks.lib.interface_traffic", str(options.rows), str(options.seconds)
    ) as arena:
        for name, (command, pressed) in sides.items():
            written, used = arena.ask([command, pressed])
            ours = command is OURS
            holds = not ours or (written <= MONITOR_BYTES and 100 * used <= MONITOR_CPU)
            bound = f"at most {MONITOR_BYTES}, {MONITOR_CPU:g} %" if ours else ""
            figure = f"{written:.0f} B/s {100 * used:5.1f} %"
            good &= _line(f"  {name}", figure, bound, holds=holds)
    return good


def start(options: argparse.Namespace) -> bool:
    """The first full picture on a real daemon, and on an engine in the same process."""
    sides = {"vnet:///system": START, "vnet:///embedded": START, BARE_NAME: None}
    taken: dict[str, list[float]] = {name: [] for name in sides}
    with Arena("benchmarks.lib.interface_start", str(options.networks)) as arena:
        for _ in range(options.runs):
            for name in sides:
                taken[name].append(arena.ask(name))
    return print_report(
        "bare Textual",
        [
            Comparison(
                what=f"painted, {name}",
                unit="ms",
                ours=taken[name],
                peers=taken[BARE_NAME],
                bound=bound,
            )
            for name, bound in sides.items()
            if name != BARE_NAME
        ],
    )


def memory(options: argparse.Namespace) -> bool:
    """What is kept after hours of samples, events and opened screens, by the hour."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    numbers = (options.rows, options.hours, options.hour, options.events, writer)
    terminal = Terminal(
        [sys.executable, "-m", "benchmarks.lib.interface_hours", *map(str, numbers)], 120, 40
    )
    os.close(writer)
    os.set_blocking(reader, False)
    told: list[float] = []
    said = b""
    try:
        while True:
            said = (said + terminal.read(1))[-4000:]
            terminal.written = b""
            try:
                line = os.read(reader, 4096)
            except BlockingIOError:
                continue
            if not line:
                break
            resident, objects, widgets = json.loads(line)
            told.append(resident)
            kept = f"{objects} objects, {widgets} widgets"
            _line(f"memory after hour {len(told)}", f"{resident:.1f} MiB", kept)
    finally:
        terminal.close()
        os.close(reader)
    if len(told) < options.hours:
        raise SystemExit(f"it ended before its time: {said.decode(errors='replace')}")
    ratio = told[-1] / told[0]
    return _line(
        f"  over that after hour 1, {options.rows} networks",
        f"{ratio:.3f}",
        f"at most {MEMORY:g}",
        holds=ratio <= MEMORY,
    )


if __name__ == "__main__":
    sys.exit(main())
