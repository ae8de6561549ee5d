"""What two versions of a sequence have in common at their ends.

Of ten thousand rules an edit leaves all but one as they were, mostly the very same objects; and
comparing slices of those takes no more than walking over them in C.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

_LONG = 256
"""Items of tuples whose comparison is remembered: what an edit made of one is asked for by all who
keep something of it."""

_Pair = tuple[Sequence[object], Sequence[object], tuple[int, int]]
_compared: deque[_Pair] = deque(maxlen=16)


def alike(one: Sequence[object], other: Sequence[object]) -> tuple[int, int]:
    """How many items are the same at the beginning, and how many of the rest at the end.

    Both have to be of one kind, lists or tuples.
    """
    if not (isinstance(one, tuple) and min(len(one), len(other)) >= _LONG):
        return _alike(one, other)
    for known, as_known, found in tuple(_compared):
        if known is one and as_known is other:
            return found
    found = _alike(one, other)
    known_alike(one, other, found)
    return found


def known_alike(one: Sequence[object], other: Sequence[object], found: tuple[int, int]) -> None:
    """Remember what two tuples have in common, which somebody knows who made one from the other:
    at least so many items."""
    if min(len(one), len(other)) >= _LONG:
        _compared.append((one, other, found))


def _alike(one: Sequence[object], other: Sequence[object]) -> tuple[int, int]:
    shorter = min(len(one), len(other))
    low, high = 0, shorter
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    first = low
    low, high = 0, shorter - first
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return first, low
