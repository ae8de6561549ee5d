"""``vnet --stdio``: standard input and output lead to the daemon of this host.

It is what another host's client runs here through ssh; bytes are passed as they are.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys
from pathlib import Path

from vnet_tui.client.way import connected
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.paths import Paths

_PIECE = 64 * 1024


def main() -> int:
    """Pass bytes until the daemon or the client ends. 1 where no daemon answers: the client is
    told so as the answer to its first call."""
    try:
        daemon = connected(_socket())
    except VnetError as error:
        print(f"{error.message} ({error.remedy})", file=sys.stderr)
        return 1
    with daemon:
        _pass(daemon)
    return 0


def _socket() -> Path:
    return Paths.choose().socket


def _pass(daemon: socket.socket) -> None:
    ways = selectors.DefaultSelector()
    ways.register(sys.stdin.fileno(), selectors.EVENT_READ)
    ways.register(daemon, selectors.EVENT_READ)
    while True:
        for key, _ in ways.select():
            if key.fileobj is daemon:
                if not (data := daemon.recv(_PIECE)):
                    return
                while data:
                    data = data[os.write(sys.stdout.fileno(), data) :]
            else:
                data = os.read(sys.stdin.fileno(), _PIECE)
                if not data:
                    return  # nobody waits for answers any more
                daemon.sendall(data)


if __name__ == "__main__":
    sys.exit(main())
