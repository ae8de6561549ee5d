"""``vnetd``: an engine in the foreground that starts what is to start by itself, and stays.

It makes forwards follow their guests and keeps history while no interface is open. Networks go on
when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet_tui import __version__

if TYPE_CHECKING:
    from vnet_tui.engine.engine import Engine
    from vnet_tui.engine.paths import Paths


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns 0, or 1 for an error that was told."""
    from vnet_tui.engine.errors import VnetError
    from vnet_tui.engine.paths import Paths

    parser = ArgumentParser(prog="vnetd", description="Run virtual networks.")
    parser.add_argument("--version", action="version", version=f"vnetd {__version__}")
    parser.add_argument(
        "--state-dir", metavar="DIR", help="definitions and leases (VNET_STATE_DIR)"
    )
    parser.add_argument("--run-dir", metavar="DIR", help="what runs (VNET_RUN_DIR)")
    args = parser.parse_args(argv)
    try:
        asyncio.run(_serve(Paths.choose(args.state_dir, args.run_dir)))
    except VnetError as error:
        print(f"vnetd: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(paths: Paths) -> None:
    from vnet_tui.engine.engine import Engine

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with Engine(paths) as engine:
        await engine.adopt()
        await engine.watch()
        teller = asyncio.ensure_future(_tell(engine))
        await engine.start_autostart()
        _say("vnetd: ready")
        await ended.wait()
        teller.cancel()


async def _tell(engine: Engine) -> None:
    from vnet_tui.engine.text import printable

    async for event in engine.events():
        _say(f"{event.time:%FT%TZ} {event.name or '-'}: {printable(event.message)}")


def _say(line: str) -> None:
    """A line for whoever reads along; who stops doing so doesn't end the daemon."""
    with contextlib.suppress(OSError):
        print(line, flush=True)
