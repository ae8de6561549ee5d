"""The changes that are under way, and how one is given up: at its next step, and undone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from vnet_tui.engine.caller import caller
from vnet_tui.engine.errors import StateError


@dataclass(eq=False, slots=True)
class _Change:
    """A change of these networks; who wants it to be given up, if somebody does."""

    networks: frozenset[UUID]
    cancelled_by: str = ""

    def go_on(self) -> None:
        if self.cancelled_by:
            raise StateError(f"cancelled by {self.cancelled_by}")


class UnderWay:
    """Those that an engine makes, or that wait until they may begin."""

    def __init__(self) -> None:
        self._changes: list[_Change] = []

    @contextmanager
    def change(self, networks: Collection[UUID]) -> Iterator[Callable[[], None]]:
        """One is under way within; what is given raises StateError once it is cancelled."""
        one = _Change(frozenset(networks))
        self._changes.append(one)
        try:
            yield one.go_on
        finally:
            self._changes.remove(one)

    def cancel(self, networks: Collection[UUID]) -> None:
        """Have those given up that are about any of these networks. StateError: there are none."""
        found = [one for one in self._changes if not one.networks.isdisjoint(networks)]
        if not found:
            raise StateError("nothing is being changed there any more")
        for one in found:
            one.cancelled_by = caller().who
