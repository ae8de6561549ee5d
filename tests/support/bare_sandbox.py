"""A sandbox whose networks are bare bridges: for tests of the sandbox itself, without an engine.

``python -m tests.support.bare_sandbox COMMAND...``; BARE_SANDBOX in the environment may be
``fails`` (its networks don't start), ``breaks`` (something is in the way of the world), or
``waits`` (for ever, before its networks start).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from vnet_tui.engine.errors import VnetError
from vnet_tui.sandbox.launch import launch
from vnet_tui.sandbox.networks import ACTIVE


def starter(_directory: Path) -> Callable[[], Mapping[str, str]]:
    behaviour = os.environ.get("BARE_SANDBOX")
    if behaviour == "breaks":
        subprocess.run(["ip", "link", "add", "uplink0", "type", "bridge"], check=True)

    def start() -> Mapping[str, str]:
        if behaviour == "fails":
            raise VnetError("no bridges today")
        if behaviour == "waits":
            print("waiting", flush=True)
            signal.pause()
        bridges = {name: f"br-{name.lower()}" for name in ACTIVE}
        for bridge in bridges.values():
            subprocess.run(["ip", "link", "add", bridge, "up", "type", "bridge"], check=True)
        return bridges

    return start


if __name__ == "__main__":
    sys.exit(launch(sys.argv[1:], starter))
