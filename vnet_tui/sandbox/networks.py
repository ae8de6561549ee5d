"""The networks of the sandbox: which are defined, which run, and how they are started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
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
    """Start the networks with the engine. Raises VnetError with what the engine said.

    The engine works in a process of its own that ends when they run: they need none to go on.
    """
    answer, said = directory / "bridges", directory / "engine.log"
    with said.open("w") as log:
        helper = subprocess.Popen(
            [sys.executable, "-m", "vnet_tui.sandbox.engine_process", str(answer)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def start() -> Mapping[str, str]:
        helper.communicate()  # closes its stdin, for which it waits
        if helper.returncode != 0:
            raise VnetError(f"its networks didn't start: {said.read_text().strip()}")
        return from_pairs(answer.read_text().splitlines())

    return start


def to_pairs(bridges: Mapping[str, str]) -> list[str]:
    """The bridges of networks as text: ``NETWORK=BRIDGE``."""
    return [f"{network}={bridge}" for network, bridge in bridges.items()]


def from_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """The inverse of :func:`to_pairs`."""
    return dict(pair.split("=", 1) for pair in pairs)
