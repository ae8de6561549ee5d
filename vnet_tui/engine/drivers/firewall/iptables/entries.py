"""Entries of legacy tables as bytes: how long, where their parts are, what identifies them.

Layouts are those of ``linux/netfilter_ipv4/ip_tables.h``, ``linux/netfilter_ipv6/ip6_tables.h`` and
``linux/netfilter/x_tables.h`` on machines where ``long`` is 64 bits wide or aligned like that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

COUNTERS = struct.Struct("=QQ")
"""Packets and bytes."""

_OFFSETS = struct.Struct("=HH")  # target_offset, next_offset
_EXTENSION = struct.Struct("=H29sB")  # struct xt_entry_match, struct xt_entry_target: size, name
_VERDICT = struct.Struct("=i")

STANDARD = b""
"""The name of the target that holds a verdict or the place to jump to."""

ERROR = b"ERROR"
"""The name of the target that stands before a chain of users and holds its name."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes and places in the entries of one address family, in bytes."""

    match: int
    """How much says what a rule is about (``struct ipt_ip``): addresses, interfaces, protocol."""
    ends: int
    """How much of that is about addresses and interfaces."""
    inverted: int
    """Where the byte stands that says of what the opposite is meant."""
    offsets: int
    """Where ``target_offset`` stands; ``next_offset`` follows."""
    counters: int
    """Where packets and bytes are counted (``struct xt_counters``)."""
    header: int
    """How long the entry is before its matches."""

    def size(self, blob: bytes, at: int) -> int:
        """How long the entry is."""
        return int(_OFFSETS.unpack_from(blob, at + self.offsets)[1])

    def set_offsets(self, entry: bytearray, target: int) -> None:
        """Say where the target of an entry begins, and that the entry is as long as it is."""
        _OFFSETS.pack_into(entry, self.offsets, target, len(entry))

    def target(self, blob: bytes, at: int) -> int:
        """Where the target of the entry begins."""
        return at + int(_OFFSETS.unpack_from(blob, at + self.offsets)[0])


LAYOUTS = {
    4: Layout(match=84, ends=80, inverted=83, offsets=88, counters=96, header=112),
    6: Layout(match=133, ends=128, inverted=132, offsets=140, counters=152, header=168),
}


@dataclass(frozen=True, slots=True)
class Extension:
    """A match or target: its name, which revision of it, and its data."""

    size: int
    name: bytes
    revision: int
    data: bytes

    def __bytes__(self) -> bytes:
        """What counts: in memory that the kernel filled, anything may stand after the name."""
        return _EXTENSION.pack(self.size, self.name, self.revision) + self.data

    @property
    def verdict(self) -> int:
        """What the standard target says: below 0 a verdict, else where to jump to."""
        return int(_VERDICT.unpack_from(self.data)[0])


def extension(blob: bytes, at: int) -> Extension:
    """The match or target that begins there."""
    size, name, revision = _EXTENSION.unpack_from(blob, at)
    return Extension(
        size, name.split(b"\0", 1)[0], revision, blob[at + _EXTENSION.size : at + size]
    )


def matches(family: int, entry: bytes) -> Iterator[Extension]:
    """The matches of an entry."""
    layout = LAYOUTS[family]
    at, end = layout.header, layout.target(entry, 0)
    while at < end:
        found = extension(entry, at)
        yield found
        at += found.size


def identity(family: int, entry: bytes, jump: str | None) -> bytes:
    """What is equal in two entries that do the same, whatever they have counted.

    A jump or verdict (``jump``: its name) is written as a place in the table, which may change;
    None where the entry has a target of another kind.
    """
    layout = LAYOUTS[family]
    does = jump.encode() if jump is not None else bytes(extension(entry, layout.target(entry, 0)))
    return entry[: layout.match] + b"".join(map(bytes, matches(family, entry))) + b"\0" + does


def clean_identity(layout: Layout, entry: bytes, target: int, jump: bytes | None) -> bytes:
    """The same of an entry of which all unused bytes are zero, with its target at ``target``."""
    does = entry[target:] if jump is None else jump
    return entry[: layout.match] + entry[layout.header : target] + b"\0" + does
