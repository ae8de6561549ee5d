"""libvirt's API: a client of libvirtd's, in private namespaces with it.

Run as a module inside an :class:`~benchmarks.lib.arena.Arena`.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

from benchmarks.lib import api_calls
from benchmarks.lib.bringup_rounds import Plan
from benchmarks.lib.libvirt import URI, Libvirt, document

_DEBIAN = "/usr/lib/python3/dist-packages"


class Client:
    """libvirtd, and its Python binding connected with it."""

    def __init__(self) -> None:
        sys.path.append(_DEBIAN)
        try:
            binding: Any = importlib.import_module("libvirt")
        except ImportError:
            raise SystemExit("libvirt-python is missing: apt-get install python3-libvirt") from None
        self._libvirt = Libvirt()
        self._connection = binding.open(URI)

    def define(self, plans: list[Plan]) -> None:
        for plan in plans:
            self._connection.networkDefineXML(document(plan))

    def list_all(self) -> int:
        found = self._connection.listAllNetworks(0)
        for one in found:
            (one.name(), one.UUIDString(), one.isActive(), one.autostart())
        return len(found)

    def look_up(self, name: str) -> None:
        found = self._connection.networkLookupByName(name)
        (found.isActive(), found.autostart())

    def dump(self, name: str) -> None:
        self._connection.networkLookupByName(name).XMLDesc(0)

    def command(self) -> None:
        command = ["virsh", "-c", URI, "net-list", "--all"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    def pid(self) -> int:
        return self._libvirt.pid()


if __name__ == "__main__":
    api_calls.serve(Client)
