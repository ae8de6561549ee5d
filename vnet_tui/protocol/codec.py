"""Values of the API as JSON, and back, by their types.

Dataclasses become objects (fields that are None are left out), mappings objects with text as keys,
sequences arrays. Enums travel by the names of their members in lower case, since varlink wants
identifiers there; UUIDs, addresses and networks as they are written, moments in ISO 8601.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from vnet_tui.protocol.messages import Json

Encode = Callable[[Any], Json]
Decode = Callable[[Json], Any]

TEXTS: Mapping[frozenset[type], tuple[Callable[[str], object], str]] = {
    frozenset({UUID, str}): (str, "a network's UUID, name or id"),
    frozenset({UUID}): (UUID, "a UUID"),
    frozenset({IPv4Address, IPv6Address}): (ip_address, "an IP address"),
    frozenset({IPv4Interface, IPv6Interface}): (ip_interface, "an IP address with its prefix"),
    frozenset({IPv4Network, IPv6Network}): (ip_network, "an IP network"),
    frozenset({datetime}): (datetime.fromisoformat, "a moment as ISO 8601 writes it"),
}
"""The types that travel as text: how each is read, and what it is called."""

_LONGEST_NAME = 100
"""Characters of a name that we don't know, when it is told."""

_PLAIN: Mapping[type, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a string"),
    bool: ((bool,), "true or false"),
    int: ((int,), "an integer"),
    float: ((float, int), "a number"),
}


class WrongTypeError(Exception):
    """What came isn't what the interface says.

    ``where`` names the parameter, or a part of it, as ``query.port`` or ``refs[2]``: whoever looks
    into something puts its name before the place within it, once there is an error to tell.
    """

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where

    def within(self, place: str) -> WrongTypeError:
        """The same, seen from further outside."""
        return WrongTypeError(self.message, f"{place}{self.where}")

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def alternatives(hint: Any) -> tuple[frozenset[Any], bool]:
    """What a type may be, and whether it may be None too."""
    if get_origin(hint) in (Union, types.UnionType):
        found = frozenset(get_args(hint))
        return found - {type(None)}, type(None) in found
    return frozenset({hint}), False


def text_type(hint: Any) -> tuple[Callable[[str], object], str] | None:
    """How a type that travels as text is read, and what it is called; None for other types."""
    return TEXTS.get(alternatives(hint)[0])


def is_sequence(hint: Any) -> bool:
    """Whether it is a tuple of any length, or a sequence."""
    return get_origin(hint) in (tuple, Sequence)


def is_mapping(hint: Any) -> bool:
    """Whether it is a mapping."""
    return get_origin(hint) is Mapping


@functools.cache
def fields_of(structure: type) -> Mapping[str, Any]:
    """The fields of a dataclass that it is made with, and their types."""
    hints = get_type_hints(structure)
    made_with = dataclasses.fields(cast("Any", structure))
    return {field.name: hints[field.name] for field in made_with if field.init}


def same(value: Any) -> Json:
    """The value itself: it is JSON already."""
    return value


@functools.cache
def encoder(hint: Any) -> Encode:
    """What makes JSON of values of a type. Raises TypeError for a type that can't travel."""
    one, optional = _single(hint)
    if text_type(hint) is not None:
        made: Encode = _moment if one is datetime else str
    elif one in _PLAIN:
        return _finite if one is float else same
    elif get_origin(one) is Literal:
        return same
    elif is_sequence(one):
        made = _encode_sequence(encoder(get_args(one)[0]))
    elif is_mapping(one):
        made = _encode_mapping(encoder(get_args(one)[1]))
    elif isinstance(one, type) and issubclass(one, Enum):
        made = {member: member.name.lower() for member in one}.__getitem__
    elif dataclasses.is_dataclass(one):
        return _encode_structure(cast("type", one), optional)
    else:
        raise TypeError(f"{hint} can't travel")
    return _unless_none(made) if optional else made


@functools.cache
def decoder(hint: Any, strict: bool) -> Decode:
    """What makes values of a type of JSON, and raises :class:`WrongTypeError` for other JSON.

    ``strict`` refuses fields that nobody knows; otherwise they are ignored, as from a daemon that
    is newer.
    """
    one, optional = _single(hint)
    text = text_type(hint)
    if text is not None:
        made = _decode_text(*text)
    elif one in _PLAIN:
        made = _decode_plain(*_PLAIN[one], wanted=one)
    elif get_origin(one) is Literal:
        made = _decode_choice({value: value for value in get_args(one)})
    elif is_sequence(one):
        made = _decode_sequence(decoder(get_args(one)[0], strict))
    elif is_mapping(one):
        key, value = get_args(one)
        made = _decode_mapping(decoder(key, strict), decoder(value, strict))
    elif isinstance(one, type) and issubclass(one, Enum):
        made = _decode_choice({member.name.lower(): member for member in one})
    elif dataclasses.is_dataclass(one):
        made = _decode_structure(cast("type", one), strict)
    else:
        raise TypeError(f"{hint} can't travel")
    if not optional:
        return made
    return lambda value: None if value is None else made(value)


