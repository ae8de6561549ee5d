"""What can go wrong, said so that a person can mend it.

Every error that leaves the engine is a :class:`VnetError`. Its text says what and where; its
``remedy``, how to mend it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a problem forbids the document or only deserves a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, where it stands, and how to mend it.

    ``line`` and ``column`` count from 1; 0 where there is no such place.
    """

    message: str
    remedy: str = ""
    line: int = 0
    column: int = 0
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = ""
        if self.line:
            place = f"line {self.line}" + (f", column {self.column}" if self.column else "") + ": "
        return f"{place}{self.message}" + (f" ({self.remedy})" if self.remedy else "")


class VnetError(Exception):
    """The base of all errors of the engine: ``message``, and ``remedy`` where one is known."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}" + (f" ({self.remedy})" if self.remedy else "")


class ProblemsError(VnetError):
    """Several things wrong at once, all told."""

    def __init__(self, summary: str, problems: Sequence[Problem]) -> None:
        super().__init__(summary)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {problem}" for problem in self.problems)])


class DocumentError(ProblemsError):
    """The XML is not a network: every problem at once, each with its line."""


class ConflictError(ProblemsError):
    """Something on the host is in the way of a start: an address, a route, a name, a port."""


class NotFoundError(VnetError):
    """No network has that name, UUID or id."""


class StateError(VnetError):
    """The network is not in the state that the request needs (running, stopped, persistent)."""


class UnsupportedError(ProblemsError):
    """The document is right, but this engine can't run an element of it yet."""


class StoreError(VnetError):
    """Definitions can't be read or written."""


class BusyError(VnetError):
    """Another engine is changing the same run directory."""


class NotPermittedError(VnetError):
    """The request needs rights that this process hasn't."""


class ConnectionLostError(VnetError):
    """The daemon can't be reached, or went away before it answered."""


class DriverError(VnetError):
    """The system refused: what was asked of it and what it said."""


class StepFailedError(VnetError):
    """A plan stopped half-way and was undone.

    ``step`` is what was being done, ``cause`` what the system said, ``undone`` the steps that were
    taken back (last first), ``left`` those that could not be, each with its reason.
    """

    def __init__(
        self, step: str, cause: str, undone: Sequence[str], left: Sequence[str], remedy: str = ""
    ) -> None:
        super().__init__(f"{step}: {cause}", remedy)
        self.step = step
        self.cause = cause
        self.undone = tuple(undone)
        self.left = tuple(left)

    def __str__(self) -> str:
        lines = [super().__str__()]
        if self.undone:
            outcome = "" if self.left else "; nothing was changed"
            count = len(self.undone)
            before = "1 step before it was" if count == 1 else f"{count} steps before it were"
            lines.append(f"  {before} undone{outcome}.")
        lines.extend(f"  could not be undone: {left}" for left in self.left)
        return "\n".join(lines)
