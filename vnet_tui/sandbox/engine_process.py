"""The process that has the engine define and start the sandbox's networks, and then ends."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.paths import Paths
from vnet_tui.sandbox.networks import ACTIVE, documents, to_pairs


async def define_and_start() -> dict[str, str]:
    """Define all networks and start those of ``ACTIVE`` once stdin has ended; their bridges."""
    async with Engine(Paths.choose()) as engine:
        await engine.firewall()  # opens the drivers: all that takes long and needs no world yet
        await asyncio.to_thread(sys.stdin.read)
        for document in documents():
            await engine.define(document)
        started = await engine.start(ACTIVE)
    return {network.name: network.bridge or "" for network in started}


def main() -> int:
    """Argument: the file to write the bridges to. What fails is told on stderr."""
    try:
        bridges = asyncio.run(define_and_start())
    except VnetError as error:
        print(error, file=sys.stderr)
        return 1
    Path(sys.argv[1]).write_text("\n".join(to_pairs(bridges)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
