"""Names and addresses that nobody chose: a bridge's name and MAC, derived so that they stay."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Set as AbstractSet
from itertools import count
from uuid import UUID

MAX_INTERFACE_NAME = 15
"""Bytes in an interface's name: IFNAMSIZ of linux/if.h, less the closing NUL."""

TAP_PREFIX = "vde-"
"""How the names of all interfaces of vde_switches of ours begin."""

_PREFIX = "vnet-"


def derive_bridge_name(name: str, taken: AbstractSet[str]) -> str:
    """A bridge name for the network ``name`` that is not in ``taken``: ``vnet-foo`` for Foo.

    Lower-case letters, digits and single dashes, at most 15 bytes; a number at the end makes it
    unique. A name without any letter or digit that ASCII has gives ``vnet-`` and a digest.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not stem:
        stem = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    for number in count(1):
        suffix = "" if number == 1 else f"-{number}"
        room = MAX_INTERFACE_NAME - len(_PREFIX) - len(suffix)
        candidate = _PREFIX + stem[:room].rstrip("-") + suffix
        if candidate not in taken:
            return candidate
    raise AssertionError("count() never ends")


def derive_tap_name(uuid: UUID) -> str:
    """The interface that joins a network's vde_switch with its bridge: the same for the same UUID.

    The bridge may be renamed while the switch runs, so it says nothing of that.
    """
    return TAP_PREFIX + hashlib.sha256(b"vnet tap " + uuid.bytes).hexdigest()[:8]


def derive_mac(uuid: UUID) -> str:
    """The MAC of a network's bridge: the same for the same UUID, everywhere.

    Its first octet is 02: unicast, locally administered (IEEE 802, section 8.2); the other five
    are a digest of the UUID.
    """
    digest = hashlib.sha256(b"vnet bridge " + uuid.bytes).digest()
    return ":".join(f"{octet:02x}" for octet in (0x02, *digest[:5]))
