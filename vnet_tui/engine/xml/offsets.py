"""Places in a text, of which an edit moves all that follow."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import overload


class Offsets(Sequence[int]):
    """Ascending numbers, of which those from one place on are kept without what was added to all
    of them: an edit near the last one is a matter of what lies between, and of copying bytes."""

    __slots__ = ("_at", "_before", "_from", "_since")

    def __init__(self, at: Iterable[int], before: int = 0, place: int = 0, since: int = 0) -> None:
        self._at = at if isinstance(at, array) else array("l", at)
        self._before = before
        self._from = place
        self._since = since

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        return self._at[place] + (self._before if place < self._from else self._since)

    def __len__(self) -> int:
        return len(self._at)

    def moved(self, by: int) -> Offsets:
        """All of them, so much further on."""
        return Offsets(self._at, self._before + by, self._from, self._since + by)

    def spliced(self, first: int, last: int, new: Sequence[int], by: int) -> Offsets:
        """These with ``new`` ones instead of those from place ``first`` to before ``last``, and all
        that follow so much further on."""
        at = self._at[:first] + array("l", [one - self._before for one in new]) + self._at[last:]
        end = first + len(new)
        # What lies between the old place and the new one changes sides.
        apart = self._since - self._before
        for place in range(self._from, first):
            at[place] += apart
        for place in range(last, self._from):
            at[place - last + end] -= apart
        return Offsets(at, self._before, end, self._since + by)
