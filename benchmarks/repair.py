"""How long what others break stays broken, and what looking after it costs.

Run it with ``python -m benchmarks.repair`` from the checkout, as root; it works in namespaces of
its own. It needs dnsmasq, nft(8) and ip(8).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import median

from benchmarks.lib.private_host import enter_private_host
from tests.support.inventory import processes_here
from tests.support.networks import document
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import Event, EventKind

IDLE_SECONDS = 20.0

FORWARDER = '<dns><forwarder address="192.0.2.53"/></dns>'
"""With one, a dnsmasq needs no inotify instance, of which a host has 128."""

Break = Callable[[Paths], None]


def _sh(command: str) -> Break:
    def run(_: Paths) -> None:
        subprocess.run(["sh", "-euc", command], check=True)

    return run


def _kill_dnsmasq(_: Paths) -> None:
    for pid, line in processes_here().items():
        if "dnsmasq" in line:
            os.kill(pid, signal.SIGKILL)
            return


def _remove_config(paths: Paths) -> None:
    shutil.rmtree(next(iter(paths.dnsmasq.iterdir())))


BREAKS: dict[str, Break] = {
    "bridge deleted": _sh("ip link del vn-n0"),
    "bridge brought down": _sh("ip link set vn-n0 down"),
    "address removed": _sh("ip address del 10.50.0.1/24 dev vn-n0"),
    "MTU changed": _sh("ip link set vn-n0 mtu 1400"),
    "spanning tree switched on": _sh("ip link set vn-n0 type bridge stp_state 1"),
    "mark removed": _sh("ip link set vn-n0 alias ''"),
    "ruleset flushed": _sh("nft flush ruleset"),
    "dnsmasq killed": _kill_dnsmasq,
    "files of dnsmasq removed": _remove_config,
    "setting of a bridge changed": _sh("echo 0 > /proc/sys/net/ipv4/conf/vn-n0/route_localnet"),
    "ip_forward cleared": _sh("sysctl -qw net.ipv4.ip_forward=0"),
}


async def measure(size: int, rounds: int) -> None:
    """Break and let mend, with so many networks."""
    directory = Path(tempfile.mkdtemp(dir="/run"))
    paths = Paths(state=directory / "state", run=directory / "run")
    rule = '<allow port="123" domain="web" destport="321"/>'
    forward = f"<forwarding><incoming>{rule}</incoming></forwarding>"
    async with Engine(paths) as engine:
        names = [f"n{number}" for number in range(size)]
        for number, name in enumerate(names):
            own = [FORWARDER, *([forward] if number == 0 else [])]
            await engine.define(document(name, *own, address=f"10.{50 + number}.0.1"))
        await engine.start(names)
        try:
            await _measure(engine, size, rounds)
        finally:
            await engine.stop(names)


async def _measure(engine: Engine, size: int, rounds: int) -> None:
    await engine.watch()
    await asyncio.sleep(1)
    events = engine.events()
    for what, broken in BREAKS.items():
        taken, cost = [], []
        for _ in range(rounds):
            cpu = time.process_time()
            await asyncio.to_thread(broken, engine.paths)
            since = time.perf_counter()
            await _recovered(events)
            taken.append(1000 * (time.perf_counter() - since))
            await asyncio.sleep(1)  # what the repair itself sets off is looked at
            cost.append(1000 * (time.process_time() - cpu))
        print(
            f"{what:<30}{size:>5}{median(taken):>10.0f}{max(taken):>10.0f}{median(cost):>10.0f}",
            flush=True,
        )
    cpu = time.process_time()
    await asyncio.sleep(IDLE_SECONDS)
    share = 100 * (time.process_time() - cpu) / IDLE_SECONDS
    print(f"{'nothing happens: % of a core':<30}{size:>5}{share:>30.2f}")


async def _recovered(events: AsyncIterator[Event]) -> None:
    async with asyncio.timeout(20):
        async for event in events:
            if event.kind is EventKind.FAILED:
                raise RuntimeError(event.message)
            if event.kind is EventKind.RECOVERED:
                return


def main() -> int:
    """Measure each kind with each number of networks."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.repair", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=3, help="how many times each (%(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 100], metavar="N")
    options = parser.parse_args()
    enter_private_host(parser)
    print(f"{'broken':<30}{'nets':>5}{'ms':>10}{'worst':>10}{'ms CPU':>10}")
    for size in options.sizes:
        asyncio.run(measure(size, options.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
