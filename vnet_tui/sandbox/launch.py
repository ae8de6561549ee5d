"""From an ordinary process into the sandbox: makes its namespaces and waits outside of them.

The process that was started stays outside as the parent of the sandbox's pid 1. It passes signals
in and the exit status out; when it dies, by SIGKILL too, the kernel ends all that is inside.
Both stay in the process group that they were started in, so that the shell's job control (Ctrl-C,
Ctrl-Z, ``fg``) and the terminal's change of size reach the command as if there were no sandbox.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from vnet_tui.engine.errors import NotPermittedError, VnetError
from vnet_tui.sandbox import init, namespaces
from vnet_tui.sandbox.forbidden import Part, explain
from vnet_tui.sandbox.networks import Starter, engine_starter

_ADMIN_DIRECTORIES = ("/usr/local/sbin", "/usr/sbin", "/sbin")

_PROGRAMS = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "dnsmasq": "dnsmasq-base",
    "udhcpc": "udhcpc",
}
"""The programs that the sandbox is made with, and the Debian packages that have them."""

_CAPABILITIES = (1 << 10) | (1 << 12) | (1 << 13) | (1 << 21)
"""NET_BIND_SERVICE, NET_ADMIN, NET_RAW and SYS_ADMIN (capabilities(7))."""

_PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


def launch(
    argv: Sequence[str], starter: Starter = engine_starter, *, program: str = "vnet-tui"
) -> int:
    """Run a command in a sandbox of its own, on this terminal; give back its exit status.

    ``starter`` starts the sandbox's networks. Must be called before the process has any thread.
    A sandbox that can't be made is explained on stderr, after the name of the ``program`` that was
    called, and the status is 1.
    """
    _complete_path()
    try:
        _check_programs()
        plain = not _has_capabilities()
        _enter(plain)
    except VnetError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    outside = os.pidfd_open(os.getpid())
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    sys.stdout.flush()
    sys.stderr.flush()
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _be_init(outside, theirs, plain, argv, starter, program)
    os.close(outside)
    theirs.close()
    return _wait(child, ours)


def _complete_path() -> None:
    """Plain users of many distributions haven't the directories of administrators in PATH."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    missing = [directory for directory in _ADMIN_DIRECTORIES if directory not in path]
    os.environ["PATH"] = os.pathsep.join([*path, *missing])


def _check_programs() -> None:
    directories = [Path(directory) for directory in os.environ["PATH"].split(os.pathsep)]
    missing = [
        name
        for name in _PROGRAMS
        if not any(os.access(directory / name, os.X_OK) for directory in directories)
    ]
    if missing:
        packages = " ".join(_PROGRAMS[name] for name in missing)
        raise VnetError(
            f"the sandbox needs {', '.join(missing)}", f"on Debian: apt-get install {packages}"
        )


def _has_capabilities() -> bool:
    """Whether this process may make the sandbox without a user namespace around it.

    Root in a container often may not.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            effective = int(line.split()[1], 16)
            return os.geteuid() == 0 and effective & _CAPABILITIES == _CAPABILITIES
    return False


def _enter(plain: bool) -> None:
    """Move this process into new namespaces; its next child will be pid 1 of the last."""
    if plain:
        _become_root()
    for part, flag in (
        (Part.MOUNT, namespaces.CLONE_NEWNS),
        (Part.NET, namespaces.CLONE_NEWNET),
        (Part.PID, namespaces.CLONE_NEWPID),
    ):
        try:
            namespaces.unshare(flag)
        except OSError as error:
            raise explain(part, error, plain=plain) from error


def _become_root() -> None:
    """Enter a user namespace in which the user is root and there is nobody else."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        namespaces.unshare(namespaces.CLONE_NEWUSER)
    except OSError as error:
        raise explain(Part.USER, error, plain=True) from error
    own = Path("/proc/self")
    try:
        # A gid map may be written without privilege only after giving up setgroups(2).
        (own / "setgroups").write_text("deny")
        (own / "uid_map").write_text(f"0 {uid} 1")
        (own / "gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        raise explain(Part.IDS, error, plain=True) from error


def _be_init(
    outside: int,
    parent: socket.socket,
    plain: bool,
    argv: Sequence[str],
    starter: Starter,
    program: str,
) -> None:
    """The child's part. Never returns: the caller's frames are the parent's."""
    status = 1
    try:
        namespaces.die_with_parent()
        if select.select([outside], [], [], 0)[0]:
            return  # the parent was gone before its death could be noticed
        os.close(outside)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        status = init.run(argv, starter, parent=parent, plain=plain, program=program)
    except NotPermittedError as error:
        print(f"{program}: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _wait(child: int, inside: socket.socket) -> int:
    """Outside: pass signals in, and answer pid 1, until it has ended; its exit status."""

    def pass_on(number: int, _frame: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # the terminal sends them to the command as well
    for number in _PASSED_ON:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    with inside, suppress(ConnectionError):  # killed between its question and the answer
        while question := inside.recv(1):
            inside.sendall(question)
    _, status = os.waitpid(child, 0)
    return init.exit_code(status)
