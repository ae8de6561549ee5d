"""Shell sessions written in documentation, run for real and compared with what the page says.

A session is a fenced block ``console``: lines after ``# `` are commands, the rest is what they
print. In what is printed, ``…`` stands for anything within a line, and a line ``…`` for any number
of lines. ``<!-- do: NAME -->`` between blocks asks the test to do something that a reader does
elsewhere, such as plugging in a virtual machine.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_MARK = "end-of-output"
_PARTS = re.compile(
    r"^```console\n(?P<session>.*?)^```$|^<!-- do: (?P<act>[^>]*?) -->$"
    r"|^`(?P<file>[\w.-]+)`:\n\n```xml\n(?P<content>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Command:
    """A command, and the output that the page shows."""

    line: str
    output: str


@dataclass(frozen=True)
class Act:
    """Something to do by its name."""

    name: str


@dataclass(frozen=True)
class File:
    """A file that the page shows, under its name."""

    name: str
    content: str


def parts(page: str) -> Iterator[Command | Act | File]:
    """What there is to do on a page, in its order."""
    for found in _PARTS.finditer(page):
        if found["act"]:
            yield Act(found["act"])
        elif found["file"]:
            yield File(found["file"], found["content"])
        else:
            for entry in re.split(r"^# ", found["session"], flags=re.MULTILINE)[1:]:
                line, _, output = entry.partition("\n")
                yield Command(line, output)


class Shell:
    """A shell that is asked one command after another."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["sh"],
            cwd=directory,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def run(self, line: str) -> str:
        """What a command prints on both outputs."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{{ {line}\n}} </dev/null 2>&1; echo {_MARK}\n")
        self._process.stdin.flush()
        said: list[str] = []
        for answer in self._process.stdout:
            if answer == f"{_MARK}\n":
                return "".join(said)
            said.append(answer)
        raise AssertionError(f"the shell ended during {line!r}: {''.join(said)}")


def run_page(
    page: Path, shell: Shell, directory: Path, acts: Mapping[str, Callable[[], None]]
) -> int:
    """Do everything on a page; AssertionError where it prints something else. How many commands
    there were."""
    commands = 0
    for part in parts(page.read_text()):
        if isinstance(part, Act):
            acts[part.name]()
        elif isinstance(part, File):
            (directory / part.name).write_text(part.content)
        else:
            commands += 1
            said = shell.run(part.line)
            assert _matches(part.output, said), (
                f"{page.name}: {part.line}\n--- the page:\n{part.output}--- really:\n{said}"
            )
    return commands


def _matches(shown: str, said: str) -> bool:
    pattern = "".join(
        r"(?:.*\n)*" if line == "…\n" else re.escape(line).replace("…", ".*")
        for line in shown.splitlines(keepends=True)
    )
    return re.fullmatch(pattern, said) is not None
