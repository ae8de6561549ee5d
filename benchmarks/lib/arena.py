"""Where a benchmark runs: a process with network, mount and process namespaces of its own.

The process that was started talks with the one that started it in lines of JSON; when the latter
goes, everything inside goes with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PRIVATE = (
    *("unshare", "--net", "--mount", "--pid", "--ipc", "--uts"),
    *("--fork", "--kill-child", "--mount-proc", "--"),
)

_SHELL = ("sh", "-c", 'ip link set lo up && "$@"; exit $?', "sh")
"""Process 1 of the namespace: it reaps what daemons leave behind."""


class Arena:
    """A Python module that runs inside, as ``__main__``, and answers questions.

    The module's side of the conversation is :func:`answer`.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [*PRIVATE, *_SHELL, sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, question: object) -> Any:
        """Send one question and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answered = self._process.stdout.readline()
        if not answered:
            raise SystemExit("the process in the private namespaces ended; its output is above")
        return json.loads(answered)


def questions() -> Iterable[Any]:
    """Inside: the questions, one after another, until there are no more."""
    for line in sys.stdin:
        yield json.loads(line)


def answer(value: object) -> None:
    """Inside: the answer to the last question."""
    print(json.dumps(value), flush=True)


def empty_directories(paths: Sequence[str]) -> None:
    """Inside: put an empty tmpfs on each of these; the machine's own stay as they are."""
    for path in paths:
        Path(path).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)
