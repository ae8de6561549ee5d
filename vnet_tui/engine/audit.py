"""The log of changes: who asked for what, the steps that it took, and what came of it.

One entry a change, through the logger ``vnet.audit``, whatever became of it. Who wants the entries
adds a handler there; without one, nothing is put together. A record's message is a line for
people; ``record.audit`` is the :class:`Entry`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from vnet_tui.engine.caller import Caller, caller
from vnet_tui.engine.describe import describe
from vnet_tui.engine.errors import ProblemsError, StepFailedError, VnetError
from vnet_tui.engine.steps import Plan
from vnet_tui.engine.text import printable

LOG = logging.getLogger("vnet.audit")
LOG.addHandler(logging.NullHandler())  # else Python writes what nobody handles on the terminal

ITSELF = Caller(who="the engine itself", session="")
"""Who repairs, and lets rules follow their guests."""

Result = Literal["done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change. ``verb`` is what was asked: ``define``, ``start``, ``repair``, ``roll back``...

    ``steps`` are those of the plan, in words; none where only definitions changed, or where all
    was as asked. ``error`` is empty unless it failed; ``undone`` are the steps that were taken
    back then, ``left`` those that couldn't be. All text is safe to print.
    """

    who: str
    session: str
    verb: str
    networks: tuple[str, ...]
    uuids: tuple[UUID, ...]
    result: Result
    steps: tuple[str, ...] = ()
    error: str = ""
    undone: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        about = f" {', '.join(self.networks)}" if self.networks else ""
        took = f": {'; '.join(self.steps)}" if self.steps else ""
        told = f"{self.who}: {self.verb}{about}"
        if self.result == "done":
            return f"{told}{took}"
        left = f"; could not be undone: {'; '.join(self.left)}" if self.left else ""
        return f"{told} failed: {self.error}{left}"


def log(
    verb: str,
    networks: Mapping[UUID, str],
    *,
    steps: Plan | Sequence[str] = (),
    error: VnetError | None = None,
    by: Caller | None = None,
) -> None:
    """Log that a change was made, or failed with ``error``; ``by`` the one for whom this task
    works unless told otherwise."""
    level = logging.INFO if error is None else logging.WARNING
    if not LOG.isEnabledFor(level) or not _heard():
        return
    by = by or caller()
    words = [describe(step) for step in steps.steps] if isinstance(steps, Plan) else steps
    failed = error if isinstance(error, StepFailedError) else None
    entry = Entry(
        who=printable(by.who),
        session=printable(by.session),
        verb=verb,
        networks=_printable(networks.values()),
        uuids=tuple(networks),
        result="done" if error is None else "failed",
        steps=_printable(words),
        error=_reason(error) if error else "",
        undone=_printable(failed.undone if failed else ()),
        left=_printable(failed.left if failed else ()),
    )
    LOG.log(level, "%s", entry, extra={"audit": entry})


@contextmanager
def logged(verb: str, networks: Mapping[UUID, str], *steps: str) -> Iterator[None]:
    """Log a change that is made in this block, or fails in it."""
    try:
        yield
    except VnetError as error:
        log(verb, networks, error=error)
        raise
    log(verb, networks, steps=steps)


def reason(error: VnetError) -> str:
    """An error in one line."""
    problems = error.problems if isinstance(error, ProblemsError) else ()
    return error.message + "".join(
        f"{'; ' if number else ': '}{problem.message}" for number, problem in enumerate(problems)
    )


def _reason(error: VnetError) -> str:
    return printable(reason(error).replace("\n", "; "))


def _printable(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(printable(text) for text in texts)


def _heard() -> bool:
    """Whether anybody but the handler that drops everything would get an entry."""
    logger: logging.Logger | None = LOG
    while logger is not None:
        if any(not isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False
