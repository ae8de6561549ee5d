"""The conversation about an API, the same for both sides: so many networks, so many questions.

Inside an :class:`~benchmarks.lib.arena.Arena`.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from benchmarks.lib import arena
from benchmarks.lib.bringup_rounds import Plan
from benchmarks.lib.processes import processor_time, proportional_memory

MIB = 1024 * 1024

LISTS, LOOKS = 10, 100
"""How often to list all networks, and to ask about one."""


class Side(Protocol):
    """A daemon that keeps definitions, and a client that is connected with it."""

    def define(self, plans: list[Plan]) -> None:
        """Define these networks."""

    def list_all(self) -> int:
        """Ask for name, UUID, state and autostart of every network; how many there are."""

    def look_up(self, name: str) -> None:
        """Ask for one network by its name."""

    def dump(self, name: str) -> None:
        """Ask for the document of one network."""

    def command(self) -> None:
        """List the networks with a program that is started for it."""

    def pid(self) -> int:
        """The daemon."""


def serve(make: Callable[[], Side]) -> None:
    """Inside: answer for each number of networks with times in ms and memory in MiB."""
    side = make()
    there = 0
    for count in arena.questions():
        everything = [Plan(number) for number in range(count)]
        side.define(everything[there:])
        there = count
        if side.list_all() != count:
            raise SystemExit(f"there are not {count} networks")
        names = [plan.name for plan in everything[:: max(1, count // LOOKS)]]
        commands = [_command(side) for _ in range(LISTS)]
        arena.answer(
            {
                "list": [_timed(side.list_all) for _ in range(LISTS)],
                "look": [_timed(partial(side.look_up, name)) for name in names],
                "dump": [_timed(partial(side.dump, name)) for name in names],
                **{part: [one[part] for one in commands] for part in commands[0]},
                "memory": [proportional_memory([side.pid()]) / MIB],
            }
        )


def _command(side: Side) -> dict[str, float]:
    """A listing by a program: as long as it took, and processor time of its and the daemon's."""
    client, daemon = _children(), processor_time(side.pid())
    return {
        "command": _timed(side.command),
        "client": (_children() - client) * 1000,
        "daemon": (processor_time(side.pid()) - daemon) * 1000,
    }


def _children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
