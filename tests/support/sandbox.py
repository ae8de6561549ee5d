"""Sandboxes for tests: started as root or as a plain user, asked through a shell inside."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.eventually import eventually
from vnet_tui.sandbox import namespaces

REPOSITORY = Path(__file__).parents[2]
NOBODY = 65534
ENGINE = "vnet_tui.sandbox"
BARE = "tests.support.bare_sandbox"


class Starter:
    """How to start Python as somebody: an argument list to put before ``-m MODULE``.

    A plain user can't read root's home directory, where the interpreter or the checkout may be:
    they are shown to it elsewhere, which only the calling thread's mount namespace sees.
    """

    def __init__(self, *, plain: bool) -> None:
        self.plain = plain
        self.python = sys.executable
        self.prefix: list[str] = [self.python]
        self.environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        self._shown: Path | None = None
        if plain:
            self._become_plain()

    def _become_plain(self) -> None:
        if not _is_mapped(NOBODY):
            # The tests are run by a plain user who is root in a user namespace only.
            self.prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
            self.prefix += ["--", self.python]
            return
        self._shown = Path(tempfile.mkdtemp(prefix="vnet-plain-"))
        self._shown.chmod(0o755)
        python = self._show("python", Path(sys.base_prefix))
        packages = self._show("packages", Path(sysconfig.get_path("purelib")))
        checkout = self._show("checkout", REPOSITORY)
        self.python = str(python / "bin" / f"python3.{sys.version_info.minor}")
        identity = f"--reuid={NOBODY}", f"--regid={NOBODY}"
        self.prefix = ["setpriv", *identity, "--clear-groups", "--", self.python]
        self.environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": "/",
            "LD_LIBRARY_PATH": str(python / "lib"),  # libpython is sought where it was installed
            "PYTHONPATH": f"{checkout}:{packages}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _show(self, name: str, what: Path) -> Path:
        assert self._shown is not None
        where = self._shown / name
        where.mkdir()
        namespaces.mount_bind(what, where)
        return where

    def command(self, *argv: str, module: str = BARE) -> list[str]:
        """The argument list that runs ``argv`` in a sandbox."""
        return [*self.prefix, "-m", module, *argv]

    def run(
        self, *argv: str, module: str = BARE, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a sandbox to its end."""
        return subprocess.run(
            self.command(*argv, module=module),
            env={**self.environment, **(environment or {})},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )

    def close(self) -> None:
        """Take away what was shown to the plain user."""
        if self._shown is not None:
            for where in self._shown.iterdir():
                subprocess.run(["umount", str(where)], check=True)
            shutil.rmtree(self._shown)


class Sandbox:
    """A running sandbox with a shell as its command, to be asked things."""

    def __init__(self, starter: Starter, module: str = BARE) -> None:
        self.python = starter.python
        self.process = subprocess.Popen(
            starter.command("sh", module=module),
            env=starter.environment,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        inside = self.processes()
        self.process.kill()
        self.process.communicate()
        eventually(lambda: not alive(inside), what="the end of the sandbox")

    def run(self, line: str, *, check: bool = True) -> str:
        """What a shell command prints on both outputs."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{{ {line}\n}} </dev/null 2>&1; echo; echo end-of-output $?\n")
        self.process.stdin.flush()
        said: list[str] = []
        for answer in self.process.stdout:
            if answer.startswith("end-of-output "):
                status = int(answer.split()[1])
                output = "".join(said).rstrip("\n")
                assert status == 0 or not check, f"{line}: {output}"
                return output
            said.append(answer)
        raise AssertionError(f"the sandbox ended during {line!r}: {''.join(said)}")

    def processes(self) -> set[int]:
        """All processes of the sandbox, by their ids outside."""
        return members(self.process.pid)


def members(outside: int) -> set[int]:
    """The processes of the pid namespace that the children of a sandbox's outer process are in."""
    try:
        own = Path(f"/proc/{outside}/ns/pid_for_children").stat().st_ino
    except OSError:
        return set()
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != outside:
            try:
                if (entry / "ns/pid").stat().st_ino == own:
                    found.add(int(entry.name))
            except OSError:
                continue  # it ended while we looked
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that are there and aren't only waiting to be collected."""
    return {pid for pid in pids if state_of(pid) not in ("", "Z", "X")}


def state_of(pid: int) -> str:
    """The state of a process, as proc(5) writes it; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> int:
    """Send a signal and wait for the end; the exit status."""
    process.send_signal(number)
    return process.wait(timeout=30)


def _is_mapped(uid: int) -> bool:
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = (int(field) for field in line.split())
        if first <= uid < first + count:
            return True
    return False
