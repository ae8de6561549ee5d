"""Varlink messages: JSON objects, each ended by a zero byte (varlink.org/Method-Call)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Json = Any
"""What :mod:`json` reads and writes."""

LONGEST_CALL = 8 * 1024 * 1024
"""Bytes of a call: the largest document that is accepted (2 MiB), with every character escaped."""

LONGEST_REPLY = 64 * 1024 * 1024
"""Bytes of a reply."""


class BadMessageError(Exception):
    """What came is no varlink message."""


def pack(message: Mapping[str, Json]) -> bytes:
    """A message as bytes."""
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace") + b"\0"


def unpack(message: bytes | bytearray) -> dict[str, Json]:
    """A message that came, without its zero byte. Raises :class:`BadMessageError`."""
    try:
        found = json.loads(message.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadMessageError(f"no JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadMessageError("no JSON object")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
