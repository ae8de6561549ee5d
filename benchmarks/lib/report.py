"""Medians, their ratios, and the bounds that the ratios are held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One figure of ours beside a peer's, in ``unit``; ``bound`` is the ratio not to exceed."""

    what: str
    unit: str
    ours: Sequence[float]
    peers: Sequence[float]
    bound: float | None = None

    @property
    def ratio(self) -> float:
        """Median of ours over median of the peer's."""
        return median(self.ours) / median(self.peers)

    @property
    def holds(self) -> bool:
        """Whether the ratio is within its bound."""
        return self.bound is None or self.ratio <= self.bound


def print_report(peer: str, comparisons: Sequence[Comparison]) -> bool:
    """Print a table of medians and ratios; tell whether all bounds hold."""
    print(f"{'median of':<28}{'vnet':>12}{peer:>14}{'ratio':>9}   bound")
    for item in comparisons:
        bound = "" if item.bound is None else f"{item.bound:g}"
        verdict = "" if item.holds else "  EXCEEDED"
        figures = f"{median(item.ours):>9.1f} {item.unit}{median(item.peers):>11.1f} {item.unit}"
        print(f"{item.what:<28}{figures}{item.ratio:>9.3f}   {bound}{verdict}")
    return all(item.holds for item in comparisons)
