"""How many items of a sequence are of which kind.

Counted again only for items that have come or gone since the sequence was last asked about.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from vnet_tui.engine.alike import alike

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

_KEPT = 1 << 8
"""The sequences that are remembered."""


class Census(Generic[T, K]):
    """Counts by ``kind``."""

    def __init__(self, kind: Callable[[T], K]) -> None:
        self._kind = kind
        self._counted: OrderedDict[Hashable, tuple[tuple[T, ...], Counter[K]]] = OrderedDict()

    def __call__(self, items: tuple[T, ...], of: Hashable) -> Mapping[K, int]:
        """The kinds that there are, and how many items of each; ``of`` names the sequence."""
        before, counts = self._counted.get(of, ((), Counter[K]()))
        if before is not items:
            first, last = alike(before, items)
            gone = Counter(map(self._kind, before[first : len(before) - last]))
            counts = counts + Counter(map(self._kind, items[first : len(items) - last])) - gone
        self._counted.pop(of, None)
        self._counted[of] = items, counts
        if len(self._counted) > _KEPT:
            self._counted.popitem(last=False)
        return counts
