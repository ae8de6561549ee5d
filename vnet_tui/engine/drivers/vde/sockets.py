"""The directory of a vde_switch's sockets: whether it can be had, and what is left in it.

vde_switch changes owner and permissions of the directory that it is given, whatever else is in it
(``init()`` in VDE's datasock.c), so it is given none with anything else in it.
"""

from __future__ import annotations

import contextlib
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from vnet_tui.engine.errors import Problem
from vnet_tui.engine.paths import LONGEST_SOCKET_DIRECTORY

CONTROL = "ctl"
"""The socket that guests plug into."""

_SOCKET = re.compile(r"ctl|\d{3}(\.\d+)?")


def problems(directory: Path, *, ours: bool) -> Iterator[Problem]:
    """What is in the way of sockets there; ``ours``: the switch that listens there is to end."""
    length = len(str(directory).encode())
    if length > LONGEST_SOCKET_DIRECTORY:
        yield Problem(
            message=f"the path of the vde_switch's sockets, {directory}, has {length} bytes; at "
            f"most {LONGEST_SOCKET_DIRECTORY} fit",
            remedy='name a shorter one, <switch type="vde" socket="..."/>, or use a shorter run '
            "directory",
        )
        return
    try:
        found = list(directory.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        yield Problem(
            message=f"the sockets of the vde_switch can't be in {directory}: {error.strerror}",
            remedy="name another directory",
        )
        return
    if others := sorted(path.name for path in found if not _is_socket(path)):
        yield Problem(
            message=f"{directory} holds other things than the sockets of a vde_switch, such as "
            f"{others[0]}",
            remedy="name a directory that is the switch's alone; it is made where there is none",
        )
    elif not ours and taken(directory):
        yield Problem(
            message=f"another vde_switch listens in {directory}",
            remedy="stop that one, or name another directory",
        )


def taken(directory: Path) -> bool:
    """Whether a switch listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.setblocking(False)
        try:
            trial.connect(str(directory / CONTROL))
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True


def served(directory: Path, seconds: float) -> bool:
    """Whether a switch takes requests there, within so many seconds: it hangs up on a client that
    hangs up. One that begins has the client wait until all else is done."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(max(seconds, 0.001))
        try:
            client.connect(str(directory / CONTROL))
            client.shutdown(socket.SHUT_WR)
            return client.recv(1) == b""
        except OSError:
            return False


def clear(directory: Path) -> None:
    """Remove the sockets that a switch left behind, and the directory if that was all.

    Nothing where a switch listens: by then that is another's.
    """
    if taken(directory):
        return
    with contextlib.suppress(OSError):
        for path in directory.iterdir():
            if _is_socket(path):
                path.unlink(missing_ok=True)
        directory.rmdir()


def _is_socket(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return bool(_SOCKET.fullmatch(path.name)) and stat.S_ISSOCK(path.lstat().st_mode)
    return True  # it went meanwhile
