"""All that is wrong with a document in one go: its form, and what makes no sense in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vnet_tui.engine.check import check, check_together
from vnet_tui.engine.errors import DocumentError, Problem, Severity
from vnet_tui.engine.model import Network
from vnet_tui.engine.xml.reader import read
from vnet_tui.engine.xml.walk import Reading


def examine(
    document: str | bytes, others: Iterable[Network] = ()
) -> tuple[Network | None, tuple[Problem, ...]]:
    """The network, and every problem of form and of sense, alone and beside ``others``, by line.

    The network is None where a problem of form forbids to make one. Then what could be read is
    checked nevertheless, as far as it doesn't depend on what couldn't.
    """
    try:
        reading = read(document)
    except DocumentError as error:
        return None, error.problems
    network = _independent(reading)
    sense = [*check(network), *check_together(network, others)]
    if reading.problems:
        told = {problem.line for problem in reading.problems}
        sense = [
            problem
            for problem in sense
            if problem.severity is Severity.ERROR and problem.line not in told
        ]
    found = (*reading.problems, *sense)
    problems = tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))
    return (None if reading.problems else reading.network), problems


def _independent(reading: Reading) -> Network:
    """The network without reservations where an ``<ip>`` that they may be in was lost."""
    network = reading.network
    if network.dhcp is None or "ip" not in reading.lost:
        return network
    return replace(network, dhcp=replace(network.dhcp, reservations=()))
