"""Where namespaces are really refused, the sandbox says which and why, and starts nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.sandbox import REPOSITORY

_SANDBOX = [sys.executable, "-m", "vnet_tui.sandbox", "echo", "never"]
_NEW_USERS = ["unshare", "--user", "--map-root-user", "--"]
_NO_CAPABILITIES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"]

_WITHOUT_UNSHARE = """
import ctypes, os, platform, struct, sys
NUMBERS = {"x86_64": 272, "aarch64": 97}
EPERM, LOAD, EQUAL, RETURN = 1, 0x20, 0x15, 0x06
code = [
    (LOAD, 0, 0, 0),
    (EQUAL, 0, 1, NUMBERS[platform.machine()]),
    (RETURN, 0, 0, 0x00050000 | EPERM),
    (RETURN, 0, 0, 0x7FFF0000),
]
program = b"".join(struct.pack("HBBI", *line) for line in code)
buffer = ctypes.create_string_buffer(program)
class Filter(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc = ctypes.CDLL(None)
filter_ = Filter(len(code), ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(filter_), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A seccomp filter (seccomp(2)) as containers have one: unshare(2) gives EPERM."""


def refused(*argv: str) -> str:
    done = subprocess.run(
        argv,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize(
    ("limited", "words"),
    [("mnt", "a mount namespace"), ("net", "a network namespace"), ("pid", "a pid namespace")],
)
def test_a_limit_of_zero_is_named(limited: str, words: str) -> None:
    setting = f"/proc/sys/user/max_{limited}_namespaces"
    said = refused(*_NEW_USERS, "sh", "-c", f'echo 0 > {setting}; exec "$@"', "sh", *_SANDBOX)
    assert said == (
        f"vnet-tui: the sandbox can't have {words}: none is allowed "
        f"(user.max_{limited}_namespaces is 0) "
        f"(as root: sysctl -w user.max_{limited}_namespaces=1000)\n"
    )


def test_no_user_namespaces_for_somebody_without_capabilities() -> None:
    lower = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"'
    said = refused(*_NEW_USERS, "sh", "-c", lower, "sh", *_NO_CAPABILITIES, *_SANDBOX)
    assert "can't have a user namespace: none is allowed (user.max_user_namespaces is 0)" in said


def test_a_seccomp_filter_is_recognised() -> None:
    said = refused(sys.executable, "-c", _WITHOUT_UNSHARE, *_SANDBOX)
    assert "a seccomp filter forbids it" in said
    assert "--security-opt seccomp=unconfined" in said


def test_a_proc_that_is_masked_as_in_containers() -> None:
    # The kernel gives a user namespace no fresh /proc where parts of the one it sees are hidden.
    mask = 'mount -t tmpfs none /proc/irq; exec "$@"'
    plain = "unshare", "--user", "--map-user=1000", "--map-group=1000", "--"
    said = refused("unshare", "--mount", "--", "sh", "-c", mask, "sh", *plain, *_SANDBOX)
    assert "can't have mounts of its own: " in said
    assert "--security-opt systempaths=unconfined" in said
