"""The methods of a varlink interface, derived from an API that is a class with typed methods.

``async def`` gives one reply; a function that gives an async iterator, a stream of replies; one
with ``on_progress``, replies that tell how far it is, and then its result.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, get_args, get_origin, get_type_hints

from vnet_tui.protocol.codec import Encode, WrongTypeError, decoder, encoder
from vnet_tui.protocol.messages import Json

READING = frozenset(
    {
        "checkpoint",
        "damaged",
        "doctor",
        "events",
        "explain",
        "flows",
        "guests",
        "history",
        "host",
        "leases",
        "network",
        "networks",
        "past_events",
        "plan",
        "plan_document",
        "rules",
        "samples",
        "suggest_subnet",
        "validate",
        "warnings",
        "xml",
    }
)
"""The methods that change nothing: whoever may read may call them. All others change, but
``close``, which is about the connection itself."""

NEWEST_ONLY = frozenset({"samples"})
"""The streams of which a reader who is behind gets the newest item only. Of others it gets all,
up to a number."""

WIRE_NAMES = {"checkpoint": "GetCheckpoint", "flows": "GetFlows"}
"""Where the method's own name won't do: methods, types and errors may not share one."""

JOIN = "Join"
"""The method that makes several connections one session; it is about the connection itself."""

RESULT = "result"
PROGRESS = "progress"
SKIPPED = "skipped"

_ON_PROGRESS = "on_progress"


def changes(name: str) -> bool:
    """Whether the method of that name takes the right to change."""
    return name not in READING and name != "close"


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method; ``required`` unless it has a default."""

    name: str
    hint: Any
    required: bool
    default: Any


@dataclass(frozen=True)
class Method:
    """A method of the API, ``name``, and what it is on the wire.

    ``later`` are names in its annotations that are imported only when they are needed, and the
    modules that have them.
    """

    name: str
    function: Any
    later: Mapping[str, str]

    @property
    def wire_name(self) -> str:
        """Its name in the interface: ``set_autostart`` is ``SetAutostart``."""
        return WIRE_NAMES.get(self.name) or "".join(map(str.capitalize, self.name.split("_")))

    @property
    def changes(self) -> bool:
        """Whether it takes the right to change."""
        return changes(self.name)

    @property
    def doc(self) -> str:
        """What it does."""
        return inspect.getdoc(self.function) or ""

    @cached_property
    def hints(self) -> Mapping[str, Any]:
        """The types of its parameters, and of its result as ``return``."""
        found: dict[str, Any] = {}
        while True:
            try:
                return get_type_hints(self.function, localns=found)
            except NameError as error:
                name = error.name or ""
                if name not in self.later:
                    raise
                found[name] = getattr(import_module(self.later[name]), name)

    @cached_property
    def signature(self) -> inspect.Signature:
        """How it is called in Python."""
        return inspect.signature(self.function)

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """What goes over the wire, in order."""
        return {
            name: Parameter(
                name, self.hints[name], parameter.default is parameter.empty, parameter.default
            )
            for name, parameter in self.signature.parameters.items()
            if name not in ("self", _ON_PROGRESS)
        }

    @property
    def tells_progress(self) -> bool:
        """Whether it tells how far it is."""
        return _ON_PROGRESS in self.signature.parameters

    @cached_property
    def streams(self) -> bool:
        """Whether it gives one item after the other."""
        return get_origin(self.hints["return"]) is AsyncIterator

    @cached_property
    def result(self) -> Any:
        """The type of its result, or of each item; ``None`` when there is none."""
        hint = self.hints["return"]
        if self.streams:
            return get_args(hint)[0]
        return None if hint is type(None) else hint

    @cached_property
    def encode_result(self) -> Encode:
        """What makes JSON of a result."""
        return encoder(self.result)

    def decode_result(self, value: Json) -> Any:
        """A result that came. Raises :class:`~vnet_tui.protocol.codec.WrongTypeError`."""
        try:
            return decoder(self.result, False)(value)
        except WrongTypeError as error:
            raise error.within(RESULT) from None

    def encode_arguments(self, arguments: Mapping[str, Any]) -> dict[str, Json]:
        """What is sent for a call; defaults are left out."""
        return {
            name: encoder(self.parameters[name].hint)(value)
            for name, value in arguments.items()
            if name != _ON_PROGRESS and value != self.parameters[name].default
        }

    def decode_arguments(self, sent: Mapping[str, Json]) -> dict[str, Any]:
        """What the method is to be called with.

        Raises :class:`~vnet_tui.protocol.codec.WrongTypeError` for what it can't be called with.
        """
        for name in sent:
            if name not in self.parameters:
                raise WrongTypeError(f"{self.wire_name} has no such parameter", name[:100])
        made = {}
        for name, parameter in self.parameters.items():
            value = sent.get(name)
            if value is not None or parameter.required:
                try:
                    made[name] = decoder(parameter.hint, True)(value)
                except WrongTypeError as error:
                    raise error.within(name) from None
        return made

    def call(self, api: object, arguments: Mapping[str, Any]) -> Any:
        """What the method of an object gives. Arguments that may go by position do."""
        bound = self.signature.bind(api, **arguments)
        return getattr(api, self.name)(*bound.args[1:], **bound.kwargs)


def methods_of(api: type, later: Mapping[str, str]) -> Mapping[str, Method]:
    """All public methods of an API by name, but ``close``, which is about the connection itself."""
    return {
        name: Method(name, function, later)
        for name, function in vars(api).items()
        if inspect.isfunction(function) and not name.startswith("_") and name != "close"
    }
