"""What a change is to bring about: the networks that shall run, and which of them it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from vnet_tui.engine.model import Network
from vnet_tui.engine.resources import RunRecord

Running = Mapping[UUID, tuple[RunRecord, Network]]
"""The networks that run, with what runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a change is to bring about.

    ``records`` are all networks that shall run afterwards, with their documents; ``scope`` those
    that the change is about; those in ``recreate`` are made anew even where they are right.
    Where ``services`` are given, only those of these networks are looked at, and nothing is taken
    away that others left which don't run. ``ports`` shall be attached to the bridges of their
    networks again, by name and interface index, where they are still there and nobody's.
    """

    records: Running
    scope: frozenset[UUID]
    recreate: frozenset[UUID] = frozenset()
    ports: Mapping[UUID, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    services: frozenset[UUID] | None = None


Prepare = Callable[[Running], Request]
"""Gives, from what runs, what is to be. Raises :class:`~vnet_tui.engine.errors.VnetError` where
that makes no sense."""
