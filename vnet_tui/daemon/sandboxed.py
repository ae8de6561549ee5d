"""The daemon of a sandbox: makes the sandbox's networks before it answers anybody."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from vnet_tui.client.local import LocalConnection
from vnet_tui.daemon import main as daemon
from vnet_tui.sandbox.networks import ACTIVE, documents, to_pairs

_FIRST_GIVEN = 3  # SD_LISTEN_FDS_START, sd_listen_fds(3)


async def define_and_start(engine: LocalConnection, answer: int) -> None:
    """Define all networks and start those of ``ACTIVE`` once stdin has ended; write the bridges."""
    await engine.firewall()  # opens the drivers: all that takes long and needs no world yet
    await asyncio.to_thread(sys.stdin.read)
    for document in documents():
        await engine.define(document)
    started = await engine.start(ACTIVE)
    bridges = {network.name: network.bridge or "" for network in started}
    with os.fdopen(answer, "w") as told:
        told.write("\n".join(to_pairs(bridges)))


def main() -> int:
    """Run until the sandbox ends. All arguments are open files."""
    made = argparse.ArgumentParser()
    made.add_argument("answer", type=int, help="where the bridges are written, and then closed")
    made.add_argument("--socket", type=int, help="what to listen on, instead of the usual path")
    made.add_argument("--end-with", help="as that of vnetd")
    options = made.parse_args()
    if options.socket is not None:
        _take_socket(options.socket)
    end = ["--end-with", options.end_with] if options.end_with else []
    return daemon.main(end, lambda engine: define_and_start(engine, options.answer))


def _take_socket(given: int) -> None:
    """Have the daemon find a socket as systemd would have given it."""
    if given != _FIRST_GIVEN:
        os.dup2(given, _FIRST_GIVEN)
        os.close(given)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")


if __name__ == "__main__":
    sys.exit(main())
