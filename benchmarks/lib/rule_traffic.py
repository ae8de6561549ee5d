"""Machines that open connections and machines that accept them, for :mod:`benchmarks.rules`.

Run as a module inside an :class:`~benchmarks.lib.arena.Arena`: one process serves for all machines
and one connects for all, each on a processor of its own where there are two.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from benchmarks.lib import arena
from vnet_tui.sandbox.namespaces import inside

Target = tuple[str, int]
"""An address and a port of TCP."""

Counts = tuple[int, int, float, float]
"""Connections made, connections lost, and the seconds that it took: on the clock, and of a
processor's time."""

HELD = 16
"""So many connections are held."""

_TURN = 0.02

LATE = 0.5
"""Seconds after which a connection counts as lost, though a repeated SYN may have made it: the
kernel repeats one after a second (``TCP_TIMEOUT_INIT`` in ``net/tcp.h``)."""

_RESET = struct.pack("ii", 1, 0)  # struct linger: close with a reset, which leaves nothing behind


class Traffic:
    """A process of this module, from outside."""

    def __init__(self, role: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, role],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, question: object) -> None:
        """Send a question; the process sets about it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()

    def end(self) -> Any:
        """The answer to the question that was sent first."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def ask(self, question: object) -> Any:
        """Send a question and wait for its answer."""
        self.begin(question)
        return self.end()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def serve(machines: Mapping[str, Sequence[int]], echoed: Mapping[str, int]) -> None:
    """Accept connections on these ports of machines, for ever.

    Those on the port that is ``echoed`` get back what they say, others are dropped at once.
    """
    poll = select.epoll()
    listening: dict[int, tuple[socket.socket, bool]] = {}
    talking: dict[int, socket.socket] = {}
    for machine, ports in machines.items():
        for port in {*ports, *([echoed[machine]] if machine in echoed else [])}:
            with inside(machine):
                made = socket.create_server(("", port), backlog=4096)
            made.setblocking(False)
            listening[made.fileno()] = made, echoed.get(machine) == port
            poll.register(made, select.EPOLLIN)
    arena.answer(len(listening))
    while True:
        for number, _ in poll.poll():
            if number in talking:
                if said := _heard(talking[number]):
                    talking[number].sendall(said)
                else:
                    talking.pop(number).close()
                continue
            accepting, echoes = listening[number]
            with suppress(BlockingIOError):
                while True:
                    connection, _ = accepting.accept()
                    if not echoes:
                        connection.close()
                        continue
                    talking[connection.fileno()] = connection
                    poll.register(connection, select.EPOLLIN)


def _heard(connection: socket.socket) -> bytes:
    try:
        return connection.recv(64)
    except ConnectionError:
        return b""


def hold(machine: str, target: Target, seconds: float, targets: Sequence[Target]) -> Counts:
    """The same as :func:`connect`, while connections to ``target`` are held and used all the time;
    those that end count as lost, too."""
    made = lost = 0
    with inside(machine):
        held = [socket.create_connection(target, timeout=LATE) for _ in range(HELD)]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        more = connect(machine, targets, _TURN)
        made, lost = made + more[0], lost + more[1]
        for connection in list(held):
            try:
                connection.sendall(b"?")
                alive = connection.recv(1) == b"?"
            except OSError:
                alive = False
            if not alive:
                held.remove(connection)
                lost += 1
    for connection in held:
        connection.close()
    return made + HELD, lost, seconds, time.process_time()


def connect(machine: str, targets: Sequence[Target], seconds: float) -> Counts:
    """Connect from a machine to one target after another.

    Packets on veth cables are passed on in the name of who sends them, through the host and to the
    guest and back: its processor time is that of all of them, and others that want the processor
    don't count (unless the kernel has CONFIG_IRQ_TIME_ACCOUNTING, where it holds none of that).
    """
    made = lost = 0
    clock = time.perf_counter
    with inside(machine):
        busy, began = time.process_time(), clock()
        now = began
        end = began + seconds
        while now < end:
            for target in targets:
                with socket.socket() as connection:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    failed = connection.connect_ex(target)
                before, now = now, clock()
                if failed or now - before > LATE:
                    lost += 1
                else:
                    made += 1
                if now >= end:
                    break
    return made, lost, now - began, time.process_time() - busy


def main(role: str) -> None:
    """Answer questions: the arguments of :func:`serve`, :func:`connect` or :func:`hold`."""
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[-1 if role == serve.__name__ else 0]})
    for question in arena.questions():
        if role == serve.__name__:
            serve(*question)
        machine, first, seconds, *more = question
        if more:
            arena.answer(hold(machine, tuple(first), seconds, [(to, port) for to, port in more[0]]))
        else:
            arena.answer(connect(machine, [(to, port) for to, port in first], seconds))


if __name__ == "__main__":
    main(sys.argv[1])
