"""Edits of single things in a network's documents: the one that runs, the one that is defined."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vnet_tui.engine.errors import StateError, VnetError
from vnet_tui.engine.views import NetworkInfo, Ref

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.model import Network

Edit = Callable[["Network"], "Network"]
"""A pure change of a network; it may raise :class:`~vnet_tui.engine.errors.VnetError`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which documents are meant: how the network runs, and how it is defined."""

    live: bool
    config: bool

    def __str__(self) -> str:
        if self.live and self.config:
            return "persistent config and live state"
        return "live state" if self.live else "persistent config"


def scope(info: NetworkInfo, *, live: bool = False, config: bool = False) -> Scope:
    """The documents that an edit is about; with neither, the running one if the network runs, else
    the definition, as libvirt has it. Raises :class:`~vnet_tui.engine.errors.StateError`."""
    if not live and not config:
        live, config = info.active, not info.active
    if live and not info.active:
        raise StateError(f"{info.name} isn't running", "leave --live out, or start it")
    if config and not info.persistent:
        raise StateError(f"{info.name} is transient: it has no definition to change")
    return Scope(live=live, config=config)


async def edit(connection: Connection, ref: Ref, change: Edit, meant: Scope) -> NetworkInfo:
    """Change the documents that are meant, unless somebody else does so meanwhile.

    Both edits are worked out before either is made; what runs is changed first, and back again
    where the definition can't be. Raises :class:`~vnet_tui.engine.errors.VnetError`.
    """
    info = await connection.network(ref)
    runs = await connection.xml(info.uuid) if meant.live else ""
    defined = await connection.xml(info.uuid, inactive=True) if meant.config else ""
    runs_then = await asyncio.to_thread(_edited, runs, change) if meant.live else ""
    defined_then = await asyncio.to_thread(_edited, defined, change) if meant.config else ""
    if meant.live:
        info = await connection.apply_document(runs_then, replacing=runs)
    if meant.config:
        try:
            info = await connection.define(defined_then, replacing=defined)
        except VnetError:
            if meant.live:
                with contextlib.suppress(VnetError):
                    await connection.apply_document(runs)
            raise
    return info


def _edited(document: str, change: Edit) -> str:
    from vnet_tui.engine.xml import parse, write

    return write(change(parse(document)))
