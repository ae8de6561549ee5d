"""Which engine guards a host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vnet_tui.daemon.listening import only_daemon
from vnet_tui.engine.guard import Guard
from vnet_tui.engine.paths import Paths

_HOLD = """
import fcntl, os, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print(os.getpid(), file=file, flush=True)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(state=tmp_path / "state", run=tmp_path / "run")


def _holder(path: Path) -> subprocess.Popen[bytes]:
    """Another process that holds a lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert made.stdout is not None
    assert made.stdout.readline() == b"held\n"
    return made


def test_one_of_two_guards_and_the_other_takes_its_place(paths: Paths) -> None:
    first, second = Guard(paths), Guard(paths)
    assert [first.acts(), second.acts(), first.acts()] == [True, False, True]
    first.close()
    assert [second.acts(), first.acts()] == [True, False]
    second.close()


def test_a_daemon_goes_before_whoever_guards(paths: Paths) -> None:
    guard = Guard(paths)
    assert guard.acts()
    with _holder(paths.daemon_lock) as daemon:
        assert not guard.acts()
        daemon.kill()
    assert guard.acts()
    guard.close()


def test_the_daemons_own_engine_guards_whoever_did_before(paths: Paths) -> None:
    with _holder(paths.run / "guard.lock") as other, only_daemon(paths):
        assert Guard(paths).acts()
        other.kill()


def test_looking_for_a_daemon_doesnt_keep_one_from_starting(paths: Paths) -> None:
    guard = Guard(paths)
    for _ in range(50):
        assert guard.acts()
        with only_daemon(paths):
            assert guard.acts()
    guard.close()


def test_a_run_directory_that_was_removed_costs_the_lock(paths: Paths) -> None:
    first, second = Guard(paths), Guard(paths)
    assert first.acts()
    (paths.run / "guard.lock").unlink()
    assert second.acts()
    assert not first.acts()
    second.close()
