"""``vnet`` on the host of a test: called in this process, in one of its own, or at a terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import pytest

from tests.support.lab import Lab
from vnet_tui.cli.main import main

VNET = (sys.executable, "-m", "vnet_tui.cli.main")


def command(lab: Lab, *argv: str) -> list[str]:
    """The argument list of a call on the test's host."""
    return [*VNET, "--state-dir", str(lab.paths.state), "--run-dir", str(lab.paths.run), *argv]


class Said(NamedTuple):
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def vnet(lab: Lab, *argv: str, stdin: str = "", environ: Mapping[str, str] | None = None) -> Said:
    """Run one command, in this process: that saves starting an interpreter."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        for name, value in (environ or {}).items():
            patch.setenv(name, value)
        with redirect_stdout(out), redirect_stderr(err):
            status = main(command(lab, *argv)[len(VNET) :])
    return Said(status, out.getvalue(), err.getvalue())


def process(
    lab: Lab, *argv: str, stdin: str = "", environ: Mapping[str, str] | None = None
) -> Said:
    """Run one command in a process of its own."""
    done = subprocess.run(
        command(lab, *argv),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environ or {})},
    )
    return Said(done.returncode, done.stdout, done.stderr)


def call(
    lab: Lab, *argv: str, stdin: int | None = None, stdout: int | IO[str] = subprocess.PIPE
) -> subprocess.Popen[str]:
    """Begin a command."""
    return subprocess.Popen(
        command(lab, *argv), stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, text=True
    )


def ok(lab: Lab, *argv: str, stdin: str = "", environ: Mapping[str, str] | None = None) -> str:
    """Its output, when it went well; warnings about documents may come besides."""
    done = vnet(lab, *argv, stdin=stdin, environ=environ)
    said = [line for line in done.stderr.splitlines() if ": warning: " not in line]
    assert (done.returncode, said) == (0, [])
    return done.stdout


def told(lab: Lab, *argv: str, stdin: str = "") -> Any:
    """What it says in JSON."""
    return json.loads(ok(lab, "--json", *argv, stdin=stdin))


class Typist:
    """Somebody at a terminal on which ``vnet`` runs."""

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env={**os.environ, "TERM": "dumb", **(environ or {})},
        )
        os.close(slave)
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._master)
        self.process.kill()
        self.process.wait()

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def wait_for(self, text: str, *, within: float = 20.0) -> str:
        """Read until ``text`` is written; what came before it."""
        end = time.monotonic() + within
        while text not in self.seen:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} in {self.seen!r}"
            if select.select([self._master], [], [], left)[0]:
                try:
                    self.seen += os.read(self._master, 4096).decode().replace("\r\n", "\n")
                except OSError:
                    raise AssertionError(f"no {text!r} in all of {self.seen!r}") from None
        before, _, self.seen = self.seen.partition(text)
        return before

    def end(self, *, within: float = 20.0) -> int:
        """Its exit status; what it writes until then is read."""
        end = time.monotonic() + within
        while select.select([self._master], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                self.seen += os.read(self._master, 4096).decode().replace("\r\n", "\n")
            except OSError:  # the terminal's other end is closed
                break
        return self.process.wait(within)
