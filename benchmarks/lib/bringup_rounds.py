"""One round of the bring-up benchmark, the same for every manager of networks."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from benchmarks.lib import arena
from benchmarks.lib.processes import proportional_memory, running


@dataclass(frozen=True, slots=True)
class Plan:
    """One of the networks to make: a /24 with NAT, DHCP and DNS, told apart by ``number``."""

    number: int

    @property
    def name(self) -> str:
        """What the network and the domain of its guests are called."""
        return f"bench{self.number:03}"

    @property
    def domain(self) -> str:
        """The DNS domain of the guests."""
        return f"{self.name}.test"

    @property
    def bridge(self) -> str:
        """The bridge's name."""
        return f"vb-{self.number:03}"

    @property
    def address(self) -> str:
        """The host's address; the guests' are ``first`` to ``last``."""
        return f"{self._subnet}.1"

    @property
    def first(self) -> str:
        """The first address that is handed out."""
        return f"{self._subnet}.100"

    @property
    def last(self) -> str:
        """The last address that is handed out."""
        return f"{self._subnet}.200"

    @property
    def _subnet(self) -> str:
        return f"10.{77 + self.number // 256}.{self.number % 256}"


class Manager(Protocol):
    """What is compared."""

    async def define(self, plans: list[Plan]) -> None:
        """Store definitions."""

    async def start(self, plans: list[Plan]) -> None:
        """Start defined networks; they serve when this returns."""

    async def stop_and_undefine(self, plans: list[Plan]) -> None:
        """Stop networks and take them from the store."""

    def pid(self) -> int:
        """Its own process. What serves the networks beside it are dnsmasqs."""


def serve(make: Callable[[], Manager]) -> None:
    """Inside an arena: run a round for each number of networks that is asked for."""
    asyncio.run(_serve(make()))


async def _serve(manager: Manager) -> None:
    for count in arena.questions():
        arena.answer(await _round(manager, [Plan(number) for number in range(count)]))


async def _round(manager: Manager, plans: list[Plan]) -> dict[str, float]:
    """Times in milliseconds, memory in MiB."""
    await manager.define(plans)
    began = time.perf_counter()
    await manager.start(plans)
    started = time.perf_counter()
    _check(plans, run=True)
    own = proportional_memory([manager.pid()]) / 2**20
    dnsmasqs = proportional_memory(running("dnsmasq")) / 2**20
    stopping = time.perf_counter()
    await manager.stop_and_undefine(plans)
    stopped = time.perf_counter()
    _check(plans, run=False)
    return {
        "start": (started - began) * 1e3,
        "stop": (stopped - stopping) * 1e3,
        "memory": own + dnsmasqs,
        "own": own,
        "dnsmasqs": dnsmasqs,
    }


def _check(plans: list[Plan], *, run: bool) -> None:
    """A figure counts only for networks that are really there, or really gone."""
    links = {name for _, name in socket.if_nameindex()}
    there = [plan for plan in plans if plan.bridge in links]
    if there != (plans if run else []):
        raise SystemExit(f"{len(there)} of {len(plans)} bridges are there")
    served = len(running("dnsmasq"))
    if served < len(plans) if run else served:
        raise SystemExit(f"{served} dnsmasqs run for {len(plans)} networks")
