"""The networks of the sandbox: which are defined, which run, and how they are started."""

from __future__ import annotations

import os
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


def engine_starter(
    directory: Path, *, socket: int | None = None, tether: int | None = None
) -> Callable[[], Mapping[str, str]]:
    """Start the networks with the sandbox's daemon, which stays. Raises VnetError with what it
    said.

    It listens in the run directory, or on ``socket``, which is open for it; with ``tether`` it
    ends when the other end of that pipe is closed. Both are closed here.
    """
    answer, told = os.pipe()
    arguments, passed = [str(told)], [told]
    for option, given in (("--socket", socket), ("--end-with", tether)):
        if given is not None:
            arguments += [option, str(given)]
            passed.append(given)
    said = directory / "vnetd.log"
    with said.open("w") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "vnet_tui.daemon.sandboxed", *arguments],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=passed,
            start_new_session=True,
        )
    for given in passed:
        os.close(given)

    def start() -> Mapping[str, str]:
        if daemon.stdin is not None:
            daemon.stdin.close()  # for which it waits
        with os.fdopen(answer) as bridges:
            pairs = bridges.read().splitlines()
        if not pairs:
            daemon.wait()
            reason = said.read_text().rpartition("vnetd: ")[2].strip()
            raise VnetError(f"its networks didn't start: {reason}")
        return from_pairs(pairs)

    return start


def to_pairs(bridges: Mapping[str, str]) -> list[str]:
    """The bridges of networks as text: ``NETWORK=BRIDGE``."""
    return [f"{network}={bridge}" for network, bridge in bridges.items()]


def from_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """The inverse of :func:`to_pairs`."""
    return dict(pair.split("=", 1) for pair in pairs)