def _single(hint: Any) -> tuple[Any, bool]:
    found, optional = alternatives(hint)
    if len(found) == 1:
        return next(iter(found)), optional
    if found not in TEXTS:
        raise TypeError(f"{hint} can't travel")
    return hint, optional


def _moment(value: datetime) -> str:
    return value.isoformat()


def _finite(value: float | None) -> float | None:
    """JSON has no infinity, and nobody measures one."""
    return value if value is None or math.isfinite(value) else 0.0


def _unless_none(made: Encode) -> Encode:
    return lambda value: None if value is None else made(value)


def _encode_sequence(item: Encode) -> Encode:
    return list if item is same else lambda values: [item(value) for value in values]


def _encode_mapping(item: Encode) -> Encode:
    return lambda values: {str(key): item(value) for key, value in values.items()}


def _encode_structure(structure: type, optional: bool) -> Encode:
    later: list[tuple[str, Encode]] = []

    def encode(value: Any) -> Json:
        if optional and value is None:
            return None
        if not later:  # a structure may have fields of its own type
            hints = fields_of(structure)
            later.extend((name, encoder(hint)) for name, hint in hints.items())
        made = {}
        for name, of_field in later:
            content = getattr(value, name)
            if content is not None:
                made[name] = content if of_field is same else of_field(content)
        return made

    return encode


def _decode_text(read: Callable[[str], object], called: str) -> Decode:
    def decode(value: Json) -> object:
        if not isinstance(value, str):
            raise WrongTypeError(f"it has to be {called}, as text, and is {_told(value)}")
        try:
            return read(value)
        except ValueError:
            raise WrongTypeError(f"{value[:100]!r} isn't {called}") from None

    return decode


def _decode_plain(accepted: tuple[type, ...], called: str, *, wanted: type) -> Decode:
    def decode(value: Json) -> Json:
        if not isinstance(value, accepted) or (wanted is not bool and isinstance(value, bool)):
            raise WrongTypeError(f"it has to be {called}, and is {_told(value)}")
        return value

    def decode_number(value: Json) -> float:
        try:
            number = float(decode(value))
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise WrongTypeError("this number is too large")
        return number

    return decode_number if wanted is float else decode


def _decode_choice(choices: Mapping[str, object]) -> Decode:
    def decode(value: Json) -> object:
        try:
            return choices[value]
        except (KeyError, TypeError):
            told = repr(value[:100]) if isinstance(value, str) else _told(value)
            raise WrongTypeError(f"{told} is none of {', '.join(choices)}") from None

    return decode


def _decode_sequence(item: Decode) -> Decode:
    def decode(value: Json) -> object:
        if not isinstance(value, list):
            raise WrongTypeError(f"it has to be an array, and is {_told(value)}")
        made: list[object] = []
        try:
            for one in value:
                made.append(item(one))
        except WrongTypeError as error:
            raise error.within(f"[{len(made)}]") from None
        return tuple(made)

    return decode


def _decode_mapping(key: Decode, item: Decode) -> Decode:
    def decode(value: Json) -> object:
        if not isinstance(value, dict):
            raise WrongTypeError(f"it has to be an object, and is {_told(value)}")
        made = {}
        name = ""
        try:
            for name, one in value.items():
                made[key(name)] = item(one)
        except WrongTypeError as error:
            raise error.within(f"[{name[:_LONGEST_NAME]}]") from None
        return made

    return decode


def _decode_structure(structure: type, strict: bool) -> Decode:
    decoders: dict[str, Decode] = {}
    needed: list[str] = []

    def decode(value: Json) -> object:
        if not isinstance(value, dict):
            raise WrongTypeError(f"it has to be an object, and is {_told(value)}")
        if not decoders:
            needed.extend(_without_default(structure))
            decoders.update({k: decoder(hint, strict) for k, hint in fields_of(structure).items()})
        made = {}
        name = ""
        try:
            for name, content in value.items():
                if name in decoders:
                    made[name] = decoders[name](content)
                elif strict:
                    raise WrongTypeError("there is no such field")
            for name in needed:
                if name not in made:
                    made[name] = decoders[name](None)
        except WrongTypeError as error:
            raise error.within(f".{name[:_LONGEST_NAME]}") from None
        return structure(**made)

    return decode


def _without_default(structure: type) -> list[str]:
    missing = dataclasses.MISSING
    return [
        field.name
        for field in dataclasses.fields(cast("Any", structure))
        if field.init and field.default is missing and field.default_factory is missing
    ]


def _told(value: Json) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "missing"
    for kind, (_, called) in _PLAIN.items():
        if type(value) is kind:
            return called
    return "an array" if isinstance(value, list) else "an object"
