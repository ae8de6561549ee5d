"""``vnetd --install`` and ``--uninstall`` on a system in a directory; the units as systemd reads
them. How the service does on a system that systemd runs: ``tests/package/test_service.py``."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.daemon import need_other_users
from vnet_tui.daemon.install import Target, install, uninstall
from vnet_tui.daemon.main import main
from vnet_tui.daemon.pieces import PIECES
from vnet_tui.daemon.placing import place
from vnet_tui.daemon.program import others_places
from vnet_tui.engine.errors import ProblemsError, StoreError, VnetError

UNITS = "etc/systemd/system"
SERVICE = f"{UNITS}/vnetd.service"
PLACED = {
    f"{UNITS}/vnetd.socket",
    SERVICE,
    "etc/sysusers.d/vnet.conf",
    "etc/tmpfiles.d/vnet.conf",
    "usr/local/share/bash-completion/completions/vnet",
    "usr/local/share/zsh/site-functions/_vnet",
    "usr/local/share/fish/vendor_completions.d/vnet.fish",
    "usr/local/share/man/man1/vnet.1",
    "usr/local/share/man/man1/vnet-tui.1",
    "usr/local/share/man/man8/vnetd.8",
}
MOST_EXPOSURE = 35
"""In tenths; what is left open is told in docs/decisions/0011-packaging.md."""


def files(root: Path) -> dict[str, bytes]:
    """All files below a directory."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() or path.is_symlink()
    }


def target(root: Path, program: str = "/opt/vnet/bin/vnetd", *, dry_run: bool = False) -> Target:
    """A system in a directory."""
    return Target(root, "", program, dry_run)


def test_all_is_placed_told_and_taken_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = tmp_path / "var/lib/vnet/networks/x.xml"
    others.parent.mkdir(parents=True)
    others.write_text("<network/>")
    old = os.umask(0o077)
    try:
        install(target(tmp_path))
    finally:
        os.umask(old)
    assert files(tmp_path).keys() == PLACED | {"var/lib/vnet/networks/x.xml"}
    said = capsys.readouterr().out
    for path in PLACED:
        assert f"wrote {tmp_path / path} (" in said
        assert (tmp_path / path).stat().st_mode & 0o777 == 0o644
        assert (tmp_path / path).parent.stat().st_mode & 0o777 == 0o755
    assert "runs /opt/vnet/bin/vnetd" in said
    uninstall(target(tmp_path))
    said = capsys.readouterr().out
    assert files(tmp_path) == {"var/lib/vnet/networks/x.xml": b"<network/>"}
    assert all(f"removed {tmp_path / path}\n" in said for path in PLACED)
    assert "stay: definitions and leases, in /var/lib/vnet" in said
    uninstall(target(tmp_path))
    assert "there was nothing" in capsys.readouterr().out


def test_twice_is_once_and_a_new_version_replaces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(target(tmp_path))
    before = files(tmp_path)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    capsys.readouterr()
    install(target(tmp_path))
    assert capsys.readouterr().out.count("is there already: ") == len(PLACED)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == stamps
    place(tmp_path / SERVICE, "[Service]\nExecStart=/an/earlier/version\n")
    install(target(tmp_path))
    assert f"replaced {tmp_path / SERVICE}" in capsys.readouterr().out
    assert files(tmp_path) == before


@pytest.mark.parametrize("kind", ["foreign", "changed", "masked", "directory", "empty"])
def test_what_is_not_ours_is_neither_replaced_nor_removed(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service = tmp_path / SERVICE
    service.parent.mkdir(parents=True)
    match kind:
        case "foreign":
            service.write_text("[Service]\nExecStart=/usr/bin/vnetd\n")
        case "changed":
            place(service, "[Service]\nUMask=0077\n")
            service.write_text(service.read_text().replace("0077", "0022"))
        case "masked":
            service.symlink_to("/dev/null")
        case "directory":
            service.mkdir()
        case "empty":
            service.touch()
    before = files(tmp_path)
    with pytest.raises(ProblemsError, match="nothing was installed") as caught:
        install(target(tmp_path))
    assert [str(service) in problem.message for problem in caught.value.problems] == [True]
    assert files(tmp_path) == before
    uninstall(target(tmp_path))
    assert f"stays: {service} is a " in capsys.readouterr().out
    assert files(tmp_path) == before


def test_a_dry_run_tells_the_same_and_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(target(tmp_path, dry_run=True))
    assert capsys.readouterr().out.count("would write ") == len(PLACED)
    assert files(tmp_path) == {}
    install(target(tmp_path))
    before = files(tmp_path)
    capsys.readouterr()
    uninstall(target(tmp_path, dry_run=True))
    assert capsys.readouterr().out.count("would remove ") == len(PLACED)
    assert files(tmp_path) == before


def test_a_distributions_package_has_its_own_places(tmp_path: Path) -> None:
    install(Target(tmp_path, "/usr", str(tmp_path / "usr/bin/vnetd")))
    assert {path.removeprefix("usr/") for path in files(tmp_path)} == {
        f"{'lib' if piece.systemd else 'share'}/{piece.place}" for piece in PIECES
    }
    assert (
        "ExecStart=/usr/bin/vnetd "
        in (tmp_path / "usr/lib/systemd/system/vnetd.service").read_text()
    )


def test_what_the_system_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file")
    with pytest.raises(StoreError, match=r"can't write .*vnetd\.socket"):
        install(target(tmp_path))


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("vnetd", "no absolute path"),
        ("/nowhere/vnetd", "can't be run"),
        ("/opt/new\nline/vnetd", "can't be run"),
    ],
)
def test_a_program_that_no_service_can_run_is_refused(program: str, said: str) -> None:
    with pytest.raises(VnetError, match=said):
        install(Target(Path("/"), "", program, dry_run=True))


