"""Why the kernel refused a part of the sandbox, and how to allow it.

The settings are those of user_namespaces(7), namespaces(7) and proc(5); the two under ``kernel.``
are patches of Debian (``unprivileged_userns_clone``) and Ubuntu
(``apparmor_restrict_unprivileged_userns``).
"""

from __future__ import annotations

import errno
from enum import StrEnum
from pathlib import Path

from vnet_tui.engine.errors import NotPermittedError

_AS_ROOT = "or start it as root"


class Part(StrEnum):
    """What was being made; for a namespace, its name in ``user.max_NAME_namespaces``."""

    USER = "user"
    IDS = "ids"
    MOUNT = "mnt"
    NET = "net"
    PID = "pid"
    MOUNTS = "mounts"

    @property
    def words(self) -> str:
        """As a person would say it."""
        return {
            Part.IDS: "a mapping of user ids",
            Part.MOUNT: "a mount namespace",
            Part.NET: "a network namespace",
            Part.MOUNTS: "mounts of its own",
        }.get(self, f"a {self} namespace")


def explain(
    part: Part, error: OSError, *, plain: bool, proc: Path = Path("/proc")
) -> NotPermittedError:
    """The error for a person: what was refused, by which setting, and what allows it.

    ``plain`` tells whether it was tried as a plain user, who needs a user namespace; ``proc`` is
    where the settings are read.
    """
    cause, remedy = _cause(part, error, plain, proc)
    return NotPermittedError(f"the sandbox can't have {part.words}: {cause}", remedy)


def _cause(part: Part, error: OSError, plain: bool, proc: Path) -> tuple[str, str]:
    if error.errno in (errno.ENOSPC, errno.EUSERS):
        return _limit(part, proc)
    if error.errno in (errno.EINVAL, errno.ENOSYS):
        return "this kernel has none", "use a kernel that is built with namespaces"
    setting = _setting(proc) if plain else None
    if setting is not None:
        return setting
    if _filtered(proc):
        return (
            "a seccomp filter forbids it, as containers have one",
            "start the container with --security-opt seccomp=unconfined "
            "--security-opt systempaths=unconfined, or run outside of it",
        )
    if part is Part.MOUNTS:
        return (
            error.strerror or str(error),
            "in a container: start it with --security-opt apparmor=unconfined "
            "--security-opt systempaths=unconfined (Podman: unmask=ALL)",
        )
    return (
        error.strerror or str(error),
        f"a security module, a chroot or a container forbids it: run outside of it, {_AS_ROOT}",
    )


def _setting(proc: Path) -> tuple[str, str] | None:
    """The switch that keeps user namespaces from plain users, if one is thrown."""
    if _read(proc / "sys/kernel/unprivileged_userns_clone") == "0":
        return (
            "they are switched off for plain users (kernel.unprivileged_userns_clone is 0)",
            f"as root: sysctl -w kernel.unprivileged_userns_clone=1, {_AS_ROOT}",
        )
    if _read(proc / "sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor keeps them from plain users "
            "(kernel.apparmor_restrict_unprivileged_userns is 1)",
            f"as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, {_AS_ROOT}",
        )
    return None


def _limit(part: Part, proc: Path) -> tuple[str, str]:
    name = f"user.max_{part}_namespaces"
    limit = _read(proc / f"sys/user/max_{part}_namespaces") or "reached"
    if limit == "0":
        return f"none is allowed ({name} is 0)", f"as root: sysctl -w {name}=1000"
    return (
        f"there are too many, or they are nested too deep ({name} is {limit})",
        f"end other sandboxes and containers, or as root raise {name}",
    )


def _filtered(proc: Path) -> bool:
    """Whether a seccomp filter sits on this process (``Seccomp: 2`` in proc(5) status)."""
    fields = (line.split() for line in _read(proc / "self/status").splitlines())
    return ["Seccomp:", "2"] in fields


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
