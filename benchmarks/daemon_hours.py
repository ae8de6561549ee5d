"""What a daemon keeps of hours of events, by the hour.

Run it with ``python -m benchmarks.daemon_hours`` from the checkout, as root: the daemon runs in
namespaces of its own. An hour takes half a minute, with 800 events, and 200 clients that follow,
ask everything that an interface asks, and leave; one in five of them edits a network.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from benchmarks.lib.arena import Arena

FLAT = 1.05
"""Memory after all hours, at most, over that after the first."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and tell whether the bound holds: 0 or 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.daemon_hours")
    parser.add_argument("--networks", type=int, default=10)
    parser.add_argument("--hours", type=int, default=8)
    parser.add_argument("--events", type=int, default=800, help="an hour")
    options = parser.parse_args(argv)
    if os.geteuid() != 0:
        parser.error("this needs root")
    told = []
    with Arena("benchmarks.lib.daemon_hours", str(options.networks)) as arena:
        for hour in range(1, options.hours + 1):
            told.append(arena.ask(options.events))
            print(f"memory after hour {hour}: {told[-1]:.1f} MiB", flush=True)
    ratio = told[-1] / told[0]
    print(f"over that after hour 1: {ratio:.3f}, at most {FLAT:g}")
    return 0 if ratio <= FLAT else 1


if __name__ == "__main__":
    sys.exit(main())
