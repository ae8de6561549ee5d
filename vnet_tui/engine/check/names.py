"""Which names are names."""

from __future__ import annotations

import re

from vnet_tui.engine.naming import MAX_INTERFACE_NAME

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_SERVICE_LABEL = re.compile(r"_?(?!-)[A-Za-z0-9-]{1,62}(?<!-)")
_GUEST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?")
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_RESERVED_INTERFACES = frozenset({"lo", "all", "default"})
"""``all`` and ``default`` stand for every interface under /proc/sys/net/ipv4/conf."""

NAME_RULE = "letters, digits and dashes, no dash at either end, at most 63 a label (RFC 1123)"


def is_label(name: str) -> bool:
    """One label of a host name (RFC 1123, section 2.1)."""
    return bool(_LABEL.fullmatch(name))


def is_host_name(name: str) -> bool:
    """A host name: labels divided by dots, at most 253 characters."""
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))


def is_record_name(name: str) -> bool:
    """A host name whose labels may begin with an underscore, like ``_sip._udp`` (RFC 2782)."""
    return len(name) <= 253 and all(_SERVICE_LABEL.fullmatch(label) for label in name.split("."))


def is_guest_name(name: str) -> bool:
    """What a guest may be called where it is attached: more than a host name, like ``web_01``."""
    return bool(_GUEST.fullmatch(name))


def interface_name_problem(name: str) -> tuple[str, str] | None:
    """What is wrong with the name of an interface, and how to mend it; None: nothing.

    The kernel forbids more than 15 bytes, "/", ":" and spaces (net/core/dev.c, dev_valid_name);
    letters, digits, ".", "_" and "-" are what every tool takes.
    """
    if not name:
        return "is empty", "give a name, or leave the attribute out"
    if len(name.encode("utf-8", "surrogatepass")) > MAX_INTERFACE_NAME:
        return (
            f"has {len(name.encode('utf-8', 'surrogatepass'))} bytes",
            f"the kernel takes at most {MAX_INTERFACE_NAME}",
        )
    if not _INTERFACE.fullmatch(name):
        return (
            "has characters that names of interfaces can't have",
            "use letters, digits, ., _ and -, and begin with a letter or digit",
        )
    if name in _RESERVED_INTERFACES:
        return "means something else to the kernel", "choose another name"
    return None


def mac_problem(mac: str) -> str | None:
    """Why a MAC can't be that of an interface; None: it can."""
    octets = [int(octet, 16) for octet in mac.split(":")]
    if octets[0] & 1:
        return "is a group address (its first octet is odd)"
    if not any(octets):
        return "is all zeros"
    return None


def one_line(text: str) -> bool:
    """Whether every character can be printed and stays on one line (no control characters, none
    that change the direction of writing)."""
    return text.isprintable()
