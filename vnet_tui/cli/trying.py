"""``vnet sandbox``: a shell or a command where nothing can be broken."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from vnet_tui.cli.arguments import Arguments


def sandbox(args: Arguments) -> int:
    """Run a command in a sandbox of its own; its exit status."""
    from vnet_tui.sandbox.launch import launch

    # So that ``vnet`` and ``vnet-tui`` inside are those that were called outside.
    programs = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if programs not in path:
        os.environ["PATH"] = os.pathsep.join([programs, *path])
    command = args.texts("command")
    if not command:
        command = [os.environ.get("SHELL") or "sh"]
        if sys.stderr.isatty():
            print(
                "A shell in a sandbox, with networks of its own: 'vnet network-list' lists them,\n"
                "'vnet-tui' shows them, 'exit' ends it all.",
                file=sys.stderr,
            )
    return launch(command, program="vnet")
