"""Who may do what: decided by the user and the groups of the process at the other end."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

from vnet_tui.engine.errors import NotPermittedError

CHANGE_GROUP = "vnet"
READ_GROUP = "vnet-read"

_SO_PEERGROUPS = 59  # include/uapi/asm-generic/socket.h
_MOST_GROUPS = 1024  # bytes that Python lets getsockopt(2) give


class Role(IntEnum):
    """What a client may do, each more than the one before."""

    NOTHING = 0
    READ = 1
    CHANGE = 2


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a Unix socket, as it was when it connected (unix(7))."""

    pid: int
    uid: int
    groups: frozenset[int]

    @classmethod
    def of(cls, connection: socket.socket) -> Peer:
        """Who is at the other end. Raises OSError for other sockets than those of Unix."""
        size = struct.calcsize("3i")
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        pid, uid, gid = struct.unpack("3i", credentials)
        return cls(pid, uid, frozenset({gid, *_further_groups(connection, uid, gid)}))

    def told(self) -> str:
        """Who that is, for people and logs. Asks the host's user database."""
        try:
            name = pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid} (pid {self.pid})"
        return f"{name} (uid {self.uid}, pid {self.pid})"


def _further_groups(connection: socket.socket, uid: int, gid: int) -> list[int]:
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS)
    except OSError:  # it has more groups than there is room for
        try:
            return os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
        except KeyError:
            return []
    return list(struct.unpack(f"{len(raw) // 4}i", raw))


@dataclass(frozen=True, slots=True)
class Rights:
    """The groups that give rights, by name; whoever runs the daemon and root have all rights."""

    change_group: str = CHANGE_GROUP
    read_group: str = READ_GROUP
    anyone_may_read: bool = False

    def role(self, peer: Peer) -> Role:
        """What a client may do. Groups are looked up anew, so that one may be made at any time."""
        if peer.uid in (0, os.geteuid()) or _has(peer, self.change_group):
            return Role.CHANGE
        if self.anyone_may_read or _has(peer, self.read_group):
            return Role.READ
        return Role.NOTHING

    def refusal(self, role: Role, method: str) -> NotPermittedError:
        """What a client is told that may not call a method."""
        if role is Role.READ:
            return NotPermittedError(
                f"you may read, and {method} changes",
                f"that needs root or the group {self.change_group}: "
                f"adduser USER {self.change_group}, and log in again",
            )
        return NotPermittedError(
            f"you may not use this daemon: it needs root, the group {self.change_group} (to "
            f"change) or the group {self.read_group} (to read)",
            f"adduser USER {self.read_group}, and log in again",
        )


def _has(peer: Peer, group: str) -> bool:
    try:
        return grp.getgrnam(group).gr_gid in peer.groups
    except KeyError:
        return False
