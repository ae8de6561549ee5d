"""Our API: a client of vnetd's, in private namespaces with it.

Run as a module inside an :class:`~benchmarks.lib.arena.Arena`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from benchmarks.lib import api_calls, arena
from benchmarks.lib.bringup_rounds import Plan
from benchmarks.lib.vnet import document
from vnet_tui import client
from vnet_tui.client.connection import Connection
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.store import Store
from vnet_tui.engine.xml import parse


def start_daemon(prepare: Callable[[], object] | None = None) -> subprocess.Popen[str]:
    """A vnetd with empty directories, or with what ``prepare`` puts there, ready."""
    arena.empty_directories(["/run"])
    if prepare is not None:
        prepare()
    os.environ.update(VNET_STATE_DIR="/run/state", VNET_RUN_DIR="/run/vnet")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    daemon = subprocess.Popen(
        [sys.executable, "-m", "vnet_tui.daemon.main", "--journal", "/run/no-journal"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    if daemon.stdout is None or "ready" not in daemon.stdout.readline():
        raise SystemExit("vnetd doesn't start")
    daemon.stdout.close()
    return daemon


class Vnet:
    """vnetd and a connection to it, made anew for each number of networks."""

    def __init__(self) -> None:
        self._defined: list[Plan] = []
        self._daemon: subprocess.Popen[str] | None = None
        self._runner = asyncio.Runner()
        self._connection: Connection

    def define(self, plans: list[Plan]) -> None:
        self._defined += plans
        if self._daemon is not None:
            self._runner.run(self._connection.close())
            self._daemon.terminate()
            self._daemon.wait()
        self._daemon = start_daemon(self._write)
        self._connection = self._runner.run(client.open("vnet:///system"))

    def _write(self) -> None:
        store = Store(Paths(state=Path("/run/state"), run=Path("/run/vnet")))
        for plan in self._defined:
            store.save(replace(parse(document(plan)), uuid=uuid4()))

    def list_all(self) -> int:
        return len(self._runner.run(self._connection.networks()))

    def look_up(self, name: str) -> None:
        self._runner.run(self._connection.network(name))

    def dump(self, name: str) -> None:
        self._runner.run(self._connection.xml(name))

    def command(self) -> None:
        command = [str(Path(sys.executable).with_name("vnet")), "network-list", "--all"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    def pid(self) -> int:
        if self._daemon is None:
            raise SystemExit("no networks were defined yet")
        return self._daemon.pid


if __name__ == "__main__":
    api_calls.serve(Vnet)
