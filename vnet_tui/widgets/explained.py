"""An error, told: what was wanted, what went wrong, what became of the host, what to do now."""

from __future__ import annotations

from dataclasses import dataclass

from vnet_tui.drafts.applying import NotAppliedError
from vnet_tui.engine.errors import (
    Problem,
    ProblemsError,
    Severity,
    StepFailedError,
    VnetError,
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A label for the left column (may be empty), and text; ``role`` is its colour."""

    label: str
    text: str
    role: str = "plain"


AS_BEFORE = Paragraph("", "The host is as it was before.", "good")


def explained(error: BaseException) -> list[Paragraph]:
    """The paragraphs that tell an error, most important first."""
    if isinstance(error, NotAppliedError):
        return _not_applied(error)
    if isinstance(error, StepFailedError):
        told = [
            Paragraph("step", error.step, "strong"),
            Paragraph("cause", error.cause, "bad"),
            *_aftermath(error),
        ]
    elif isinstance(error, ProblemsError):
        told = [Paragraph("", error.message, "bad"), *map(problem_paragraph, error.problems)]
    elif isinstance(error, VnetError):
        told = [Paragraph("cause", error.message, "bad")]
    else:
        told = [
            Paragraph("cause", f"{type(error).__name__}: {error}", "bad"),
            Paragraph("", "This is a defect of vnet-tui, not of your network."),
        ]
    remedy = getattr(error, "remedy", "")
    if remedy:
        told.append(Paragraph("remedy", remedy, "good"))
    return told + (_undone(error) if isinstance(error, StepFailedError) else [])


def _not_applied(error: NotAppliedError) -> list[Paragraph]:
    """At which network it failed, why, and what became of what had been done before."""
    told = [Paragraph("network", error.name, "strong"), *explained(error.cause)]
    if error.trouble is not None:
        trouble = f"✗ {error.trouble.message}"
        again = "The host takes it back by itself as soon as it can."
        told = [one for one in told if one != AS_BEFORE]
        return [*told, Paragraph("left", trouble, "bad"), Paragraph("", again, "warn")]
    told += [
        Paragraph("" if number else "undone", f"✓ {change}", "dim")
        for number, change in enumerate(error.taken_back)
    ]
    kept = "All definitions and networks are as before. What you edited is still pending."
    return [*told, Paragraph("", kept, "good")]


def _aftermath(error: StepFailedError) -> list[Paragraph]:
    """Whether the host is as it was; what could not be undone."""
    if error.left:
        return [Paragraph("left", f"✗ {step}", "bad") for step in error.left]
    return [AS_BEFORE]


def _undone(error: StepFailedError) -> list[Paragraph]:
    """The steps before the one that failed: a long list that comes last."""
    if not error.undone:
        return []
    count = len(error.undone)
    head = Paragraph("undone", f"{count} step{'' if count == 1 else 's'}, last first:")
    return [head, *(Paragraph("", f"✓ {step}", "dim") for step in error.undone)]


def problem_paragraph(problem: Problem) -> Paragraph:
    """A problem with its place as label and its remedy behind it."""
    place = f"line {problem.line}" if problem.line else problem.severity.value
    remedy = f"\n→ {problem.remedy}" if problem.remedy else ""
    role = "bad" if problem.severity is Severity.ERROR else "warn"
    mark = "✗" if problem.severity is Severity.ERROR else "!"
    return Paragraph(place, f"{mark} {problem.message}{remedy}", role)
