"""Networks that run, each with a port and traffic that changes every second: to be looked at.

Run as a module inside an :class:`~benchmarks.lib.arena.Arena`, with the number of networks and of
seconds. A question is a name and a command with the keys to press in it; the answer is what the
program wrote and what processor time it took, both a second.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks.lib import arena
from benchmarks.wire import Terminal
from vnet_tui import client

WARM = 8.0
"""Seconds for a program to come to rest but for its figures."""

TURN = 0.1
MOST = 12
"""Every ``TURN`` seconds each port gets up to so many packets."""

_FRAME = bytes.fromhex("ffffffffffff020000000001") + b"\x88\xb5" + b"x" * 1000
"""To everybody on the bridge; 88B5 is for experiments (IEEE 802)."""


def bridge(number: int) -> str:
    """The bridge of a network."""
    return f"vb-{number:02}"


async def _start(count: int) -> None:
    connection = await client.open(client.EMBEDDED)
    names = [f"net{number:05}" for number in range(count)]
    for number, name in enumerate(names):
        await connection.define(
            f"<network><name>{name}</name><bridge name='{bridge(number)}' stp='false'/></network>"
        )
    await connection.start(names)
    await connection.close()


def _plug(count: int) -> None:
    lines = [
        f"link add p{number:02} type veth peer name q{number:02}\n"
        f"link set p{number:02} master {bridge(number)} up\n"
        f"link set q{number:02} up\n"
        for number in range(count)
    ]
    subprocess.run(["ip", "-batch", "-"], input="".join(lines), text=True, check=True)


def _send(count: int) -> None:
    """Traffic, for ever, from both ends of each cable's port."""
    sockets = []
    for name in (f"{end}{number:02}" for number in range(count) for end in "pq"):
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        made.bind((name, 0))
        sockets.append(made)
    while True:
        for made in sockets:
            for _ in range(random.randrange(MOST)):  # noqa: S311 - traffic is no secret
                made.send(_FRAME)
        time.sleep(TURN)


def processor_seconds(pid: int) -> float:
    """What a process has used so far (proc(5), utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch(command: list[str], keys: str, seconds: float) -> tuple[float, float]:
    """Bytes a second and processor time a second of a program that is looked at."""
    terminal = Terminal(command)
    try:
        terminal.read(WARM)
        terminal.press(keys.encode())
        terminal.read(WARM)
        used, began = processor_seconds(terminal.pid), time.monotonic()
        written = len(terminal.read(seconds))
        took = time.monotonic() - began
        return written / took, (processor_seconds(terminal.pid) - used) / took
    finally:
        terminal.close()


def main(count: int, seconds: float) -> None:
    """Answer questions."""
    arena.empty_directories(["/run"])
    os.environ.update(
        VNET_STATE_DIR="/run/state", VNET_RUN_DIR="/run/vnet", HOME="/run", LANG="C.UTF-8"
    )
    asyncio.run(_start(count))
    _plug(count)
    threading.Thread(target=_send, args=(count,), daemon=True).start()
    for command, keys in arena.questions():
        arena.answer(watch(command, keys, seconds))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
