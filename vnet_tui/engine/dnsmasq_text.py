"""Words of dnsmasq's files, written so that nothing but itself comes of each.

dnsmasq reads its configuration line by line: ``#`` after white space begins a comment, commas
divide, double quotes take the meaning from all of these, and inside them ``\\`` escapes (``\\t``,
``\\n``, ``\\r``, ``\\"``, ``\\\\``). Its buffer holds 1,024 bytes: what is longer becomes a second
line, that is, another directive (``read_file()`` in dnsmasq's option.c).
"""

from __future__ import annotations

import os
import re
from ipaddress import IPv6Address

from vnet_tui.engine.model import Address

LONGEST_LINE = 1000
"""Bytes; below dnsmasq's MAXDNAME of 1,025, with room for the end of the line."""

LONGEST_STRING = 255
"""Bytes in one string of a TXT record (RFC 1035, section 3.3)."""

LONGEST_NAME = 253
"""Characters in a DNS name as text (RFC 1035, section 2.3.4)."""

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_SERVICE_LABEL = re.compile(r"_?[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_MAC = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}")
_INTERFACE = re.compile(r"[A-Za-z0-9_.@+=-]{1,15}")
_OPTION_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9.,:/\[\]@%+=_-]*")
_LEASE_TIME = re.compile(r"[0-9]+[wdhms]?", re.IGNORECASE)
_KEYWORDS = frozenset({"infinite", "ignore"})
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def is_name(text: str) -> bool:
    """Whether it is a DNS name of a host: letters, digits, ``-`` and ``_`` in labels of 63."""
    return len(text) <= LONGEST_NAME and all(_LABEL.fullmatch(part) for part in text.split("."))


def is_record_name(text: str) -> bool:
    """Whether it is a DNS name that may have labels like ``_sip``."""
    return len(text) <= LONGEST_NAME and all(
        _SERVICE_LABEL.fullmatch(part) for part in text.split(".")
    )


def is_mac(text: str) -> bool:
    """Whether it is an Ethernet address without wildcards."""
    return _MAC.fullmatch(text) is not None


def is_interface(text: str) -> bool:
    """Whether it can be the value of ``interface=``, where ``*`` and ``:`` mean other things."""
    return _INTERFACE.fullmatch(text) is not None


def is_option_name(text: str) -> bool:
    """Whether it has the form of dnsmasq's names of DHCP options (``dnsmasq --help dhcp``)."""
    return _OPTION_NAME.fullmatch(text) is not None


def reads_as_something_else(name: str) -> bool:
    """Whether ``dhcp-host`` takes this host name for a lease time or a keyword."""
    return name in _KEYWORDS or _LEASE_TIME.fullmatch(name) is not None


def address_text(address: Address) -> str | None:
    """The address; None where it has a zone, which could be any text."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return None
    return str(address)


def is_text(text: str) -> bool:
    """Whether it can be quoted: no control characters but tab and line ends."""
    return all(character in _ESCAPES or character.isprintable() for character in text)


def quoted(text: str) -> str:
    """The text in double quotes, where commas, ``#`` and line ends are only themselves."""
    return '"' + "".join(_ESCAPES.get(character, character) for character in text) + '"'


def option_value(text: str) -> str:
    """The value of a DHCP option: as it is where dnsmasq can take it apart (addresses, numbers,
    commas between several), else quoted, which makes it one string."""
    return text if _PLAIN_VALUE.fullmatch(text) else quoted(text)


def strings(text: str) -> str:
    """A TXT record's value as quoted strings, each as long as the protocol allows."""
    parts, current, size = [], "", 0
    for character in text:
        width = len(character.encode())
        if size + width > LONGEST_STRING:
            parts.append(current)
            current, size = "", 0
        current += character
        size += width
    return ",".join(quoted(part) for part in [*parts, current])


def fits(line: str) -> bool:
    """Whether dnsmasq reads it as one line."""
    return "\n" not in line and "\r" not in line and len(os.fsencode(line)) <= LONGEST_LINE
