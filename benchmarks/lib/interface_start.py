"""The interface started on many definitions, beside a bare Textual application.

Run as a module inside an :class:`~benchmarks.lib.arena.Arena`, with the number of definitions. A
question is whose networks: the URI of a daemon, that of an engine in the interface, or "bare". The
answer is the milliseconds until the table is painted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.definitions import BARE, write_definitions
from benchmarks.lib import arena
from benchmarks.lib.api_vnet import start_daemon
from benchmarks.wire import Terminal
from vnet_tui.engine.paths import Paths

BARE_NAME = "bare"
LAST = b"net00012"
"""The last row that has room beside the detail, at 120 columns and 40 rows."""


def main(count: int) -> None:
    """Answer questions."""
    definitions = Paths(state=Path("/run/state"), run=Path("/run/vnet")).definitions
    daemon = start_daemon(lambda: write_definitions(definitions, count))
    try:
        for whose in arena.questions():
            os.environ["VNET_URI"] = "" if whose == BARE_NAME else whose
            bare = BARE.format(count=count)
            ours = [sys.executable, "-m", "vnet_tui"]
            terminal = Terminal(bare if whose == BARE_NAME else ours)
            try:
                arena.answer(1000 * terminal.wait_for(LAST, 60))
            finally:
                terminal.close()
    finally:
        daemon.kill()
        daemon.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
