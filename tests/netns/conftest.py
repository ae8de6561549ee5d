"""Every test here gets a host of its own: private network and mount namespaces, an empty /run."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab import Lab, processes_in
from vnet_tui.sandbox import namespaces

_CLONE_FS = 0x00000200  # include/uapi/linux/sched.h

# A shell that starts tests in the background may have them, and what they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These tests can't be skipped: without the right to make namespaces they fail, and say so."""
    if os.geteuid() == 0:
        return
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            raise pytest.UsageError(
                "tests/netns needs root, or a user namespace: run script/test, which makes one"
            )


@pytest.fixture(autouse=True)
def lab(tmp_path: Path) -> Iterator[Lab]:
    """The calling thread lives in a new network namespace for the length of the test.

    At its end every process that is left in one of the test's namespaces is killed, and the test
    fails if it hadn't ended what it started.
    """
    home = [os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY) for kind in ("net", "mnt")]
    cwd = Path.cwd()
    namespaces.unshare(namespaces.CLONE_NEWNET | namespaces.CLONE_NEWNS)
    made: Lab | None = None
    try:
        namespaces.make_mounts_private()
        namespaces.mount_tmpfs("/run")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        made = Lab(tmp_path)
        yield made
    finally:
        if made is not None:
            made.close()
        inside = Path("/proc/thread-self/ns/net").stat().st_ino
        left = processes_in({inside})
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        # A thread that the test started may still be ending, and shares this one's file system
        # state; only who has it to himself may enter a mount namespace (setns(2)).
        namespaces.unshare(_CLONE_FS)
        namespaces.setns(home[0], namespaces.CLONE_NEWNET)
        namespaces.setns(home[1], namespaces.CLONE_NEWNS)
        os.chdir(cwd)
        for fd in home:
            os.close(fd)
    assert not left, f"the test left processes behind: {sorted(left.values())}"
