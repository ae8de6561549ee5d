"""Answers kept by what they were asked about: the very object, not an equal one.

Rules are immutable and most of them outlive an edit of the others. To know one again by identity
takes a tenth of the time of comparing or hashing all that it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(Generic[K, V]):
    """``compute``, asked once for each object.

    Keeps an object and its answer for as long as it is asked for, at least until ``size`` others
    were; holds at most twice as many.
    """

    def __init__(self, compute: Callable[[K], V], size: int = 1 << 16) -> None:
        self._compute = compute
        self._size = size
        self._young: dict[int, tuple[K, V]] = {}
        self._old: dict[int, tuple[K, V]] = {}

    def __call__(self, key: K) -> V:
        """The answer for this object."""
        number = id(key)
        # The object is kept beside its answer, so that no other can have its number meanwhile.
        found = self._young.get(number)
        if found is not None:
            return found[1]
        found = self._old.get(number) or (key, self._compute(key))
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[number] = found
        return found[1]

    def each(self, keys: Iterable[K]) -> list[V]:
        """The answers for many, with less ado than asking for each."""
        known = self._young.get
        return [found[1] if (found := known(id(key))) is not None else self(key) for key in keys]
