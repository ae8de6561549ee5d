"""What two versions of a sequence have in common at their ends.

Of ten thousand rules an edit leaves all but one as they were, mostly the very same objects; and
comparing slices of those takes no more than walking over them in C.
"""

from __future__ import annotations

from collections.abc import Sequence


def alike(one: Sequence[object], other: Sequence[object]) -> tuple[int, int]:
    """How many items are the same at the beginning, and how many of the rest at the end.

    Both have to be of one kind, lists or tuples.
    """
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
