"""Errors of the API as errors of varlink, with all their fields, and back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from vnet_tui.engine import errors
from vnet_tui.engine.errors import Problem, ProblemsError, StepFailedError, VnetError
from vnet_tui.protocol import INTERFACE
from vnet_tui.protocol.codec import WrongTypeError, decoder, encoder
from vnet_tui.protocol.messages import Json

SERVICE = "org.varlink.service"
"""The interface that every varlink service has (varlink.org/Service)."""

FIELDS: Mapping[type[VnetError], Mapping[str, Any]] = {
    VnetError: {"message": str, "remedy": str},
    ProblemsError: {"problems": tuple[Problem, ...]},
    StepFailedError: {
        "step": str,
        "cause": str,
        "undone": tuple[str, ...],
        "left": tuple[str, ...],
    },
}
"""The fields that each class of errors adds to those of its base."""


@cache
def kinds() -> Mapping[str, type[VnetError]]:
    """The errors of the API by the names that they have in the interface."""
    found = (one for one in vars(errors).values() if isinstance(one, type))
    return {kind.__name__: kind for kind in found if issubclass(kind, VnetError)}


def fields_of(kind: type[VnetError]) -> Mapping[str, Any]:
    """All fields of a class of errors, and their types."""
    collected: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        collected.update(FIELDS.get(base, {}))
    return collected


def to_wire(error: VnetError) -> dict[str, Json]:
    """The reply that tells an error; one of a class that isn't here goes as its nearest base."""
    kind = next(base for base in type(error).__mro__ if base in kinds().values())
    content = {name: encoder(hint)(getattr(error, name)) for name, hint in fields_of(kind).items()}
    return {"error": f"{INTERFACE}.{kind.__name__}", "parameters": content}


def from_wire(reply: Mapping[str, Json]) -> VnetError:
    """The error that a reply tells, of the class that it had; VnetError where that isn't known."""
    name = str(reply.get("error"))
    sent = reply.get("parameters")
    content = sent if isinstance(sent, dict) else {}
    kind = kinds().get(name.removeprefix(f"{INTERFACE}."))
    if kind is None or not name.startswith(INTERFACE):
        return _other(name, content)
    error = kind.__new__(kind)
    try:
        for field, hint in fields_of(kind).items():
            setattr(error, field, decoder(hint, False)(content.get(field)))
    except WrongTypeError:
        return _other(name, content)
    error.args = (error.message,)
    return error


def invalid_parameter(where: str, message: str) -> dict[str, Json]:
    """The reply to a call with an argument that isn't what the interface says."""
    told = {"parameter": where, "message": message}
    return {"error": f"{SERVICE}.InvalidParameter", "parameters": told}


def _other(name: str, content: Mapping[str, Json]) -> VnetError:
    said = ", ".join(f"{key} {value}" for key, value in content.items())
    if name.startswith(f"{SERVICE}.MethodNot"):
        return VnetError(
            f"the daemon doesn't know {content.get('method', 'the method')}",
            "it is of another version: restart it after an upgrade",
        )
    return VnetError(f"the daemon refused: {name} ({said})")
