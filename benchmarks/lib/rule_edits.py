"""One rule of ten thousand changed in a running network, from the request to the kernel, for
:mod:`benchmarks.rules`: whole documents that differ in a rule, and single elements."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import cast

from benchmarks.lib.rule_hosts import FORWARDS, NFTABLES, Setting, text
from vnet_tui.client.connection import Connection
from vnet_tui.client.edits import Scope, edit
from vnet_tui.client.local import LocalConnection
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.sections import updated
from vnet_tui.promptness import be_prompt

FIRST = "the first time of all"
DOCUMENT = "a document, to the store and the kernel"
DEFINED = "  of it, to the store"
APPLIED = "  of it, from there to the kernel"
REPLACED = "an element, to the kernel: in its place"
ADDED = "an element, to the kernel: at the end"
BEFORE_ALL = "an element, to the kernel: before all others"

CHANGES = (DOCUMENT, REPLACED, ADDED, BEFORE_ALL)
"""One rule changed, or another one after all or before all: what a bound is for."""

Took = tuple[float, float, float]
"""Milliseconds: of the engine's processor time, by the clock, and of the longest wait of whoever
else wanted the event loop."""

_ROUNDS = 20
_BEAT = 0.005
"""More often, and looking would take a part of the time that is measured."""


async def edits(kind: str, count: int) -> dict[str, list[Took]]:
    """What edits of each kind take, of a network with so many rules."""
    be_prompt()  # as vnetd and the interface are
    setting = Setting(NFTABLES, kind, count - 1)  # so that there is room for another
    document, ports = text(setting), iter(setting.rules.ports[5:])
    found: dict[str, list[Took]] = {}

    async def measured(what: str, work: Callable[[Connection], Awaitable[object]]) -> None:
        found.setdefault(what, []).append(await _took(connection, work))

    def now(change: str, element: str) -> Callable[[Connection], Awaitable[object]]:
        meant = Scope(live=True, config=False)
        change_ = partial(_updated, change=change, element=element)
        return lambda asked: edit(asked, "bench", change_, meant)

    async with LocalConnection(Paths(Path("/run/state"), Path("/run/vnet"))) as connection:

        async def at_first(asked: Connection) -> None:
            await asked.define(document)
            await asked.start(["bench"])

        await measured(FIRST, at_first)
        for number, port in zip(range(_ROUNDS), ports, strict=False):
            document = document.replace(f'"{port}"', f'"{1_000 + number}"')
            of_all = found.setdefault(DOCUMENT, [])
            await measured(DEFINED, methodcaller("define", document))
            await measured(APPLIED, methodcaller("apply", "bench"))
            one, other = found[DEFINED][-1], found[APPLIED][-1]
            of_all.append((one[0] + other[0], one[1] + other[1], max(one[2], other[2])))
        # The schema is asked once about what only the engine itself wrote so far.
        await now("add-last", _element(kind, 999))(connection)
        for number, port in zip(range(_ROUNDS), ports, strict=False):
            await now("delete", _element(kind, 999 - number))(connection)
            last = _element(kind, 998 - number)
            await measured(ADDED, now("add-last", last))
            limited = last.replace("/>", ' limit="100"/>')
            await measured(REPLACED, now("modify", limited))
            await now("modify", last)(connection)
            await now("delete", _element(kind, port))(connection)
            await measured(BEFORE_ALL, now("add-first", _element(kind, 900 - number)))
        await connection.stop(["bench"])
    return found


def _element(kind: str, port: int) -> str:
    if kind == FORWARDS:
        return f'<allow protocol="tcp" port="{port}" domain="guest"/>'
    return f'<deny protocol="tcp" port="{port}"/>'


def _updated(network: Network, *, change: str, element: str) -> Network:
    return updated(network, change, "incoming", element)


class _Timed:
    """A connection, and the seconds of processor time that what was asked of it took: what a client
    does beside isn't in them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.busy = 0.0

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        async def asked(*words: object, **named: object) -> object:
            began = time.process_time()
            try:
                return await getattr(self._connection, name)(*words, **named)
            finally:
                self.busy += time.process_time() - began

        return asked


async def _took(connection: Connection, work: Callable[[Connection], Awaitable[object]]) -> Took:
    longest, ended = 0.0, False

    async def beat() -> None:
        nonlocal longest
        while not ended:
            began = time.perf_counter()
            await asyncio.sleep(_BEAT)
            longest = max(longest, time.perf_counter() - began - _BEAT)

    timed = _Timed(connection)
    beating = asyncio.create_task(beat())
    await asyncio.sleep(0)
    began = time.perf_counter()
    await work(cast("Connection", timed))
    clock = (time.perf_counter() - began) * 1e3
    ended = True
    await beating
    return timed.busy * 1e3, clock, longest * 1e3
