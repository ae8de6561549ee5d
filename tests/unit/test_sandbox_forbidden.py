"""What is said when the kernel refuses a part of the sandbox; settings that can't be set here."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from vnet_tui.sandbox.forbidden import Part, explain


def refused(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def setting(proc: Path, name: str, value: str) -> None:
    file = proc / "sys" / name.replace(".", "/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{value}\n")


@pytest.mark.parametrize(
    ("name", "value", "mended"),
    [
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ],
)
@pytest.mark.parametrize("part", [Part.USER, Part.IDS, Part.NET, Part.MOUNTS])
def test_a_switch_is_named_with_what_throws_it(
    tmp_path: Path, name: str, value: str, mended: str, part: Part
) -> None:
    setting(tmp_path, name, value)
    error = explain(part, refused(errno.EPERM), plain=True, proc=tmp_path)
    assert f"{name} is {value}" in error.message
    assert f"sysctl -w {name}={mended}" in error.remedy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kernel.unprivileged_userns_clone", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "0"),
    ],
)
def test_a_switch_that_allows_is_not_blamed(tmp_path: Path, name: str, value: str) -> None:
    setting(tmp_path, name, value)
    error = explain(Part.USER, refused(errno.EPERM), plain=True, proc=tmp_path)
    assert name not in str(error)
    assert "Operation not permitted" in error.message


def test_switches_for_plain_users_are_not_blamed_for_what_root_is_refused(tmp_path: Path) -> None:
    setting(tmp_path, "kernel.unprivileged_userns_clone", "0")
    error = explain(Part.NET, refused(errno.EPERM), plain=False, proc=tmp_path)
    assert "userns" not in str(error)


def test_a_limit_that_is_used_up_is_told_from_one_of_zero(tmp_path: Path) -> None:
    setting(tmp_path, "user.max_net_namespaces", "12")
    error = explain(Part.NET, refused(errno.ENOSPC), plain=True, proc=tmp_path)
    assert "user.max_net_namespaces is 12" in error.message
    assert "raise user.max_net_namespaces" in error.remedy


def test_a_kernel_without_namespaces(tmp_path: Path) -> None:
    error = explain(Part.USER, refused(errno.EINVAL), plain=True, proc=tmp_path)
    assert error.message == "the sandbox can't have a user namespace: this kernel has none"
