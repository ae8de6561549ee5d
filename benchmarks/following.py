"""How long after a lease the rules that name its guest lead to it.

Run it with ``python -m benchmarks.following`` from the checkout, as root; it works in namespaces of
its own. It needs dnsmasq, nft(8) and ip(8).
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from uuid import UUID

from benchmarks.lib.private_host import enter_private_host
from tests.support.networks import document
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.paths import Paths

FORWARDER = '<dns><forwarder address="192.0.2.53"/></dns>'
"""With one, a dnsmasq needs no inotify instance, of which a host has 128."""


def _network(number: int) -> str:
    """A network with a forward to a guest that isn't known yet."""
    forward = f'<allow port="{2000 + number}" protocol="tcp" domain="web" destport="80"/>'
    policy = f"<forwarding><incoming>{forward}</incoming></forwarding>"
    return document(f"n{number}", FORWARDER, policy, address=f"10.50.{number}.1")


async def measure(size: int, leases: int) -> None:
    """One network's guest gets address after address, among so many that run."""
    with tempfile.TemporaryDirectory() as directory:
        paths = Paths(state=Path(directory, "state"), run=Path(directory, "run"))
        async with Engine(paths) as engine:
            infos = [await engine.define(_network(number)) for number in range(size)]
            uuids = [info.uuid for info in infos]
            await engine.start(uuids)
            await engine.watch()
            await asyncio.sleep(2)  # what a start leaves to do isn't what is measured
            times = await _follow(paths, uuids[0], leases)
            print(f"{size:>5} networks{median(times):>10.1f} ms{max(times):>10.1f} ms")
            await engine.stop(uuids)


async def _follow(paths: Paths, uuid: UUID, leases: int) -> list[float]:
    monitor = await asyncio.create_subprocess_exec("nft", "monitor", stdout=subprocess.PIPE)
    if monitor.stdout is None:
        raise AssertionError("it was asked for a pipe")
    await asyncio.sleep(0.5)
    times = []
    for number in range(leases):
        address, until = f"10.50.0.{100 + number}", int(time.time()) + 3600
        line = f"{until} 52:54:00:00:00:01 {address} web 01:52:54:00:00:00:01\n"
        began = time.monotonic()
        paths.lease_file(uuid).write_text(line)
        async with asyncio.timeout(10):
            while address.encode() not in await monitor.stdout.readline():
                pass
        times.append((time.monotonic() - began) * 1000)
        await asyncio.sleep(0.7)
    monitor.kill()
    await monitor.wait()
    return times


def main() -> int:
    """Measure with each number of networks."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.following", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--leases", type=int, default=12, help="how many each (%(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 100], metavar="N")
    options = parser.parse_args()
    enter_private_host(parser)
    print("from the lease file to the rule in the kernel: median, worst")
    for size in options.sizes:
        asyncio.run(measure(size, options.leases))
    return 0


if __name__ == "__main__":
    sys.exit(main())
