"""Small histories drawn with block characters: one line of text that fits a table's cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

BLOCKS = "▁▂▃▄▅▆▇"
"""One to seven eighths of a cell (U+2581 to U+2587): the last stays free, so that the histories
of two rows don't flow together."""

ABSENT = " "
"""A moment for which there is no figure."""


def sparkline(values: Sequence[float | None], top: float | None = None, least: float = 0.0) -> str:
    """One block a value. ``top`` is the value of a full block: the greatest of the values unless
    given, but never less than ``least``, so that noise doesn't look like a flood.

    Anything above zero is at least the lowest block but one, so that it differs from nothing.
    """
    known = [value for value in values if value is not None]
    scale = max(top if top is not None else max(known, default=0.0), least)
    return "".join(_block(value, scale) for value in values)


def _block(value: float | None, scale: float) -> str:
    if value is None:
        return ABSENT
    if value <= 0 or scale <= 0:
        return BLOCKS[0]
    steps = len(BLOCKS) - 1
    return BLOCKS[max(1, min(steps, round(value / scale * steps)))]


class Buckets:
    """Means of a figure over the last ``count`` spans of ``seconds`` each.

    A span is shown only once it is over, so that the picture moves once a span and not at every
    figure. Spans lie on multiples of ``seconds`` since 1970: all networks move together.
    """

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._means: dict[int, float] = {}
        self._current = -1
        self._sum = 0.0
        self._figures = 0

    def add(self, moment: float, value: float) -> None:
        """A figure at a moment in seconds since 1970; moments must not go back by a span."""
        index = int(moment // self._seconds)
        if index != self._current:
            self._close()
            self._current, self._sum, self._figures = index, 0.0, 0
            self._forget()
        self._sum += value
        self._figures += 1

    def extend(self, figures: Iterable[tuple[float, float]]) -> None:
        """Several figures, oldest first."""
        for moment, value in figures:
            self.add(moment, value)

    @property
    def values(self) -> tuple[float | None, ...]:
        """The means of the spans before the running one, oldest first; None where none was."""
        last = self._current
        return tuple(self._means.get(index) for index in range(last - self._count, last))

    def _close(self) -> None:
        if self._figures:
            self._means[self._current] = self._sum / self._figures

    def _forget(self) -> None:
        for index in [old for old in self._means if old < self._current - self._count]:
            del self._means[index]
