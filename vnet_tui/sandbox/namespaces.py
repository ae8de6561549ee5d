"""Linux namespaces: entering private ones, and running programs in named network namespaces.

Constants are those of ``include/uapi/linux/sched.h``; named namespaces are those of ip-netns(8).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
NETNS_DIR = Path("/run/netns")

_MS_NOSUID = 0x2
_MS_NODEV = 0x4
_MS_NOEXEC = 0x8
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_PRIVATE = 0x40000
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Move the calling thread into new namespaces (unshare(2))."""
    _check(_libc.unshare(flags), "unshare")


def setns(fd: int, flags: int) -> None:
    """Move the calling thread into the namespace that ``fd`` stands for (setns(2))."""
    _check(_libc.setns(fd, flags), "setns")


def make_mounts_private() -> None:
    """Keep mounts made here from reaching the namespace that this one was copied from."""
    _check(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount --make-rprivate /")


def mount_tmpfs(where: str | Path, options: str = "") -> None:
    """Put an empty tmpfs on a directory; ``options`` are those of tmpfs(5)."""
    data = options.encode() or None
    path = os.fsencode(where)
    _check(_libc.mount(b"tmpfs", path, b"tmpfs", 0, data), f"mount tmpfs on {where}")


def mount_proc() -> None:
    """Put a ``/proc`` of the caller's own pid namespace over the one that is there."""
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    _check(_libc.mount(b"proc", b"/proc", b"proc", flags, None), "mount /proc")


def mount_bind(what: str | Path, where: str | Path) -> None:
    """Let ``what`` be seen at ``where`` too; both are files, or both directories."""
    result = _libc.mount(os.fsencode(what), os.fsencode(where), None, _MS_BIND, None)
    _check(result, f"mount {what} on {where}")


def die_with_parent() -> None:
    """Have the kernel kill the calling process when its parent ends (prctl(2))."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Have the calling thread live in a named network namespace for the length of the block.

    A socket made there stays there.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(NETNS_DIR / name, os.O_RDONLY)
        try:
            setns(there, CLONE_NEWNET)
        finally:
            os.close(there)
        try:
            yield
        finally:
            setns(home, CLONE_NEWNET)
    finally:
        os.close(home)


class NamedNamespace:
    """A network namespace with a name, loopback up. Needs a private ``/run`` to live in."""

    def __init__(self, name: str) -> None:
        self.name = name
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.run("ip", "link", "set", "lo", "up")

    @property
    def path(self) -> Path:
        """The file that stands for it."""
        return NETNS_DIR / self.name

    def command(self, *argv: str) -> list[str]:
        """The argument list that runs ``argv`` inside."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program inside, wait for it, and give back its output."""
        return subprocess.run(self.command(*argv), check=check, capture_output=True, text=True)

    def start(
        self, *argv: str, stdout: int = subprocess.DEVNULL, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        """Start a program inside and let it run."""
        return subprocess.Popen(
            self.command(*argv), stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT, text=True
        )

    def close(self) -> None:
        """Take the name away; the namespace goes with its last process."""
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def veth(
    outside: str,
    inside: str,
    namespace: NamedNamespace,
    *,
    bridge: str | None = None,
    mac: str = "",
) -> None:
    """A cable: ``outside`` here (a port of ``bridge`` when given), ``inside`` in ``namespace``."""
    peer: Sequence[str] = ["name", inside, *(["address", mac] if mac else [])]
    add = ["ip", "link", "add", outside, "type", "veth", "peer", *peer, "netns", namespace.name]
    subprocess.run(add, check=True)
    master = ["master", bridge] if bridge else []
    subprocess.run(["ip", "link", "set", outside, *master, "up"], check=True)
    namespace.run("ip", "link", "set", inside, "up")
