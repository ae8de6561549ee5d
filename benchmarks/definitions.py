"""10,000 definitions: loaded, listed, and in the table of the interface.

Run it with ``python -m benchmarks.definitions`` from the checkout, as root: the interface runs in
a private namespace, on directories of its own. It takes about two minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID, uuid5

from lxml import etree

from benchmarks.lib.report import Comparison, print_report
from benchmarks.wire import Terminal
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.store import Store

SPACE = UUID("51d1a5f4-8a8e-4f1c-9d9b-3a8a6b8b4b10")

DOCUMENT = """<network>
  <name>net{number:05}</name>
  <uuid>{uuid}</uuid>
  <bridge name="vn{number:05}"/>
  <dns domain="net{number:05}.test"/>
  <dhcp>
    <ip address="{base}1" prefix="28" start="{base}4" end="{base}12"/>
    <host mac="52:54:00:{high:02x}:{low:02x}:01" name="web" address="{base}2"/>
  </dhcp>
  <forwarding mode="nat">
    <incoming default="deny"/>
    <outgoing default="allow"><deny port="25"/></outgoing>
  </forwarding>
</network>
"""

REAL = """
import sys
from vnet_tui.sandbox import namespaces
namespaces.unshare(namespaces.CLONE_NEWNET | namespaces.CLONE_NEWNS)
namespaces.make_mounts_private()
from vnet_tui.__main__ import main
sys.exit(main(["--state-dir", {state!r}, "--run-dir", {run!r}]))
"""

BARE = """
from textual.app import App
from textual.widgets import DataTable

class Bare(App):
    def compose(self):
        yield DataTable()
    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("name", "state", "subnet", "bridge", "guests", "in", "out", "last")
        for number in range({count}):
            table.add_row(f"net{{number:05}}", *["something"] * 7)

Bare().run()
"""


def write_definitions(directory: Path, count: int) -> None:
    """As many files as an administrator with a script would make; 10.x.y.0/28 each."""
    directory.mkdir(parents=True)
    for number in range(count):
        uuid = uuid5(SPACE, str(number))
        text = DOCUMENT.format(
            number=number,
            uuid=uuid,
            base=f"10.{number // 250}.{number % 250}.",
            high=number // 256,
            low=number % 256,
        )
        (directory / f"{uuid}.xml").write_text(text)


def milliseconds(act: Callable[[], object]) -> float:
    """How long something takes, in milliseconds."""
    begun = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - begun)


def only_xml(directory: Path) -> None:
    """What reading the files costs without understanding them."""
    for path in sorted(directory.iterdir()):
        etree.fromstring(path.read_bytes())


def command(paths: Paths) -> None:
    """``vnet network-list --all``, as a whole process."""
    where = ["--state-dir", str(paths.state), "--run-dir", str(paths.run)]
    listing = ["network-list", "--all"]
    subprocess.run(
        [sys.executable, "-m", "vnet_tui.cli.main", *where, *listing],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def paint(code: str) -> float:
    """Milliseconds until a program shows the tenth row."""
    terminal = Terminal(code)
    try:
        return 1000 * terminal.wait_for(b"net00009", 60)
    finally:
        terminal.close()


def measure(paths: Paths, few: Paths, runs: int, count: int) -> list[Comparison]:
    """All figures; the sides take turns."""
    warm = Store(paths)
    warm.load()
    figures: list[list[float]] = [[] for _ in range(8)]
    real = REAL.format(state=str(paths.state), run=str(paths.run))
    acts: list[Callable[[], float]] = [
        lambda: milliseconds(lambda: Store(paths).load()),
        lambda: milliseconds(lambda: only_xml(paths.definitions)),
        lambda: milliseconds(warm.load),
        lambda: milliseconds(lambda: only_xml(paths.definitions)),
        lambda: milliseconds(lambda: command(paths)),
        lambda: milliseconds(lambda: command(few)),
        lambda: paint(real),
        lambda: paint(BARE.format(count=count)),
    ]
    for _ in range(runs):
        for act, into in zip(acts, figures, strict=True):
            into.append(act())
    names = (
        "load, first time (lxml alone)",
        "load again (lxml alone)",
        "vnet network-list (of ten)",
        "table painted (bare DataTable)",
    )
    return [
        Comparison(what=name, unit="ms", ours=figures[2 * at], peers=figures[2 * at + 1])
        for at, name in enumerate(names)
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Make the definitions, measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.definitions", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(argv)
    if os.geteuid() != 0:
        raise SystemExit("this needs root: the interface makes a network namespace for itself")
    with tempfile.TemporaryDirectory() as directory:
        paths = Paths(state=Path(directory, "state"), run=Path(directory, "run"))
        few = Paths(state=Path(directory, "few"), run=Path(directory, "run"))
        write_definitions(paths.definitions, options.count)
        write_definitions(few.definitions, 10)
        print_report("peer", measure(paths, few, options.runs, options.count))


if __name__ == "__main__":
    main()
