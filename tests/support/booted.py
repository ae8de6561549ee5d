"""A system that systemd runs, in namespaces: for what only a real service manager can show."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]
NAMESPACES = ("--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup")


class Booted:
    """Runs from entering to leaving; ``console`` is what it has said. Needs real root."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._cgroups = directory / "cgroup"
        self._said: list[bytes] = []
        self._process: subprocess.Popen[bytes]
        self._init = 0

    @property
    def console(self) -> str:
        """What has been written on its console."""
        return b"".join(self._said).decode(errors="replace")

    def __enter__(self) -> Self:
        system = self._directory / "system"
        for made in (system, self._cgroups):
            made.mkdir()
        master, slave = pty.openpty()
        group = f"{self._cgroups}/vnet-test-{os.getpid()}"
        # In a control group of its own, which is the root of all that it sees.
        enter = (
            f"mount --make-rprivate / && mount -t cgroup2 cgroup2 {self._cgroups} "
            f"&& mkdir {group} && echo $$ > {group}/cgroup.procs "
            '&& { "$@"; status=$?; }; '
            f"echo $$ > {self._cgroups}/cgroup.procs; "
            f"find {group} -depth -type d -exec rmdir {{}} +; exit $status"
        )
        init = [sys.executable, "-m", "tests.support.booted_init", str(system), os.ttyname(slave)]
        start = ["unshare", *NAMESPACES, "--fork", "--kill-child", *init]
        self._process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", enter, "sh", *start],
            cwd=ROOT,
            stdout=slave,
            stderr=slave,
        )
        threading.Thread(target=self._read, args=(master, slave), daemon=True).start()
        try:
            self._init = eventually(self._first_process, within=20, what="the first process")
            eventually(self._is_up, within=30, what="systemd")
        except BaseException:
            print(self.console)
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._init:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._init, 9)  # all others end with it
        else:
            self._process.terminate()
        self._process.wait(20)
        if kind is not None:
            print(self.console)

    def run(self, *argv: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a program there."""
        enter = ["nsenter", f"--target={self._init}", "--all", "--root", "--wd"]
        bare = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        return subprocess.run(
            [*enter, *argv], input=stdin, capture_output=True, text=True, env=bare | environ
        )

    def ok(self, *argv: str, stdin: str = "") -> str:
        """What a program prints that ends well."""
        done = self.run(*argv, stdin=stdin)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}\n{self.console}"
        return done.stdout

    def _read(self, master: int, slave: int) -> None:
        os.close(slave)
        with contextlib.suppress(OSError):  # everybody has closed it
            while data := os.read(master, 4096):
                self._said.append(data)
        os.close(master)

    def _first_process(self) -> int:
        """Its id here: the child of the unshare(1) that is a child of the shell."""
        pid = self._process.pid
        for _ in range(2):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if not children:
                return 0
            pid = int(children[0])
        comm = Path(f"/proc/{pid}/comm").read_text().strip()
        return pid if comm == "systemd" else 0

    def _is_up(self) -> bool:
        state = self.run("systemctl", "is-system-running").stdout.strip()
        return state in ("running", "degraded")
