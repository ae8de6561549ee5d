"""``python -m vnet_tui.sandbox.served SOCKET TETHER``: a sandbox for somebody outside of it.

Its daemon listens on the open socket, and all of it ends when the daemon does: at the latest when
the other end of the pipe is closed.
"""

from __future__ import annotations

import functools
import sys

from vnet_tui.sandbox.init import PATHS
from vnet_tui.sandbox.launch import launch
from vnet_tui.sandbox.networks import engine_starter


def main() -> int:
    """Run until the daemon has ended."""
    socket, tether = (int(given) for given in sys.argv[1:])
    until_daemon_ends = ["flock", "--shared", str(PATHS.daemon_lock), "true"]
    starter = functools.partial(engine_starter, socket=socket, tether=tether)
    return launch(until_daemon_ends, starter)


if __name__ == "__main__":
    sys.exit(main())
