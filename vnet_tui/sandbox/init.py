"""Pid 1 of the sandbox: builds the world, runs the command in it, reaps what others leave.

When it ends, the kernel ends everything else inside.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.paths import Paths
from vnet_tui.sandbox import guests, namespaces, world
from vnet_tui.sandbox.forbidden import Part, explain
from vnet_tui.sandbox.networks import Starter, to_pairs

DIRECTORY = Path("/run/vnet-sandbox")
"""What the sandbox itself writes: it is the engine's neighbour, not a part of it."""

PATHS = Paths(Path("/run/vnet-state"), Path("/run/vnet"))
"""The directories of everything that manages networks inside."""

_ENVIRONMENT = {
    "VNET_SANDBOX": "1",
    "VNET_STATE_DIR": str(PATHS.state),
    "VNET_RUN_DIR": str(PATHS.run),
}


def run(
    command: Sequence[str], starter: Starter, *, parent: socket.socket, plain: bool, program: str
) -> int:
    """Build the world and run a command in it; the exit status for the whole sandbox.

    ``parent`` leads to the process outside, which answers each byte with one; ``plain`` tells
    whether a user namespace is around it all, ``program`` who speaks on stderr. Raises
    :class:`~vnet_tui.engine.errors.NotPermittedError` when mounts are refused.
    """
    signal.signal(signal.SIGTERM, _stop_building)
    try:
        _mount()
    except OSError as error:
        raise explain(Part.MOUNTS, error, plain=plain) from error
    os.environ.update(_ENVIRONMENT)
    os.environ.pop("VNET_URI", None)  # it means the networks outside
    try:
        _build(starter)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip()
        print(f"{program}: building the sandbox failed: {' '.join(error.cmd)}", file=sys.stderr)
        print(f"  {said or f'exit status {error.returncode}'}", file=sys.stderr)
        return 1
    except (OSError, VnetError) as error:
        print(f"{program}: building the sandbox failed: {error}", file=sys.stderr)
        return 1
    return _run_command(command, parent, program)


def exit_code(status: int) -> int:
    """A wait status as shells tell it: the exit status, or 128 and the signal's number."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _stop_building(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)  # the kernel ends whatever was begun


def _mount() -> None:
    """A view of the file system in which nothing written to ``/run`` gets out."""
    namespaces.make_mounts_private()
    namespaces.mount_proc()
    resolver = Path("/etc/resolv.conf").resolve()
    namespaces.mount_tmpfs("/run")
    DIRECTORY.mkdir()
    _point_resolver_to_internet(resolver)


def _point_resolver_to_internet(resolver: Path) -> None:
    """Make the sandbox's name server the only one, wherever ``/etc/resolv.conf`` leads.

    Where there is no such file none can be made: ``/etc`` is the real one.
    """
    if resolver.is_relative_to("/run"):  # as systemd-resolved has it; hidden by now
        resolver.parent.mkdir(parents=True, exist_ok=True)
        resolver.touch()
    if resolver.exists():
        ours = DIRECTORY / "resolv.conf"
        ours.write_text(f"nameserver {world.DNS_SERVER}\n")
        namespaces.mount_bind(ours, resolver)


def _build(starter: Starter) -> None:
    """The world, then its networks, then the guests on them; life there starts by itself."""
    start_networks = starter(DIRECTORY)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    world.build()
    for guest in guests.GUESTS:
        guests.make(guest)
    bridges = start_networks()
    for guest in guests.GUESTS:
        guests.plug(guest, bridges[guest.network])
    _start_life(bridges)


def _start_life(bridges: Mapping[str, str]) -> None:
    """In a session of its own, so that no key of the terminal reaches it."""
    with (DIRECTORY / "life.log").open("w") as log:
        subprocess.Popen(
            [sys.executable, "-m", "vnet_tui.sandbox.life", str(DIRECTORY), *to_pairs(bridges)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _run_command(command: Sequence[str], parent: socket.socket, program: str) -> int:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        # Pid 1 is spared signals that it doesn't handle; its children get them as usual.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})
    try:
        child = _spawn(command)
    except OSError as error:
        print(f"{program}: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127

    def pass_on(number: int, _frame: FrameType | None) -> None:
        os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGHUP})
    return _reap_until(child, parent)


def _spawn(command: Sequence[str]) -> int:
    return os.posix_spawnp(
        command[0],
        list(command),
        os.environ,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
    )


def _reap_until(child: int, parent: socket.socket) -> int:
    """Collect every process that ends here, most of them orphans, until the command does."""
    while True:
        pid, status = os.waitpid(-1, os.WUNTRACED)
        if pid != child:
            continue
        if not os.WIFSTOPPED(status):
            return exit_code(status)
        _wait_until_it_runs(parent)
        if _is_stopped(child):
            # The shell must see its job stop: the parent outside is in our process group, and
            # pid 1 itself is spared. The shell's SIGCONT to the group wakes the command too.
            os.kill(0, signal.SIGTSTP)


def _wait_until_it_runs(parent: socket.socket) -> None:
    """Ctrl-Z stops the whole group, the process outside too, and no shell continues it before that.

    So once that process answers, whoever is still stopped has stopped by itself.
    """
    parent.sendall(b"?")
    parent.recv(1)


def _is_stopped(pid: int) -> bool:
    """Whether a child of ours is stopped now (proc_pid_stat(5), state T)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")
