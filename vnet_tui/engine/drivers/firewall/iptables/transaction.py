"""Several tables of both address families put in place one after another, or none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from vnet_tui.engine.drivers.firewall.iptables.edits import Edit
from vnet_tui.engine.drivers.firewall.iptables.lock import TablesLock
from vnet_tui.engine.drivers.firewall.iptables.rules import TABLES, Place
from vnet_tui.engine.drivers.firewall.iptables.worker import Worker
from vnet_tui.engine.errors import DriverError, VnetError

Sums = Mapping[Place, Mapping[str, int]]
"""Of what was written in each table: the sum of digests by network."""

Marks = Mapping[Place, Mapping[str, str]]
"""Marks by table and by the chain that each is in."""


@dataclass(frozen=True, slots=True)
class Work:
    """Edits of tables, in the order in which these are put in place; when they are ready, ``marks``
    tells what has to be marked."""

    edits: Mapping[Place, Edit]
    marks: Callable[[Sums], Marks]


class Transactions:
    """Changes tables under their lock, by one child process an address family.

    The children start with the first change and stay, since each needs a tenth of a second for
    that. All methods block.
    """

    def __init__(self) -> None:
        self._lock: TablesLock | None = None
        self._workers: dict[int, Worker] = {}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else who takes the lock changes tables meanwhile."""
        if self._lock is None:
            self._lock = TablesLock()
        with self._lock.held():
            yield

    def carry_out(self, work: Work, undo: Callable[[], Work]) -> None:
        """Put tables in place, in this order, while the lock is held.

        Everything is made ready before the first. If one can't be put in place, all get what
        ``undo`` says; what becomes of it is told with the DriverError.
        """
        self._prepare(work)
        try:
            for place in work.edits:
                self._commit(place)
        except DriverError as error:
            # All: it may be in place where it failed, too, when its process died.
            self._put_back(undo(), error)
            raise

    def close(self) -> None:
        """End the children and close the lock."""
        self._end_workers()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _prepare(self, work: Work) -> None:
        self._have_workers(family for family, _ in work.edits)
        sums: dict[Place, Mapping[str, int]] = {}
        try:
            for own in TABLES:
                # One family beside the other, but one answer of a child before the next question:
                # both may be longer than what a pipe takes.
                places = [place for place in work.edits if place[1] == own]
                for family, table in places:
                    self._workers[family].begin(table, work.edits[family, table])
                for family, table in places:
                    sums[family, table] = self._workers[family].ready(table)
            for (family, table), marks in work.marks(sums).items():
                if marks:
                    self._workers[family].mark(table, marks)
        except DriverError:
            self._end_workers()  # what is ready in them must never be put in place
            raise

    def _commit(self, place: Place) -> None:
        family, table = place
        self._workers[family].commit(table)

    def _put_back(self, work: Work, error: DriverError) -> None:
        self._end_workers()
        try:
            self._prepare(work)
            for place in work.edits:
                self._commit(place)
        except VnetError as trouble:
            raise DriverError(
                f"{error.message}; and what was there could not be put back: {trouble.message}",
                "the next change writes all of it anew",
            ) from error

    def _have_workers(self, families: Iterable[int]) -> None:
        """Have a child for each; they begin side by side, and one that ended is replaced."""
        if self._lock is None:
            raise AssertionError("tables are changed under their lock")
        for family in families:
            if family in self._workers and not self._workers[family].alive:
                self._workers.pop(family).close()
            if family not in self._workers:
                self._workers[family] = Worker(family, self._lock.fd)

    def _end_workers(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()
