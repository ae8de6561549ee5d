"""vnet-tui: chooses the face, sets the terminal's limits, and only then imports what is heavy."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vnet_tui import __version__

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.paths import Paths

SLOW_LINK = {"TEXTUAL_FPS": "15", "TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}
"""What Textual is told over SSH, unless the user told it otherwise: few frames, no animation."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="vnet-tui",
        description="Virtual networks on this host: watch them, start them, change them.",
    )
    made.add_argument(
        "--sandbox",
        action="store_true",
        help="try it: real networks with simulated guests, in private namespaces that end with "
        "the program; needs no root",
    )
    made.add_argument(
        "--connect",
        metavar="URI",
        default=os.environ.get("VNET_URI", ""),
        help="whose networks: vnet:///system (the daemon of this host), vnet:///embedded (an "
        "engine in this process) or vnet+ssh://user@host/system (else VNET_URI, else the daemon "
        "where it answers, else an engine in this process)",
    )
    made.add_argument(
        "--read-only",
        action="store_true",
        help="only look: what changes something is not offered, and refused",
    )
    made.add_argument(
        "--state-dir",
        metavar="DIR",
        help="where definitions and leases are kept (else VNET_STATE_DIR, else /var/lib/vnet)",
    )
    made.add_argument(
        "--run-dir",
        metavar="DIR",
        help="where running networks are recorded (else VNET_RUN_DIR, else /run/vnet)",
    )
    made.add_argument(
        "--list-keys",
        action="store_true",
        help="print every action with its keys, as they are configured, and what is wrong there",
    )
    made.add_argument("--version", action="version", version=f"vnet-tui {__version__}")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run vnet-tui; gives the exit status."""
    arguments = parser()
    options = arguments.parse_args(argv)
    if options.list_keys:
        return list_keys()
    if options.sandbox:
        if options.state_dir or options.run_dir:
            arguments.error("the sandbox has directories of its own, which end with it")
    elif not options.connect and os.geteuid() != 0 and not _daemon_answers(options):
        print(
            "vnet-tui: only root can manage this host's networks where no vnetd runs.\n"
            "  sudo vnet-tui        manages them\n"
            "  vnet-tui --sandbox   tries everything out, without root and without touching the "
            "host",
            file=sys.stderr,
        )
        return 1
    if missing := missing_of_terminal(os.environ):
        print(f"vnet-tui: {missing}.\n  vnet   does the same without a picture", file=sys.stderr)
        return 1
    if options.sandbox:
        from vnet_tui.sandbox.launch import launch

        only = ["--read-only"] if options.read_only else []
        return launch([sys.executable, "-m", "vnet_tui", *only])
    limit_terminal(os.environ)

    from vnet_tui.engine.paths import Paths

    paths = Paths.choose(options.state_dir, options.run_dir)
    return run(paths, options.connect, read_only=options.read_only)


def list_keys() -> int:
    """Print what a configuration can give other keys; 1 where the configuration has problems."""
    from vnet_tui.actions import every
    from vnet_tui.config import config_file, load

    config = load(config_file(os.environ))
    for action in sorted(every(), key=lambda action: action.id):
        keys = config.keys.get(action.id, action.key)
        print(f"{action.id:<20} {keys:<16} {action.title.format('the network')}")
    for place, what in config.told():
        print(f"{place}: {what}", file=sys.stderr)
    return 1 if config.problems else 0


def _daemon_answers(options: argparse.Namespace) -> bool:
    """Whether there is a daemon; what a user may do there is its business."""
    from vnet_tui.client.way import connected
    from vnet_tui.engine.errors import VnetError
    from vnet_tui.engine.paths import Paths

    try:
        connected(Paths.choose(options.state_dir, options.run_dir).socket).close()
    except VnetError:
        return False
    return True


def missing_of_terminal(environ: Mapping[str, str]) -> str:
    """What is missing for a full-screen interface, in words; nothing where all is there.

    Textual reads keys from standard input and writes to standard error.
    """
    for stream, name in ((sys.__stdin__, "standard input"), (sys.__stderr__, "standard error")):
        if stream is None or stream.closed or not stream.isatty():
            return f"this needs a terminal, and {name} is none"
    if environ.get("TERM") == "dumb":
        return "a terminal that is dumb (TERM) can't show it"
    return ""


def limit_terminal(environ: MutableMapping[str, str]) -> None:
    """Spare a slow link. Textual reads these when it is imported, so this comes first."""
    if environ.get("SSH_CONNECTION"):
        for name, value in SLOW_LINK.items():
            environ.setdefault(name, value)


def run(paths: Paths, uri: str = "", *, read_only: bool = False) -> int:
    """The interface, on the networks of a URI (see :func:`vnet_tui.client.open`)."""
    from vnet_tui import client
    from vnet_tui.app import VnetApp
    from vnet_tui.config import config_file, load
    from vnet_tui.connecting import SILENCE
    from vnet_tui.promptness import be_prompt
    from vnet_tui.remembered import Remembered

    be_prompt()
    config = load(config_file(os.environ))
    if read_only:
        config = replace(config, read_only=True)

    async def connect() -> Connection:
        connection = await client.open(uri, paths=paths, prompt=True)
        if not config.read_only:
            return connection
        from vnet_tui.client.read_only import only_reading

        return only_reading(connection)

    app = VnetApp(connect, config=config, remembered=Remembered(os.environ), silence=SILENCE)
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
