"""What is really loaded, in a fresh interpreter: import-linter sees no import that is computed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vnet_tui.assets import examples

INTERFACE = {"textual", "rich"}
SLOW = {"pyroute2", "iptc"}
VNET = "import sys; from vnet_tui.cli.main import main; assert main(sys.argv[1:]) == 0"


def loaded(code: str, *arguments: str, environ: dict[str, str] | None = None) -> set[str]:
    """The top-level modules that are there when this code has run with these arguments."""
    report = "import sys; print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | (environ or {}),
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize(
    "module",
    [
        "vnet_tui.engine",
        "vnet_tui.engine.engine",
        "vnet_tui.client.local",
        "vnet_tui.daemon.main",
        "vnet_tui.sandbox.launch",
    ],
)
def test_what_needs_no_screen_loads_none(module: str) -> None:
    assert not loaded(f"import {module}") & (INTERFACE | SLOW)


def test_a_list_of_networks_loads_neither_interface_nor_netlink(tmp_path: Path) -> None:
    places = {"VNET_STATE_DIR": str(tmp_path / "state"), "VNET_RUN_DIR": str(tmp_path / "run")}
    loaded(VNET, "network-define", str(examples() / "foo.xml"), environ=places)
    brought = loaded(VNET, "network-list", "--all", environ=places)
    assert not brought & (INTERFACE | SLOW)


def test_who_asks_a_daemon_loads_no_engine() -> None:
    assert "asyncio" not in loaded("import vnet_tui.client.blocking")
    brought = loaded("import vnet_tui.client.remote, vnet_tui.client.stream")
    assert not brought & (INTERFACE | SLOW | {"lxml", "asyncinotify"})
    engine = {"vnet_tui.engine.engine", "vnet_tui.engine.model"}
    loaded(f"import vnet_tui.client.remote, sys; assert not sys.modules.keys() & {engine!r}")


def test_the_version_is_told_at_once() -> None:
    """``vnet-tui --version`` loads no interface: on a slow machine that would take a second."""
    tell = (
        "import sys; from vnet_tui.__main__ import main\n"
        "try: main(['--version'])\n"
        "except SystemExit as end: assert not end.code"
    )
    assert not loaded(tell) & (INTERFACE | SLOW | {"lxml", "asyncio"})


@pytest.mark.parametrize(
    "words", [["--version"], ["--help"], ["network-list", "--help"], ["--complete", "words", "net"]]
)
def test_what_asks_nobody_loads_nothing_to_ask_with(words: list[str]) -> None:
    """Completion is run at each press of a key."""
    assert not loaded(VNET, *words) & {"asyncio", "dataclasses", "json", "pathlib", "socket"}
