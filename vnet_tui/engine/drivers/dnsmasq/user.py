"""As whom a dnsmasq runs.

dnsmasq is started as root, opens its ports and its lease file, and then becomes another user; it
keeps the lease file open, so that can stay root's. But it reads its other files again later, as
that user, so the user must be able to reach them.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

USER = "dnsmasq"
"""The user that distributions make for it."""


def arguments(directory: Path) -> list[str]:
    """The arguments that say whom to become, for a dnsmasq with files in ``directory``.

    It stays what we are where it has no choice: we aren't root, the user isn't there, isn't known
    in this user namespace (user_namespaces(7)), or can't reach the directory.
    """
    stay = ["--user=", "--group="]
    if os.geteuid() != 0 or not _may_set_groups():
        return stay
    try:
        user = pwd.getpwnam(USER)
        group = grp.getgrgid(user.pw_gid).gr_name
    except KeyError:
        return stay
    if not (_mapped("uid_map", user.pw_uid) and _mapped("gid_map", user.pw_gid)):
        return stay
    if not all(_may_enter(one, user) for one in (directory, *directory.parents)):
        return stay
    return [f"--user={user.pw_name}", f"--group={group}"]


def _may_enter(directory: Path, user: pwd.struct_passwd) -> bool:
    try:
        status = directory.stat()
    except OSError:
        return False
    if status.st_uid == user.pw_uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == user.pw_gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _may_set_groups() -> bool:
    try:
        return Path("/proc/self/setgroups").read_text().strip() == "allow"
    except OSError:
        return True


def _mapped(kind: str, number: int) -> bool:
    return any(first <= number < first + count for first, count in _map(kind))


def _map(kind: str) -> Iterator[tuple[int, int]]:
    for line in Path("/proc/self", kind).read_text().splitlines():
        inside, _, count = map(int, line.split())
        yield inside, count
