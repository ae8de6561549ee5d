"""One line about everything that is wrong with a draft: how much, and the first of it."""

from __future__ import annotations

from collections.abc import Sequence

from vnet_tui.engine.errors import Problem, Severity
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture


class ProblemLine(Picture):
    """``✗ 2 errors, 1 warning · line 14: …``."""

    DEFAULT_CSS = "ProblemLine { height: 1; background: $panel; } "

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._problems: tuple[Problem, ...] = ()
        self._broken = False

    def tell(self, problems: Sequence[Problem], *, broken: bool) -> None:
        """Everything that is wrong, worst first shown; ``broken``: the forms can't follow."""
        self._problems, self._broken = tuple(problems), broken
        worst = min(problems, key=lambda one: one.severity.value, default=None)
        self._draw(worst)

    def point(self, problem: Problem) -> None:
        """Show this one of them."""
        self._draw(problem)

    def _draw(self, problem: Problem | None) -> None:
        self.show([problem_line(self._problems, problem, broken=self._broken)])


def problem_line(problems: Sequence[Problem], shown: Problem | None, *, broken: bool) -> Line:
    """The count, and one of them."""
    if shown is None:
        return (Cell(" ✓ nothing is wrong with it", "good"),)
    errors = sum(one.severity is Severity.ERROR for one in problems)
    counts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (len(problems) - errors, "warning"))
        if count
    ]
    mark, role = ("✗", "bad") if errors else ("!", "warn")
    head = "the form waits for the XML: " if broken else ""
    place = f"line {shown.line}: " if shown.line else ""
    remedy = f" → {shown.remedy}" if shown.remedy else ""
    return (
        Cell(f" {mark} {', '.join(counts)} ", role),
        Cell("ctrl+n ", "accent"),
        Cell(f"{head}{place}{shown.message}{remedy}"),
    )
