"""Telling the service manager how things are (sd_notify(3))."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping


def notify(*states: str, environ: Mapping[str, str] = os.environ) -> None:
    """Tell states such as ``READY=1``, where a service manager wants to know. Never fails."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as made,
    ):
        made.sendto("\n".join(states).encode(), address)


def reloading() -> tuple[str, str]:
    """The states of a service that begins to read its configuration anew; READY ends that."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"
