"""The daemon's API beside libvirtd's: round trips, memory, and many who follow statistics.

Needs root, libvirt and its Python binding: ``apt-get install --no-install-recommends
libvirt-daemon libvirt-clients python3-libvirt``. Each side runs in private namespaces; nothing of
the machine's own is touched.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from statistics import median

from benchmarks.lib.arena import Arena
from benchmarks.lib.report import Comparison, print_report

SIDES = {"vnet": "benchmarks.lib.api_vnet", "libvirt": "benchmarks.lib.api_libvirt"}
FIGURES = {
    "list": ("list {}, with states", "ms "),
    "look": ("look one of {} up", "ms "),
    "dump": ("document of one of {}", "ms "),
    "command": ("network-list of {}, in all", "ms "),
    "client": ("  the program's processor", "ms "),
    "daemon": ("  the daemon's processor", "ms "),
    "memory": ("daemon's memory with {}", "MiB"),
}
GROUPS = [("list",), ("look",), ("dump",), ("command", "client", "daemon"), ("memory",)]
"""What stands together in the report."""


def main() -> int:
    """Measure both sides, and then streams; 0."""
    parser = argparse.ArgumentParser(prog="benchmarks.api", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 1000, 10000], metavar="N")
    parser.add_argument("--clients", type=int, default=200, help="who follow (%(default)s)")
    parser.add_argument("--stalled", type=int, default=20, help="of those (%(default)s)")
    parser.add_argument("--networks", type=int, default=20, help="that run then (%(default)s)")
    parser.add_argument("--ports", type=int, default=5, help="of each network (%(default)s)")
    parser.add_argument("--seconds", type=int, default=25, help="to follow (%(default)s)")
    options = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("it needs root, for libvirtd")
    _calls(options.sizes)
    _streams(options)
    return 0


def _calls(sizes: list[int]) -> None:
    taken: defaultdict[tuple[str, str, int], list[float]] = defaultdict(list)
    with Arena(SIDES["vnet"]) as ours, Arena(SIDES["libvirt"]) as theirs:
        for size in sizes:
            for name, side in (("vnet", ours), ("libvirt", theirs)):
                for figure, values in side.ask(size).items():
                    taken[name, figure, size] += values
    print_report(
        "libvirt",
        [
            Comparison(
                what=words.format(size),
                unit=unit,
                ours=taken["vnet", figure, size],
                peers=taken["libvirt", figure, size],
            )
            for figures in GROUPS
            for size in sizes
            for figure in figures
            for words, unit in [FIGURES[figure]]
        ],
    )


def _streams(options: argparse.Namespace) -> None:
    numbers = (options.networks, options.ports, options.clients, options.stalled, options.seconds)
    with Arena("benchmarks.lib.api_streams", *map(str, numbers)) as arena:
        told = arena.ask(None)
    slowest = max(max(delays) for delays in told["delays"])
    typical = median(delay for delays in told["delays"] for delay in delays)
    fewest = min(len(delays) for delays in told["delays"])
    print(
        f"\n{options.networks} networks with {options.ports} ports each run; statistics once a "
        f"second, for {options.seconds} s\n"
        f"one client:     delay {median(told['alone']):.1f} ms, "
        f"the daemon's CPU {told['cpu of one']:.1f} %, memory {told['memory']:.1f} MiB\n"
        f"{options.clients} clients, of which {options.stalled} don't read: "
        f"delay {typical:.1f} ms, of the slowest sample of any {slowest:.1f} ms,\n"
        f"  CPU {told['cpu']:.1f} %, {told['grown']:.1f} MiB more\n"
        f"every client that reads got at least {fewest} samples"
    )


if __name__ == "__main__":
    sys.exit(main())
