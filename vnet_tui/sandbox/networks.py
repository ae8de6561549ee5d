"""The networks of the sandbox: which are defined, which run, and how the engine is told.

The engine works in a process of its own that ends when the networks run: they need no engine to
go on, and pid 1 stays small.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from vnet_tui.engine.errors import VnetError

ACTIVE = ("Foo", "lab", "dmz")
"""The networks that run from the beginning; the others are only defined."""

Starter = Callable[[Path], Callable[[], Mapping[str, str]]]
"""How networks are started, in two acts, so that the first can overlap with other work.

Called with the sandbox's directory it gets ready and gives back what, called when the world is
there, defines all networks and starts those of ``ACTIVE``: the bridges of these, by network name.
"""


def documents() -> list[str]:
    """The XML of every network that is defined."""
    here = Path(__file__).parent
    own = sorted((here / "definitions").glob("*.xml"))
    return [path.read_text() for path in [here.parent / "examples" / "foo.xml", *own]]


def engine_starter(directory: Path) -> Callable[[], Mapping[str, str]]:
    """Start the networks with the engine. Raises VnetError with what the engine said."""
    answer, said = directory / "bridges.json", directory / "networks.log"
    with said.open("w") as log:
        helper = subprocess.Popen(
            [sys.executable, "-m", "vnet_tui.sandbox.networks", str(answer)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def start() -> Mapping[str, str]:
        helper.communicate()  # closes its stdin, for which it waits
        if helper.returncode != 0:
            raise VnetError(f"its networks didn't start: {said.read_text().strip()}")
        bridges: dict[str, str] = json.loads(answer.read_text())
        return bridges

    return start


async def _define_and_start() -> dict[str, str]:
    from vnet_tui.engine.engine import Engine
    from vnet_tui.engine.paths import Paths

    async with Engine(Paths.choose()) as engine:
        await engine.firewall()  # opens the drivers: all that takes long and needs no world yet
        sys.stdin.read()
        for document in documents():
            await engine.define(document)
        started = await engine.start(ACTIVE)
    return {network.name: network.bridge or "" for network in started}


def main() -> int:
    """The engine's process: waits for the end of stdin, then writes the bridges' names."""
    try:
        bridges = asyncio.run(_define_and_start())
    except VnetError as error:
        print(error, file=sys.stderr)
        return 1
    Path(sys.argv[1]).write_text(json.dumps(bridges))
    return 0


if __name__ == "__main__":
    sys.exit(main())
