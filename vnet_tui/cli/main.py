"""``vnet``: what it understands, and how errors leave it."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import signal
import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vnet_tui import __version__

if TYPE_CHECKING:
    from vnet_tui.cli.commands import Command

_Commands = _SubParsersAction  # argparse has no public name for it


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0, 1 for an error that was told, 2 for bad usage, 128 and its number
    after a signal that ends programs: it was heeded when what had begun was at its end."""
    args = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names may have characters that the locale hasn't.
            stream.reconfigure(errors="backslashreplace")
    try:
        # Before there is an event loop, so that Ctrl-C ends a wait for a terminal or a pipe.
        _read_documents(args)
        status = asyncio.run(_run(args))
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:
        # Mostly our own output, which must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if error.errno != errno.EPIPE:  # a reader may go away (vnet network-list | head)
            what = error.filename or "the output"
            print(f"error: can't write {what}: {error.strerror}", file=sys.stderr)
        return 1
    return status


def _read_documents(args: Namespace) -> None:
    if "file" in args:
        from vnet_tui.cli.documents import read_or_error

        names = args.file if isinstance(args.file, list) else [args.file]
        args.documents = [read_or_error(name) for name in names]


async def _run(args: Namespace) -> int:
    from vnet_tui.cli import commands
    from vnet_tui.client.local import LocalConnection
    from vnet_tui.engine.errors import VnetError
    from vnet_tui.engine.paths import Paths

    command: Command = getattr(commands, args.command)
    paths = Paths.choose(args.state_dir, args.run_dir)
    received, forget = _end_in_order()
    try:
        async with LocalConnection(paths) as connection:
            return await command(connection, args)
    except VnetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        if not received:
            raise
        print("interrupted; what had begun was brought to its end, or undone", file=sys.stderr)
        return 128 + received[0]
    finally:
        forget()


def _end_in_order() -> tuple[list[int], Callable[[], None]]:
    """Let signals that end programs cancel this task, which lets a change come to its end first.

    The second one has its usual effect; the next engine then ends what was begun. Gives the list
    that receives the number of the first, and what makes them have their usual effect again.
    """
    received: list[int] = []
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    numbers = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup, or the background of a shell
    ]

    def forget() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)

    def end(number: int) -> None:
        received.append(number)
        forget()
        if task is not None:
            task.cancel()

    for number in numbers:
        loop.add_signal_handler(number, end, number)
    return received, forget


def parser() -> ArgumentParser:
    """The command line; every ``network-*`` command is also known as ``net-*``, as in virsh."""
    top = ArgumentParser(prog="vnet", description="Manage virtual networks.")
    top.add_argument("--version", action="version", version=f"vnet {__version__}")
    top.add_argument("--state-dir", metavar="DIR", help="definitions and leases (VNET_STATE_DIR)")
    top.add_argument("--run-dir", metavar="DIR", help="what runs (VNET_RUN_DIR)")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    define = _add(commands, "network-define", "put a network into the store, or change it")
    define.add_argument("file", help="an XML document, - for standard input")
    create = _add(commands, "network-create", "start a transient network")
    create.add_argument("file", help="an XML document, - for standard input")
    listing = _add(commands, "network-list", "list networks")
    which = listing.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="running and not")
    which.add_argument("--inactive", action="store_true", help="only those that don't run")
    what = listing.add_mutually_exclusive_group()
    what.add_argument("--name", action="store_true", help="names only")
    what.add_argument("--uuid", action="store_true", help="UUIDs only")
    dump = _add(commands, "network-dumpxml", "print a network's document")
    dump.add_argument("network", help="name, UUID or id")
    dump.add_argument("--inactive", action="store_true", help="as defined, not as it runs")
    for name, text in (
        ("network-start", "start defined networks"),
        ("network-stop", "stop running networks"),
        ("network-restart", "make running networks anew; guests stay attached"),
    ):
        several = _add(commands, name, text)
        several.add_argument("network", nargs="+", help="name, UUID or id")
    apply = _add(commands, "network-apply", "bring a running network to its definition, live")
    apply.add_argument("network", help="name, UUID or id")
    undefine = _add(commands, "network-undefine", "remove a network's definition")
    undefine.add_argument("network", help="name, UUID or id")
    autostart = _add(commands, "network-autostart", "let a network start with the host")
    autostart.add_argument("network", help="name, UUID or id")
    autostart.add_argument("--disable", action="store_true", help="no longer")
    validate = _add(commands, "network-validate", "tell everything wrong with documents")
    validate.add_argument("file", nargs="+", help="an XML document, - for standard input")
    doctor = _add(commands, "network-doctor", "tell what on this host stands in a network's way")
    doctor.add_argument("network", help="name, UUID or id of a running network")
    explain = _add(commands, "network-explain", "tell whether one machine reaches another, and why")
    explain.add_argument("network", help="name, UUID or id of a running network")
    ends = "a guest's name, host, outside, or an address"
    explain.add_argument("--from", required=True, dest="source", metavar="A", help=ends)
    explain.add_argument("--to", required=True, dest="target", metavar="B", help=ends)
    explain.add_argument("--port", type=int, help="where B listens, or is asked for")
    explain.add_argument("--protocol", default="tcp", help="tcp (default), udp or icmp")
    explain.add_argument("--family", type=int, choices=(4, 6), help="IPv4 or IPv6 only")
    suggest = _add(commands, "network-suggest-subnet", "print a free private subnet")
    suggest.add_argument("--prefix", type=int, help="prefix length (24, or 64 for IPv6)")
    suggest.add_argument("--ipv6", action="store_true", help="a unique local IPv6 subnet")
    return top


def _add(commands: _Commands[ArgumentParser], name: str, text: str) -> ArgumentParser:
    command = commands.add_parser(
        name, help=text, description=text, aliases=[name.replace("network-", "net-", 1)]
    )
    command.set_defaults(command=name.replace("-", "_"))
    return command


if __name__ == "__main__":
    sys.exit(main())
