"""Our own networks, by an engine in this process, in private namespaces.

Run as a module inside an :class:`~benchmarks.lib.arena.Arena`.
"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.lib import arena, bringup_rounds
from benchmarks.lib.bringup_rounds import Plan
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.paths import Paths


def document(plan: Plan) -> str:
    """A network as we describe it: NAT, DHCP, DNS with a domain."""
    return f"""\
<network>
  <name>{plan.name}</name>
  <bridge name="{plan.bridge}" stp="false"/>
  <dns domain="{plan.domain}"/>
  <dhcp>
    <ip address="{plan.address}" netmask="255.255.255.0" start="{plan.first}" end="{plan.last}"/>
  </dhcp>
  <forwarding mode="nat"/>
</network>
"""


class Vnet:
    """An engine, its directories as empty as those of the other side."""

    def __init__(self) -> None:
        arena.empty_directories(["/run"])
        self._engine = Engine(Paths(state=Path("/run/state"), run=Path("/run/vnet")))

    async def define(self, plans: list[Plan]) -> None:
        for plan in plans:
            await self._engine.define(document(plan))

    async def start(self, plans: list[Plan]) -> None:
        await self._engine.start([plan.name for plan in plans])

    async def stop_and_undefine(self, plans: list[Plan]) -> None:
        await self._engine.stop([plan.name for plan in plans])
        for plan in plans:
            await self._engine.undefine(plan.name)

    def pid(self) -> int:
        return os.getpid()


if __name__ == "__main__":
    bringup_rounds.serve(Vnet)
