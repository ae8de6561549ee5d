"""A server on asyncvarlink, which reads the types of its methods: they have to be types here, not
text, so that annotations are not postponed in this file."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from typing import Any, TypedDict


class Info(TypedDict):
    """What the method gives."""

    uuid: str
    name: str
    state: str
    mode: str


class Point(TypedDict):
    """An item of the stream."""

    time: float
    in_bits: float
    out_bits: float


async def serve(path: str, interface: str, items: int) -> None:
    """Serve ``Network`` and ``Samples`` for ever."""
    library: Any = importlib.import_module("asyncvarlink")
    info = Info(uuid="0" * 32, name="office", state="active", mode="nat")

    async def network(self: object, *, ref: str) -> Info:  # noqa: ARG001
        return info

    async def samples(self: object) -> AsyncIterator[Point]:  # noqa: ARG001
        for number in range(items):
            yield Point(time=float(number), in_bits=1.0, out_bits=2.0)

    decorate = library.varlinkmethod(return_parameter="result")
    body = {"Network": decorate(network), "Samples": decorate(samples)}
    base = library.VarlinkInterface
    peer = type(base)("Peer", (base,), body, name=interface)
    registry = library.VarlinkInterfaceRegistry()
    registry.register_interface(peer())
    await library.create_unix_server(registry.protocol_factory, path)
    await asyncio.Event().wait()