def test_a_program_among_temporary_files_is_refused() -> None:
    program = Path("/tmp") / f"vnetd-{os.getpid()}"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    try:
        with pytest.raises(VnetError, match="temporary files"):
            install(Target(Path("/"), "", str(program), dry_run=True))
    finally:
        program.unlink()


def test_what_others_can_change_of_what_root_runs_is_told(tmp_path: Path) -> None:
    need_other_users()
    program = tmp_path / "theirs/bin/vnetd"
    program.parent.mkdir(parents=True)
    program.touch()
    told = {path for path, _ in others_places(program)}
    assert not {path for path in told if path.is_relative_to(tmp_path)}
    os.chown(program.parent.parent, 65534, 65534)
    program.chmod(0o775)
    told_now = dict(others_places(program))
    assert {path: told_now[path] for path in told_now.keys() - told} == {
        tmp_path / "theirs": pwd.getpwuid(65534).pw_name,
        program: "its group",
    }


@pytest.mark.parametrize(("work", "option"), [(install, "--install"), (uninstall, "--uninstall")])
def test_without_root_it_says_what_to_do(work: Callable[[Target], None], option: str) -> None:
    need_other_users()
    os.seteuid(65534)
    try:
        with pytest.raises(VnetError) as caught:
            work(Target())
    finally:
        os.seteuid(0)
    assert caught.value.message == f"{option} needs root"
    assert f"vnetd {option}; --dry-run tells" in caught.value.remedy


def test_a_host_without_systemd_gets_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vnet_tui.daemon.install._BOOTED", tmp_path / "nothing")
    install(Target(Path("/"), "", "/bin/sh", dry_run=True))  # wherever this checkout is
    said = capsys.readouterr().out
    assert "systemd doesn't run this host" in said
    assert "groupadd --system vnet" in said
    assert "/etc/" not in said
    assert said.count("/usr/local/share/") == len([one for one in PIECES if not one.systemd])


@pytest.mark.parametrize(
    "argv",
    [
        ["--dry-run"],
        ["--root", "/x"],
        ["--install", "--uninstall"],
        ["--install", "--run-dir", "/x"],
    ],
)
def test_options_that_make_no_sense_are_refused(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2


def verified(unit: Path) -> str:
    """What systemd says of a unit and of those that it finds beside it."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{unit.parent}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.stdout}{done.stderr}" + (f"status {done.returncode}" if done.returncode else "")


@pytest.mark.parametrize("name", ["vnet", "with space", "per%cent", "d$llar", "ünï", "se;mi #"])
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir()
    program = directory / "vnetd"
    shutil.copy("/bin/true", program)
    root = tmp_path / "root"
    install(target(root, str(program)))
    for unit in ("vnetd.service", "vnetd.socket"):
        assert verified(root / UNITS / unit) == ""
    program.unlink()
    assert str(program) in verified(root / SERVICE)


@pytest.mark.parametrize("name", ['q"uote', "it's", "back\\slash", "st*r", "line\nend"])
def test_what_systemd_would_refuse_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(VnetError, match="systemd runs no program with such a path"):
        install(target(tmp_path, f"/opt/{name}/vnetd"))
    assert files(tmp_path) == {}


def test_the_service_is_as_closed_as_is_recorded(tmp_path: Path) -> None:
    install(target(tmp_path))
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    done = subprocess.run(
        [*command, f"--threshold={MOST_EXPOSURE}", str(tmp_path / SERVICE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_groups_and_directories_are_made(tmp_path: Path) -> None:
    """On a system that has nothing yet."""
    need_other_users()
    install(target(tmp_path))
    for name, content in (("passwd", "root:x:0:0::/:/bin/sh\n"), ("group", "root:x:0:\n")):
        (tmp_path / "etc" / name).write_text(content)
    for program in (["systemd-sysusers"], ["systemd-tmpfiles", "--create", "--prefix=/var"]):
        subprocess.run([*program, f"--root={tmp_path}"], check=True)
    groups = [line.split(":")[0] for line in (tmp_path / "etc/group").read_text().splitlines()]
    assert groups == ["root", "vnet", "vnet-read"]
    assert (tmp_path / "var/lib/vnet").stat().st_mode & 0o777 == 0o700
