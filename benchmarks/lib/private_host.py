"""A host of the benchmark's own, in this process: what it does reaches nothing of the machine's."""

from __future__ import annotations

import argparse
import os
import subprocess

from vnet_tui.sandbox import namespaces


def enter_private_host(parser: argparse.ArgumentParser) -> None:
    """From here on this process has a network, a mount table and a ``/run`` of its own.

    It ends with the parser's error when the user may not make these.
    """
    if os.geteuid() != 0:
        parser.error("it needs root, to make namespaces")
    namespaces.unshare(namespaces.CLONE_NEWNET | namespaces.CLONE_NEWNS)
    namespaces.make_mounts_private()
    namespaces.mount_tmpfs("/run")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
