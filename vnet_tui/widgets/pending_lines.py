"""What is told of pending changes: the rows of their list, and all about one of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.outlook import Outlook, worst
from vnet_tui.engine.errors import ConflictError, Problem
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.explained import problem_paragraph
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line
from vnet_tui.widgets.plan_lines import disturbance, plan_lines
from vnet_tui.widgets.xml_pane import coloured, coloured_difference

if TYPE_CHECKING:
    from vnet_tui.trial import Outcome

COLUMNS = (
    Column(key="network", label="network", width=12, grow=1, most=24),
    Column(key="what", label="what", width=19),
    Column(key="disturbs", label="applying it", width=18),
    Column(key="looks", label="look at", width=12),
    Column(key="edits", label="edits", width=24, grow=4, drop=1),
)


def title(
    drafts: Sequence[Draft], overtaken: Collection[UUID], known: Mapping[UUID, Outlook]
) -> Line:
    """How many networks, what is in the way, what applying all of it disturbs."""
    cells = [Cell(" pending changes", "strong")]
    if not drafts:
        return tuple(cells)
    cells.append(Cell(f"   of {counted(len(drafts), 'network')}"))
    if overtaken:
        cells.append(Cell(f"   ! {len(overtaken)} changed by others", "bad"))
    wrong = sum(outlook.errors > 0 for outlook in known.values())
    if wrong:
        cells.append(Cell(f"   ✗ {wrong} with errors", "bad"))
    elif len(known) == len(drafts):
        cells += [Cell("   applying them: "), disturbance(worst(known.values()))]
    return tuple(cells)


def row(draft: Draft, outlook: Outlook | None, *, overtaken: bool) -> tuple[Cell, ...]:
    """The cells of :data:`COLUMNS`."""
    if overtaken:
        what = Cell("! others changed it", "bad")
    elif draft.base is None:
        what = Cell("+ new", "good")
    else:
        what = Cell("~ changed", "accent")
    return (Cell(draft.name, "strong"), what, effect(outlook), looks(outlook), Cell(edits(draft)))


def effect(outlook: Outlook | None) -> Cell:
    """What applying a draft does, in a few words."""
    if outlook is None:
        return Cell("…", "dim")
    if outlook.errors:
        return Cell(f"✗ {counted(outlook.errors, 'error')}", "bad")
    if isinstance(outlook.failure, ConflictError):
        return Cell("! host in the way", "bad")
    if outlook.failure is not None:
        return Cell("✗ can't be done", "bad")
    if outlook.preview is None:
        return Cell("is stored only", "dim")
    return disturbance(outlook.preview.disturbs)


def looks(outlook: Outlook | None) -> Cell:
    """How much of a draft deserves a look."""
    if outlook is None or not outlook.warnings:
        return Cell("")
    return Cell(f"! {counted(outlook.warnings, 'warning')}", "warn")


def about(draft: Draft, outlook: Outlook | None, *, overtaken: bool) -> list[Line]:
    """What was edited, and what is to be known about applying it; None: nothing is known yet."""
    lines: list[Line] = [(Cell(" edits  ", "dim"), Cell(edits(draft))), ()]
    if overtaken:
        lines += [
            (Cell(" ! Others changed it since you began.", "bad"),),
            (Cell(" enter ", "accent"), Cell("shows theirs and yours, to decide.")),
            (),
        ]
    if outlook is None:
        return [*lines, (Cell(" Asking what it would do …", "dim"),)]
    for problem in outlook.problems:
        lines += problem_lines(problem)
    if outlook.errors:
        return [*lines, (Cell(" It can't be applied like this: e edits it.", "bad"),)]
    if outlook.problems:
        lines.append(())
    if outlook.failure is not None:
        lines += [(Cell(f" ✗ {text}", "bad"),) for text in str(outlook.failure).splitlines()]
        if isinstance(outlook.failure, ConflictError):
            after = "What else is pending may clear the way; if not, all is taken back."
            lines += [(), (Cell(f" {after}"),)]
        return lines
    if outlook.preview is None:
        return [*lines, (Cell(" It is stored only: the network doesn't run.", "dim"),)]
    return [*lines, *plan_lines(outlook.preview)]


def problem_lines(problem: Problem, name: str = "") -> list[Line]:
    """A problem with its line, and how to mend it."""
    told = problem_paragraph(problem)
    first, *rest = told.text.split("\n")
    place = f"{name}, {told.label}" if name else told.label
    head: Line = (Cell(f" {place}  ", "dim"), Cell(first, told.role))
    return [head, *((Cell(f"   {text}"),) for text in rest)]


def nothing(outcome: Outcome | None) -> list[Line]:
    """What there is to say where nothing is pending: what was applied last."""
    lines: list[Line] = [(), (Cell(" Nothing is pending.", "strong"),), ()]
    if outcome is None:
        words = " e edits a network; what you stage there waits here until it is applied."
        return [*lines, (Cell(words),)]
    lines.append((Cell(" applied last  ", "dim"), Cell(", ".join(outcome.names), "good")))
    if not outcome.warnings:
        return lines
    count = counted(len(outcome.warnings), "thing")
    lines += [(), (Cell(f" {count} to look at, by the line of the definition:", "warn"),)]
    for name, problem in outcome.warnings:
        lines += problem_lines(problem, name)
    return lines


def edits(draft: Draft) -> str:
    """What was edited, in words, each kind of edit once."""
    words = [edit.what for edit in draft.edits]
    counts = {word: words.count(word) for word in words}
    told = [word if count == 1 else f"{word} ({count}×)" for word, count in counts.items()]
    return ", ".join(told) or "described"


def difference(draft: Draft) -> list[Line]:
    """How the store would change: a diff, or the whole document of a new network."""
    if draft.base is None:
        return coloured(draft.text)
    return coloured_difference(draft.difference()[2:])  # without the names of two files


def counted(count: int, word: str) -> str:
    """So many of something."""
    return f"{count} {word}{'' if count == 1 else 's'}"
