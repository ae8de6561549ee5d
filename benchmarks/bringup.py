"""Start and stop many networks, beside libvirt: times and memory, as ratios of medians.

Needs root, and libvirt: ``apt-get install libvirt-daemon libvirt-clients``. Each side runs in
private namespaces; nothing of the machine's own is touched.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict

from benchmarks.lib.arena import Arena
from benchmarks.lib.report import Comparison, print_report

SIDES = {"vnet": "benchmarks.lib.vnet", "libvirt": "benchmarks.lib.libvirt"}
BOUNDS = {("start", 100): 0.15, ("stop", 100): 0.2, ("memory", 100): 0.5}
FIGURES = {
    "start": ("start {}", "ms "),
    "stop": ("stop and undefine {}", "ms "),
    "memory": ("memory with {}", "MiB"),
    "own": ("  of its own process", "MiB"),
    "dnsmasqs": ("  of its dnsmasqs", "MiB"),
}


def main() -> int:
    """Run the rounds, sides taking turns, and print the table; 1 when a bound is exceeded."""
    parser = argparse.ArgumentParser(prog="benchmarks.bringup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how many times each (%(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 20, 100], metavar="N")
    options = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("it needs root, for libvirtd")
    taken: defaultdict[tuple[str, str, int], list[float]] = defaultdict(list)
    with Arena(SIDES["vnet"]) as ours, Arena(SIDES["libvirt"]) as theirs:
        sides = {"vnet": ours, "libvirt": theirs}
        for side in sides.values():
            side.ask(1)  # loads what is loaded with the first network
        for size in options.sizes:
            for _ in range(options.rounds):
                for name, side in sides.items():
                    for figure, value in side.ask(size).items():
                        taken[name, figure, size].append(value)
    comparisons = [
        Comparison(
            what=words.format(size),
            unit=unit,
            ours=taken["vnet", figure, size],
            peers=taken["libvirt", figure, size],
            bound=BOUNDS.get((figure, size)),
        )
        for figures in (("start",), ("stop",), ("memory", "own", "dnsmasqs"))
        for size in options.sizes
        for figure in figures
        for words, unit in [FIGURES[figure]]
    ]
    return 0 if print_report("libvirt", comparisons) else 1


if __name__ == "__main__":
    sys.exit(main())
