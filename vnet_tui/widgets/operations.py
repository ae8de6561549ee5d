"""Changes that were asked for: what they are called, how they are run, how far they are.

Whoever wants one posts :class:`Requested`; the application runs it and keeps all running ones in
``operations``, an immutable tuple that widgets watch.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from textual.message import Message

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection, OnProgress
    from vnet_tui.engine.views import NetworkInfo, Progress

Run = Callable[["Connection", "OnProgress"], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A change: ``title`` while it runs (``starting Foo``), ``done`` afterwards (``Foo runs``;
    empty: that is told otherwise), ``wanted`` for what didn't come about (``start Foo``); ``word``
    stands for the state of its networks meanwhile, in at most eight letters."""

    word: str
    title: str
    done: str
    wanted: str
    networks: frozenset[UUID]
    run: Run = field(repr=False, compare=False)
    warns: bool = False
    """Whether its networks run by it: what deserves a look in them then is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An operation that isn't over, and its last progress."""

    operation: Operation
    progress: Progress | None = None


class Requested(Message):
    """Somebody wants a change."""

    def __init__(self, operation: Operation) -> None:
        super().__init__()
        self.operation = operation


def told(infos: Sequence[NetworkInfo]) -> str:
    """One network by its name; several by their number."""
    return infos[0].name if len(infos) == 1 else f"{len(infos)} networks"


def _runs(infos: Sequence[NetworkInfo]) -> str:
    return "runs" if len(infos) == 1 else "run"


def start(*infos: NetworkInfo) -> Operation:
    """Start networks, as one batch."""
    names, uuids = told(infos), [info.uuid for info in infos]
    return Operation(
        word="starting",
        title=f"starting {names}",
        done=f"{names} {_runs(infos)}",
        wanted=f"start {names}",
        networks=frozenset(uuids),
        run=lambda connection, tell: connection.start(uuids, on_progress=tell),
        warns=True,
    )


def stop(*infos: NetworkInfo) -> Operation:
    """Stop networks, as one batch."""
    names, uuids = told(infos), [info.uuid for info in infos]
    return Operation(
        word="stopping",
        title=f"stopping {names}",
        done=f"{names} stopped",
        wanted=f"stop {names}",
        networks=frozenset(uuids),
        run=lambda connection, tell: connection.stop(uuids, on_progress=tell),
    )


def restart(*infos: NetworkInfo) -> Operation:
    """Make networks anew, as one batch."""
    names, uuids = told(infos), [info.uuid for info in infos]
    return Operation(
        word="restart",
        title=f"restarting {names}",
        done=f"{names} {_runs(infos)} again",
        wanted=f"restart {names}",
        networks=frozenset(uuids),
        run=lambda connection, tell: connection.restart(uuids, on_progress=tell),
        warns=True,
    )


def apply(info: NetworkInfo) -> Operation:
    """Bring a running network to its definition."""
    return Operation(
        word="applying",
        title=f"applying the definition of {info.name}",
        done=f"{info.name} runs as defined",
        wanted=f"apply the definition of {info.name}",
        networks=frozenset({info.uuid}),
        run=lambda connection, tell: connection.apply(info.uuid, on_progress=tell),
        warns=True,
    )


def undefine(info: NetworkInfo) -> Operation:
    """Forget a definition."""
    rest = "; it runs on until it is stopped" if info.active else ""
    return Operation(
        word="undefine",
        title=f"undefining {info.name}",
        done=f"{info.name} is no longer defined{rest}",
        wanted=f"undefine {info.name}",
        networks=frozenset({info.uuid}),
        run=lambda connection, _: connection.undefine(info.uuid),
    )


def toggle_autostart(info: NetworkInfo) -> Operation:
    """Start a network with the host from now on, or no longer."""
    on = not info.autostart
    return Operation(
        word="setting",
        title=f"setting autostart of {info.name}",
        done=f"{info.name} {'starts' if on else 'no longer starts'} with the host",
        wanted=f"set autostart of {info.name}",
        networks=frozenset({info.uuid}),
        run=lambda connection, _: connection.set_autostart(info.uuid, on),
    )
