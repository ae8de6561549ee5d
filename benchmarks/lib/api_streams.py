"""Many clients that follow the statistics of a daemon, some of which stop reading.

Run as a module inside an :class:`~benchmarks.lib.arena.Arena`, with the numbers of networks, of
ports of each, of clients, of those that stop reading, and of seconds. The answer to the one
question is what it cost the daemon, and the delay of each sample at each client that reads.
"""

from __future__ import annotations

import asyncio
import json
import re
import selectors
import socket
import subprocess
import sys
import time

from benchmarks.lib import arena
from benchmarks.lib.api_vnet import start_daemon
from benchmarks.lib.bringup_rounds import Plan
from benchmarks.lib.processes import processor_time, proportional_memory
from benchmarks.lib.vnet import document
from vnet_tui import client

MIB = 1024 * 1024
_CALL = json.dumps({"method": "io.vnet.Manager.Samples", "more": True}).encode() + b"\0"
_TIME = re.compile(rb'"result":\{"time":([0-9.]+)')


class Follower:
    """A client that follows the statistics; ``delays`` are in ms."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.socket.sendall(_CALL)
        self.delays: list[float] = []
        self._tail = b""

    def read(self) -> None:
        """Take what has come; a sample counts when its end is there."""
        data = self._tail + self.socket.recv(1 << 20)
        whole, end, self._tail = data.rpartition(b"\0")
        if end:
            now = time.time()
            for found in _TIME.finditer(whole):
                self.delays.append((now - float(found[1])) * 1000)


async def _start(plans: list[Plan]) -> None:
    connection = await client.open("vnet:///system")
    for plan in plans:
        await connection.define(document(plan))
    await connection.start([plan.name for plan in plans])
    await connection.close()


def _plug(plans: list[Plan], ports: int) -> None:
    lines = [
        f"link add p{plan.number}-{port} type veth peer name q{plan.number}-{port}\n"
        f"link set p{plan.number}-{port} master {plan.bridge} up\n"
        for plan in plans
        for port in range(ports)
    ]
    subprocess.run(["ip", "-batch", "-"], input="".join(lines), text=True, check=True)


def _follow(healthy: list[Follower], seconds: float) -> None:
    ways = selectors.DefaultSelector()
    for one in healthy:
        ways.register(one.socket, selectors.EVENT_READ, one)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for key, _ in ways.select(left):
            key.data.read()


def main() -> None:
    """Answer the one question."""
    networks, ports, clients, stalled, seconds = map(int, sys.argv[1:])
    daemon = start_daemon()
    plans = [Plan(number) for number in range(networks)]
    asyncio.run(_start(plans))
    _plug(plans, ports)
    path = "/run/vnet/vnetd.sock"
    for _ in arena.questions():
        alone = [Follower(path)]
        _follow(alone, seconds / 2)
        before, began = processor_time(daemon.pid), time.monotonic()
        _follow(alone, seconds / 2)
        one_cpu = (processor_time(daemon.pid) - before) / (time.monotonic() - began)
        memory = proportional_memory([daemon.pid])
        followers = [Follower(path) for _ in range(clients)]
        healthy = followers[stalled:]
        _follow(healthy, 2)
        for one in healthy:
            one.delays.clear()
        before, began = processor_time(daemon.pid), time.monotonic()
        _follow(healthy, seconds)
        cpu = (processor_time(daemon.pid) - before) / (time.monotonic() - began)
        grown = proportional_memory([daemon.pid]) - memory
        arena.answer(
            {
                "cpu of one": one_cpu * 100,
                "cpu": cpu * 100,
                "memory": memory / MIB,
                "grown": grown / MIB,
                "alone": alone[0].delays,
                "delays": [one.delays for one in healthy],
            }
        )


if __name__ == "__main__":
    main()
