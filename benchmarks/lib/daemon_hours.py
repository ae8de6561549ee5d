"""Hours of a daemon's events in seconds.

Run as a module inside an :class:`~benchmarks.lib.arena.Arena`, with the number of networks. A
question is a number of events: so many ports come and go while clients follow, ask, edit and
leave. The answer is the daemon's memory in MiB when all have left.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

from benchmarks.lib import arena
from benchmarks.lib.api_vnet import start_daemon
from benchmarks.lib.bringup_rounds import Plan
from benchmarks.lib.processes import proportional_memory
from benchmarks.lib.vnet import document
from vnet_tui import client
from vnet_tui.client.connection import Connection

PORTS = 20
"""So many come at once, and go at once."""

VISITORS = 5
"""So many clients come and go with every batch of ports; the interface is one of them."""


async def _follow(streams: list[Any]) -> None:
    async def drain(stream: Any) -> None:
        async for _ in stream:
            pass

    async with asyncio.TaskGroup() as group:
        for stream in streams:
            group.create_task(drain(stream))


async def _visit(number: int, plans: list[Plan]) -> None:
    """What an interface asks, what a change takes, and following."""
    connection: Connection = await client.open("vnet:///system")
    following = asyncio.create_task(_follow([connection.samples(), connection.events()]))
    try:
        plan = plans[number % len(plans)]
        await connection.networks()
        await connection.past_events()
        await connection.history(plan.name)
        await connection.guests(plan.name)
        await connection.rules(plan.name)
        if number % 5 == 0:
            text = await connection.xml(plan.name, inactive=True)
            name = f"<name>{plan.name}</name>"
            title = f"{name}<title>edit {number}</title>"
            head, _, tail = text.partition(name)
            if "<title>" in tail:
                tail = tail[: tail.index("<title>")] + tail[tail.index("</title>") + 8 :]
            await connection.define(head + title + tail)
            await connection.apply(plan.name)
        await asyncio.sleep(0.2)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await connection.close()


def _ports(plans: list[Plan], number: int, *, come: bool) -> None:
    bridge = plans[number % len(plans)].bridge
    lines = [
        f"link add p{port} type veth peer name q{port}\nlink set p{port} master {bridge} up\n"
        if come
        else f"link del p{port}\n"
        for port in range(PORTS)
    ]
    subprocess.run(["ip", "-batch", "-"], input="".join(lines), text=True, check=True)


async def _start(plans: list[Plan]) -> None:
    connection = await client.open("vnet:///system")
    for plan in plans:
        await connection.define(document(plan))
    await connection.start([plan.name for plan in plans])
    await connection.close()


async def _hour(plans: list[Plan], events: int) -> None:
    for number in range(events // (2 * PORTS)):
        for come in (True, False):
            await asyncio.to_thread(_ports, plans, number, come=come)
            await asyncio.gather(
                *(_visit(number * VISITORS + visitor, plans) for visitor in range(VISITORS))
            )


def main() -> None:
    """Answer questions."""
    daemon = start_daemon()
    plans = [Plan(number) for number in range(int(sys.argv[1]))]
    asyncio.run(_start(plans))
    for events in arena.questions():
        asyncio.run(_hour(plans, int(events)))
        arena.answer(proportional_memory([daemon.pid]) / (1024 * 1024))


if __name__ == "__main__":
    main()
