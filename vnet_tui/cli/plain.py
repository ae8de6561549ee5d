"""Values of the engine as JSON: fields by name, addresses and UUIDs as text, tuples as arrays.

What is printed is as stable as :mod:`vnet_tui.engine.views` is: fields are added, not renamed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum, StrEnum


def plain(value: object) -> object:
    """The same, of dictionaries, lists, text, numbers, booleans and None."""
    match value:
        case None | bool():
            return value
        case StrEnum():
            return value.value
        case Enum():
            return str(value)
        case int() | float() | str():
            return value
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return str(value)


def line(value: object) -> str:
    """As JSON on one line."""
    return json.dumps(plain(value), ensure_ascii=False)


def document(value: object) -> str:
    """As JSON that people can read too."""
    return json.dumps(plain(value), ensure_ascii=False, indent=2)
