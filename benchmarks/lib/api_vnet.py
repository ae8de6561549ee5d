"""Our API: a client of vnetd's, in private namespaces with it.

Run as a module inside an :class:`~benchmarks.lib.arena.Arena`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable

from benchmarks.lib import api_calls, arena
from benchmarks.lib.bringup_rounds import Plan
from benchmarks.lib.vnet import document
from vnet_tui import client


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
    """vnetd and a connection to it."""

    def __init__(self) -> None:
        self._daemon = start_daemon()
        self._runner = asyncio.Runner()
        self._connection = self._runner.run(client.open("vnet:///system"))

    def define(self, plans: list[Plan]) -> None:
        async def define() -> None:
            for plan in plans:
                await self._connection.define(document(plan))

        self._runner.run(define())

    def list_all(self) -> int:
        return len(self._runner.run(self._connection.networks()))

    def look_up(self, name: str) -> None:
        self._runner.run(self._connection.network(name))

    def dump(self, name: str) -> None:
        self._runner.run(self._connection.xml(name))

    def command(self) -> None:
        command = [sys.executable, "-m", "vnet_tui.cli.main", "network-list", "--all"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    def pid(self) -> int:
        return self._daemon.pid


if __name__ == "__main__":
    api_calls.serve(Vnet)
