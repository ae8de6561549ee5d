"""The names of networks, in the time that a person waits for completion: without all that makes
more of an answer than its names.
"""

from __future__ import annotations

import contextlib

from vnet_tui.client.blocking import BlockingChannel, finished
from vnet_tui.client.way import connected
from vnet_tui.engine.errors import ConnectionLostError, VnetError
from vnet_tui.engine.paths import Paths
from vnet_tui.protocol import INTERFACE
from vnet_tui.protocol.messages import BadMessageError, pack, unpack

PATIENCE = 1.0
"""Seconds for which a daemon may think; one that starts just now takes longer."""


def network_names(paths: Paths) -> list[str]:
    """What the daemon of this host knows; where there is none, what an engine here does. Nothing
    where neither tells."""
    with contextlib.suppress(VnetError, BadMessageError):
        return _of_daemon(paths)
    with contextlib.suppress(OSError, VnetError):
        from vnet_tui.engine.catalog import Catalog

        return [info.name for info in Catalog(paths).infos()]
    return []


def _of_daemon(paths: Paths) -> list[str]:
    """Raises VnetError where no daemon answers in time, or it refuses."""
    channel = BlockingChannel(connected(paths.socket), PATIENCE)
    channel.write(pack({"method": f"{INTERFACE}.Networks"}))
    message = finished(channel.receive())
    channel.close()
    reply = {} if message is None else unpack(message)
    if "parameters" not in reply or "error" in reply:
        raise ConnectionLostError("the daemon tells no names")
    return [network["name"] for network in reply["parameters"].get("result", [])]
