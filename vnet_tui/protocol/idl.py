"""The interface as varlink describes interfaces (varlink.org/Interface-Definition), with comments.

Made from the same types as the messages themselves, so that it is always true.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from textwrap import wrap
from typing import Any, Literal, get_args, get_origin

from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.views import Progress
from vnet_tui.protocol import INTERFACE, faults
from vnet_tui.protocol.codec import (
    TEXTS,
    alternatives,
    fields_of,
    is_mapping,
    is_sequence,
)
from vnet_tui.protocol.methods import JOIN, PROGRESS, RESULT, SKIPPED, Method

_PLAIN = {str: "string", bool: "bool", int: "int", float: "float"}

_WIDTH = 92

_ABOUT = """The virtual networks of one host.

UUIDs, addresses and networks are strings as people write them, moments strings as ISO 8601 writes
them. Fields that may be missing are left out rather than null. Who may call what is decided by
the user and the groups of the caller: methods that change need the right to.

Methods that give a stream have to be called with "more". Their first reply is empty: nothing that
happens after it is missed. A reader who is too slow is told in "skipped" how many items it missed
before this one, and is cut off when it doesn't read at all.

Methods that tell their progress give only their result when they are called without "more"."""

_JOIN = """
# From now on this connection belongs to a session with all others of the same user that named it.
#
# A checkpoint lets only the session that opened it make changes. A connection that joins none is a
# session by itself.
method Join(session: string) -> ()
"""


SERVICE_DESCRIPTION = """# What every varlink service tells of itself.
interface org.varlink.service

# Who this is and which interfaces it has.
method GetInfo() -> (
  vendor: string,
  product: string,
  version: string,
  url: string,
  interfaces: []string
)

# The description of an interface.
method GetInterfaceDescription(interface: string) -> (description: string)

# There is no such interface here.
error InterfaceNotFound (interface: string)

# The interface has no such method.
error MethodNotFound (method: string)

# The interface names the method, which isn't there.
error MethodNotImplemented (method: string)

# An argument isn't what the interface says. In addition, message tells why.
error InvalidParameter (parameter: string)

# The method gives a stream, and has to be called with "more".
error ExpectedMore ()
"""


def describe(methods: Collection[Method]) -> str:
    """The text of the interface."""
    types: dict[str, Any] = {}
    parts = [_method(method, types) for method in methods]
    problems = [_error(name, kind, types) for name, kind in sorted(faults.kinds().items())]
    described: dict[str, str] = {}
    while missing := types.keys() - described.keys():
        for name in missing:
            described[name] = _type(name, types[name], types)
    head = f"{_comment(_ABOUT)}interface {INTERFACE}\n"
    _check_names(types, methods)
    return "\n".join(
        [head, *(described[name] for name in sorted(described)), *parts, _JOIN.lstrip(), *problems]
    )


def _check_names(types: Iterable[str], methods: Iterable[Method]) -> None:
    names = [*types, *(method.wire_name for method in methods), *faults.kinds(), JOIN]
    if twice := {name for name in names if names.count(name) > 1}:
        raise TypeError(f"several members of the interface have one name: {twice}")


def _method(method: Method, types: dict[str, Any]) -> str:
    given = {
        name: _optional(_named(parameter.hint, types), not parameter.required)
        for name, parameter in method.parameters.items()
    }
    result: dict[str, str] = {}
    several = method.streams or method.tells_progress
    if method.tells_progress:
        result[PROGRESS] = _optional(_named(Progress, types), True)
    if method.result is not None:
        result[RESULT] = _optional(_named(method.result, types), several)
    if method.streams:
        result[SKIPPED] = "?int"
    notes = [_plain_words(method.doc)]
    if method.streams:
        notes.append("A stream.")
    if method.tells_progress:
        notes.append("Tells its progress.")
    if method.changes:
        notes.append("Needs the right to change.")
    head = _comment("\n\n".join([notes[0], " ".join(notes[1:])]).strip())
    return f"{head}method {method.wire_name}{_members(given)} -> {_members(result)}\n"


def _type(name: str, kind: Any, types: dict[str, Any]) -> str:
    doc = inspect.getdoc(kind) or ""
    if issubclass(kind, Enum):
        members = ", ".join(member.name.lower() for member in kind)
        return f"{_comment(_plain_words(doc))}type {name} ({members})\n"
    fields = {field: _named(hint, types) for field, hint in fields_of(kind).items()}
    lines = ",\n".join(f"  {field}: {hint}" for field, hint in fields.items())
    return f"{_comment(_plain_words(doc))}type {name} (\n{lines}\n)\n"


def _error(name: str, kind: type[VnetError], types: dict[str, Any]) -> str:
    fields = {field: _named(hint, types) for field, hint in faults.fields_of(kind).items()}
    return f"{_comment(_plain_words(inspect.getdoc(kind) or ''))}error {name} {_members(fields)}\n"


def _named(hint: Any, types: dict[str, Any]) -> str:
    """A type by its name; those that have to be described are put into ``types``."""
    found, optional = alternatives(hint)
    return _optional(_one(hint, found, types), optional)


def _one(hint: Any, found: frozenset[Any], types: dict[str, Any]) -> str:
    if found in TEXTS:
        return "string"
    (one,) = found
    if one in _PLAIN:
        return _PLAIN[one]
    if get_origin(one) is Literal:
        return f"({', '.join(get_args(one))})"
    if is_sequence(one):
        return f"[]{_named(get_args(one)[0], types)}"
    if is_mapping(one):
        return f"[string]{_named(get_args(one)[1], types)}"
    if not isinstance(one, type) or not (dataclasses.is_dataclass(one) or issubclass(one, Enum)):
        raise TypeError(f"{hint} can't travel")
    name = one.__name__
    if types.setdefault(name, one) is not one:
        raise TypeError(f"two types are named {name}: {one} and {types[name]}")
    return name


def _optional(text: str, optional: bool) -> str:
    return f"?{text}" if optional and not text.startswith("?") else text


def _members(members: Mapping[str, str]) -> str:
    return f"({', '.join(f'{name}: {hint}' for name, hint in members.items())})"


def _plain_words(doc: str) -> str:
    """A docstring without the marks for links and code."""
    unlinked = re.sub(r":\w+:`~?([^`]*)`", lambda found: found[1].rpartition(".")[2], doc)
    return unlinked.replace("``", "")


def _comment(text: str) -> str:
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        lines += ["", *wrap(" ".join(paragraph.split()), _WIDTH)]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines[1:])
