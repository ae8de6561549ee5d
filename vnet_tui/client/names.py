"""The names of networks, in the time that a person waits for completion: without an event loop."""

from __future__ import annotations

import contextlib
import json
import socket

from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.paths import Paths
from vnet_tui.protocol import INTERFACE

PATIENCE = 1.0
"""Seconds for which a daemon may think; one that starts just now takes longer."""


def network_names(paths: Paths) -> list[str]:
    """What the daemon of this host knows; where there is none, what an engine here does. Nothing
    where neither tells."""
    try:
        return _of_daemon(paths)
    except (OSError, ValueError):
        pass
    with contextlib.suppress(OSError, VnetError):
        from vnet_tui.engine.catalog import Catalog

        return [info.name for info in Catalog(paths).infos()]
    return []


def _of_daemon(paths: Paths) -> list[str]:
    """Raises OSError where no daemon answers in time, ValueError where it refuses."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.settimeout(PATIENCE)
        made.connect(str(paths.socket))
        made.sendall(json.dumps({"method": f"{INTERFACE}.Networks"}).encode() + b"\0")
        reply = b""
        while not reply.endswith(b"\0"):
            part = made.recv(1 << 16)
            if not part:
                raise ConnectionResetError
            reply += part
    answer = json.loads(reply[:-1])
    if "error" in answer:
        raise ValueError(answer["error"])
    return [network["name"] for network in answer["parameters"]["result"]]
