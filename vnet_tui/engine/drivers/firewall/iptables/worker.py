"""A child process that changes the tables of one address family, as its parent sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import vnet_tui
from vnet_tui.engine.drivers.firewall.iptables import child
from vnet_tui.engine.drivers.firewall.iptables.edits import Edit
from vnet_tui.engine.errors import DriverError


class Worker:
    """Lives in the network namespace of the thread that makes it, until it is closed or we end.

    All methods block. They raise DriverError when the child can't do what it should, or is gone.
    """

    def __init__(self, family: int, lock: int) -> None:
        self.family = family
        self._started = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", child.__name__, str(family)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            pass_fds=[lock],
            env=os.environ | {"PYTHONPATH": _python_path()},
            start_new_session=True,  # Ctrl-C in a terminal is for us, not for it
        )

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def begin(self, table: str, edit: Edit) -> None:
        """Have an edit made ready; whether that went well, :meth:`ready` tells."""
        self._ask({"do": "prepare", "table": table, "edit": edit.dump()})

    def ready(self, table: str) -> dict[str, int]:
        """Wait until the edit that was begun first is ready; sums of the digests of what it
        wrote, by network. Nothing is changed yet."""
        found: dict[str, int] = self._answer(f"change its table {table}")["sums"]
        return found

    def mark(self, table: str, marks: Mapping[str, str]) -> None:
        """Have these marks made ready, too, by the chains that they are in."""
        self._ask({"do": "mark", "table": table, "marks": dict(marks)})
        self._answer(f"mark its table {table}")

    def commit(self, table: str) -> None:
        """Put a table in place as it was made ready."""
        self._ask({"do": "commit", "table": table})
        self._answer(f"put its table {table} in place")

    def close(self) -> None:
        """End it; what it was asked for before happens."""
        if self._process.stdin is not None:
            with suppress(OSError):  # it may be gone, with something still to be written
                self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ask(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101  (PIPE)
        with suppress(OSError):  # if it is gone, the missing answer tells how
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()

    def _answer(self, what: str) -> dict[str, Any]:
        if not self._started:
            self._started = True
            self._answer("start its process")
        assert self._process.stdout is not None  # noqa: S101  (PIPE)
        line = self._process.stdout.readline()
        if not line:
            raise DriverError(
                f"iptables of IPv{self.family} could not {what}: "
                f"its process ended with status {self._process.wait()}"
            )
        answer: dict[str, Any] = json.loads(line)
        if error := answer.get("error"):
            raise DriverError(f"iptables of IPv{self.family} could not {what}: {error}")
        return answer


def _python_path() -> str:
    """Where the child finds this package, as we did."""
    root = str(Path(vnet_tui.__file__).parent.parent)
    before = os.environ.get("PYTHONPATH")
    return f"{root}{os.pathsep}{before}" if before else root
