"""The counters of all interfaces at one moment, by columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Counters = tuple[int, ...]
"""What passed an interface since it was made: bytes in and out, packets in and out, drops in and
out (the order of :class:`~vnet_tui.engine.views.Totals`). *In* is what the interface sent: a port
sends towards its guest, a bridge towards all guests; *out* is what it received."""


class Readings:
    """One column for each of :data:`Counters`, and the place of each interface in them, by index.

    Columns, because a thousand tuples a second would keep the garbage collector busy.
    """

    __slots__ = ("columns", "places")

    def __init__(self, places: Mapping[int, int], columns: Sequence[Sequence[int]]) -> None:
        self.places = places
        self.columns = columns

    def get(self, index: int) -> Counters | None:
        """The counters of one interface, if it was there."""
        place = self.places.get(index)
        if place is None:
            return None
        return tuple([column[place] for column in self.columns])


NO_READINGS = Readings({}, ((),) * 6)
"""As of no interfaces at all."""
