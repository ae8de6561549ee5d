"""Answers kept by what they were asked about: the very object, not an equal one.

Rules are immutable and most of them outlive an edit of the others. To know one again by identity
takes a tenth of the time of comparing or hashing all that it says.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from vnet_tui.engine.alike import alike, known_alike

K = TypeVar("K")
V = TypeVar("V")
W = TypeVar("W")

_SERIES = 256
"""The sequences that a memo remembers, at least."""


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
        self._young_series: dict[Hashable, _Series[K, V]] = {}
        self._old_series: dict[Hashable, _Series[K, V]] = {}

    def __call__(self, key: K) -> V:
        """The answer for this object."""
        number = id(key)
        # The object is kept beside its answer, so that no other can have its number meanwhile.
        found = self._young.get(number)
        if found is not None:
            return found[1]
        found = self._old.get(number) or (key, self._compute(key))
        self._keep(found)
        return found[1]

    def learn(self, key: K, answer: V) -> None:
        """The answer for this object is known already."""
        self._keep((key, answer))

    def _keep(self, found: tuple[K, V]) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[id(found[0])] = found

    def each(self, keys: tuple[K, ...], of: Hashable) -> tuple[V, ...]:
        """The answers for a sequence.

        ``of`` names it, so that the next time only what is other than the last time is looked up;
        there an equal object is as good as the same.
        """
        return self._series(keys, of).answers

    def found(self: Memo[K, W | None], keys: tuple[K, ...], of: Hashable) -> tuple[W, ...]:
        """The same without the answers that are None."""
        known = self._series(keys, of)
        if known.whole:
            return cast("tuple[W, ...]", known.answers)
        return tuple(answer for answer in known.answers if answer is not None)

    def _series(self, keys: tuple[K, ...], of: Hashable) -> _Series[K, V]:
        known = self._young_series.get(of) or self._old_series.get(of) or _Series((), (), True)
        if known.keys is not keys:
            first, last = alike(known.keys, keys)
            new = tuple(self(key) for key in keys[first : len(keys) - last])
            same = known.answers
            answers = (*same[:first], *new, *same[len(same) - last :])
            known_alike(same, answers, (first, last))
            known = _Series(
                keys, answers, known.whole and all(answer is not None for answer in new)
            )
        if len(self._young_series) >= _SERIES:
            self._old_series, self._young_series = self._young_series, {}
        self._young_series[of] = known
        return known


@dataclass(frozen=True, slots=True)
class _Series(Generic[K, V]):
    """A sequence and its answers; ``whole``: none of them is None."""

    keys: tuple[K, ...]
    answers: tuple[V, ...]
    whole: bool
