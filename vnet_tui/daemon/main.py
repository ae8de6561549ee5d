"""``vnetd``: an engine that stays, and serves all who may ask it.

It starts what is to start by itself, makes forwards follow their guests, and keeps history while
no interface is open. Networks go on when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vnet_tui import __version__

if TYPE_CHECKING:
    from vnet_tui.daemon.hosted import Hosted
    from vnet_tui.engine.paths import Paths

    Begin = Callable[[Hosted], Awaitable[None]]


def parser() -> ArgumentParser:
    """The command line."""
    from vnet_tui.daemon import rights
    from vnet_tui.daemon.journal import JOURNAL

    made = ArgumentParser(prog="vnetd", description="Run virtual networks, and serve who asks.")
    made.add_argument("--version", action="version", version=f"vnetd {__version__}")
    made.add_argument("--state-dir", metavar="DIR", help="definitions and leases (VNET_STATE_DIR)")
    made.add_argument("--run-dir", metavar="DIR", help="what runs, and the socket (VNET_RUN_DIR)")
    made.add_argument(
        "--change-group",
        metavar="GROUP",
        default=rights.CHANGE_GROUP,
        help="whose members may change networks, beside root (%(default)s)",
    )
    made.add_argument(
        "--read-group",
        metavar="GROUP",
        default=rights.READ_GROUP,
        help="whose members may look at networks (%(default)s)",
    )
    made.add_argument(
        "--anyone-may-read", action="store_true", help="every user of the host may look at them"
    )
    made.add_argument(
        "--report-only",
        action="store_true",
        help="tell what others change of running networks, and don't mend it (VNET_REPAIR=report)",
    )
    made.add_argument(
        "--journal",
        metavar="SOCKET",
        type=Path,
        default=JOURNAL,
        help="where changes are logged; without one, on standard error (%(default)s)",
    )
    made.add_argument(
        "--end-with",
        metavar="FD",
        type=int,
        help="end when the other end of this pipe is closed, as by the end of who started vnetd",
    )
    _add_installing(made)
    return made


def _add_installing(parser: ArgumentParser) -> None:
    """Options of :mod:`vnet_tui.daemon.install`."""
    made = parser.add_argument_group("instead of running")
    which = made.add_mutually_exclusive_group()
    which.add_argument(
        "--install",
        action="store_true",
        help="put systemd's units, groups and directories, completion of vnet in shells and the "
        "manuals in place; say what was done, and what starts the service",
    )
    which.add_argument(
        "--uninstall",
        action="store_true",
        help="end the service and remove what --install placed; definitions and running networks "
        "stay",
    )
    made.add_argument("--dry-run", action="store_true", help="with either: only say what it does")
    made.add_argument(
        "--root",
        metavar="DIR",
        type=Path,
        help="with either: on the system in this directory, such as a package that is being made",
    )
    made.add_argument(
        "--prefix",
        metavar="DIR",
        help="with either: where a distribution's package has its files, below /usr for example",
    )
    made.add_argument(
        "--program",
        metavar="PATH",
        help="with --install: the vnetd that the service runs (this one)",
    )


def main(argv: Sequence[str] | None = None, begin: Begin | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns 0, or 1 for an error that was told.

    ``begin`` is awaited with the engine, which watches already, before anybody is answered.
    """
    from vnet_tui.engine.errors import VnetError
    from vnet_tui.engine.paths import Paths
    from vnet_tui.promptness import be_prompt

    arguments = parser()
    options = arguments.parse_args(argv)
    if options.install or options.uninstall:
        return _install(arguments, options)
    for name in ("dry_run", "root", "prefix", "program"):
        if getattr(options, name):
            arguments.error(f"--{name.replace('_', '-')} goes with --install or --uninstall")
    logging.basicConfig(level=logging.INFO, format="vnetd: %(message)s")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    _allow_many_files()
    be_prompt()
    try:
        asyncio.run(_run(Paths.choose(options.state_dir, options.run_dir), options, begin))
    except VnetError as error:
        print(f"vnetd: {error}", file=sys.stderr)
        return 1
    return 0


def _install(arguments: ArgumentParser, options: Namespace) -> int:
    from vnet_tui.daemon.install import Target, install, uninstall
    from vnet_tui.engine.errors import VnetError

    if options.state_dir or options.run_dir:
        arguments.error(
            "the service has the usual directories; VNETD_OPTIONS in /etc/default/vnetd "
            "gives it options"
        )
    root = (options.root or Path("/")).absolute()
    target = Target(root, options.prefix or "", options.program or "", options.dry_run)
    try:
        (install if options.install else uninstall)(target)
    except VnetError as error:
        print(f"vnetd: {error}", file=sys.stderr)
        return 1
    return 0


def _allow_many_files() -> None:
    """Every client is an open file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _run(paths: Paths, options: Namespace, begin: Begin | None) -> None:
    from vnet_tui.daemon.giving_back import give_back
    from vnet_tui.daemon.hosted import Hosted
    from vnet_tui.daemon.journal import follow_audit
    from vnet_tui.daemon.listening import listening, only_daemon
    from vnet_tui.daemon.notify import notify
    from vnet_tui.daemon.rights import Rights
    from vnet_tui.daemon.server import Server

    rights = Rights(options.change_group, options.read_group, options.anyone_may_read)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if options.end_with is not None:
        loop.add_reader(options.end_with, ended.set)
    with only_daemon(paths), listening(paths.socket) as socket:
        follow_audit(options.journal)
        async with Hosted(paths, repair=False if options.report_only else None) as engine:
            await engine.adopt()
            await engine.watch()
            teller = asyncio.ensure_future(_tell(engine))
            giver = asyncio.ensure_future(give_back())
            reloader = _on_hangup(engine)
            server = Server(engine, rights)
            if begin is not None:
                await begin(engine)
            await server.serve(socket)
            await engine.start_autostart()
            notify("READY=1")
            _say("vnetd: ready")
            await ended.wait()
            if options.end_with is not None:
                loop.remove_reader(options.end_with)
            notify("STOPPING=1")
            await server.close()
            for task in (teller, giver, reloader):
                task.cancel()


def _on_hangup(engine: Hosted) -> asyncio.Task[None]:
    """Look at the store again with every SIGHUP."""
    from vnet_tui.daemon.notify import notify, reloading
    from vnet_tui.engine.errors import VnetError

    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)

    async def follow() -> None:
        while True:
            await asked.wait()
            asked.clear()
            notify(*reloading())
            try:
                await engine.reload()
                _say("vnetd: read the definitions again")
            except VnetError as error:
                print(f"vnetd: {error}", file=sys.stderr)
            notify("READY=1")

    return asyncio.ensure_future(follow())


async def _tell(engine: Hosted) -> None:
    from vnet_tui.engine.text import printable

    async for event in engine.events():
        _say(f"{event.time:%FT%TZ} {event.name or '-'}: {printable(event.message)}")


def _say(line: str) -> None:
    """A line for whoever reads along; who stops doing so doesn't end the daemon."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
