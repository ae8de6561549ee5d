"""What tests with real packets are made of: guests, an outside world, things to ask them."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from vnet_tui.engine.paths import Paths
from vnet_tui.sandbox.namespaces import NamedNamespace, veth


def processes_in(net_namespaces: set[int]) -> dict[int, str]:
    """The processes (by id, with their command lines) that live in these network namespaces."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if (entry / "ns/net").stat().st_ino in net_namespaces:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                found[int(entry.name)] = command
        except OSError:
            continue  # it ended while we looked
    return {pid: command for pid, command in found.items() if command}


class Lab:
    """The host of one test, and the machines around it. All goes with :meth:`close`."""

    def __init__(self, directory: Path) -> None:
        self.paths = Paths(state=directory / "state", run=directory / "run")
        self._machines: dict[str, NamedNamespace] = {}

    def ip(self, *argv: str) -> None:
        """Run ip(8) on the host."""
        subprocess.run(["ip", *argv], check=True)

    def machine(self, name: str) -> NamedNamespace:
        """Another machine, not yet connected to anything."""
        self._machines[name] = made = NamedNamespace(name)
        return made

    def guest(self, name: str, bridge: str, *, mac: str = "") -> NamedNamespace:
        """A machine whose ``eth0`` is plugged into a bridge of the host, as port ``p-NAME``."""
        made = self.machine(name)
        veth(f"p-{name}", "eth0", made, bridge=bridge, mac=mac)
        return made

    def close(self) -> None:
        """Unplug and end everything that runs on the machines."""
        inodes = {machine.path.stat().st_ino for machine in self._machines.values()}
        for pid in processes_in(inodes):
            os.kill(pid, signal.SIGKILL)
        for machine in self._machines.values():
            machine.close()
