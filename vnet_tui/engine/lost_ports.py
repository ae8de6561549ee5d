"""What was plugged into a bridge that somebody deleted, so that it can be plugged in again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from uuid import UUID

from vnet_tui.engine.drivers.links import Happened, LinkChange

TOGETHER_SECONDS = 2.0
"""How long before its bridge went a port may have left it and still count as taken off by that:
the kernel tells of all ports first, and only then of the bridge (``br_dev_delete()``)."""


class LostPorts:
    """Listens to what happens to interfaces. ``clock`` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._left: dict[str, dict[int, tuple[str, float]]] = {}
        self._lost: dict[str, dict[int, tuple[str, float]]] = {}

    def heard(self, change: LinkChange) -> None:
        """Take account of what happened."""
        match change.happened:
            case Happened.DETACHED if change.master:
                self._forget_old()
                left = self._left.setdefault(change.master, {})
                left[change.index] = (change.name, self._clock())
            case Happened.ATTACHED:
                self._forget(change.index)
            case Happened.REMOVED:
                self._forget(change.index)
                self._forget_old()
                if with_it := self._left.pop(change.name, {}):
                    self._lost.setdefault(change.name, {}).update(with_it)

    def of(
        self, bridges: Mapping[UUID, tuple[str, float]]
    ) -> Mapping[UUID, tuple[tuple[str, int], ...]]:
        """The ports that the bridges of these networks lost since the networks were started, by
        name and index. ``bridges`` are their names and those moments; others are forgotten."""
        self._lost = {
            bridge: {i: port for i, port in self._lost[bridge].items() if port[1] > started}
            for bridge, started in bridges.values()
            if bridge in self._lost
        }
        return {
            uuid: tuple((name, index) for index, (name, _) in sorted(lost.items()))
            for uuid, (bridge, _) in bridges.items()
            if (lost := self._lost.get(bridge))
        }

    def _forget(self, index: int) -> None:
        for left in self._left.values():
            left.pop(index, None)
        for lost in self._lost.values():
            lost.pop(index, None)

    def _forget_old(self) -> None:
        since = self._clock() - TOGETHER_SECONDS
        for ports in self._left.values():
            for index in [index for index, (_, when) in ports.items() if when < since]:
                del ports[index]
        self._left = {bridge: ports for bridge, ports in self._left.items() if ports}
