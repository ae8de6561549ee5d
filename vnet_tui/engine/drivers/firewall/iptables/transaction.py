"""Several tables of both address families put in place one after another, or none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from vnet_tui.engine.drivers.firewall.iptables.lock import TablesLock
from vnet_tui.engine.drivers.firewall.iptables.rules import Edit, Place
from vnet_tui.engine.drivers.firewall.iptables.worker import Worker
from vnet_tui.engine.errors import DriverError, VnetError


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

    def carry_out(self, edits: Mapping[Place, Edit], undo: Mapping[Place, Edit]) -> None:
        """Put tables in place, in this order, while the lock is held.

        Everything is made ready before the first. If one can't be put in place, ``undo`` is what
        those get that were; what becomes of it is told with the DriverError.
        """
        self._prepare(edits)
        begun: list[Place] = []
        try:
            for place in edits:
                begun.append(place)
                self._commit(place)
        except DriverError as error:
            # With the one that failed: its process may have died when it was in place already.
            self._put_back({place: undo[place] for place in reversed(begun)}, error)
            raise

    def close(self) -> None:
        """End the children and close the lock."""
        self._end_workers()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _prepare(self, edits: Mapping[Place, Edit]) -> None:
        self._have_workers(family for family, _ in edits)
        for (family, table), edit in edits.items():
            self._workers[family].begin(table, edit)
        try:
            for family, table in edits:
                self._workers[family].ready(table)
        except DriverError:
            self._end_workers()  # what is ready in them must never be put in place
            raise

    def _commit(self, place: Place) -> None:
        family, table = place
        self._workers[family].commit(table)

    def _put_back(self, edits: Mapping[Place, Edit], error: DriverError) -> None:
        self._end_workers()
        try:
            self._prepare(edits)
            for place in edits:
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
