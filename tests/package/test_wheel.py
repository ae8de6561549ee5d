"""The wheel: built, installed into an environment of its own, and run from another folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import vnet_tui
from vnet_tui.daemon.pieces import PIECES

CHECKOUT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program without this process's environment; give back its output."""
    bare = {"PATH": os.defpath}
    done = subprocess.run(command, cwd=cwd, env=bare, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with the build tools that are installed here."""
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    run(*build, CHECKOUT, cwd=out)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of an environment that has the wheel, and the dependencies that are here.

    A ``.pth`` file lends it this environment's packages. The checkout isn't among them: it is
    known here by a ``.pth`` file too, and those count only where an environment begins.
    """
    home = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(home, symlinks=True)
    bin_dir = home / "bin"
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(bin_dir / "python")]
    run(*pip, "install", "--no-index", "--no-deps", wheel, cwd=home)
    [packages] = home.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return bin_dir


def test_it_carries_what_is_not_code_and_nothing_of_the_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packed = {name for name in names if not name.endswith(".py") and ".dist-info/" not in name}
    styles = {f"vnet_tui/styles/{path.name}" for path in (CHECKOUT / "styles").iterdir()}
    examples = {f"vnet_tui/examples/{p.name}" for p in (CHECKOUT / "vnet_tui/examples").iterdir()}
    assert styles
    assert examples
    service = {f"vnet_tui/daemon/files/{piece.source}" for piece in PIECES}
    wanted = styles | examples | {"vnet_tui/py.typed", "vnet_tui/engine/xml/schema.rng"}
    assert packed >= wanted | service
    version = f"vnet_tui-{vnet_tui.__version__}"
    assert {name.split("/")[0] for name in names} == {
        "vnet_tui",
        f"{version}.dist-info",
        f"{version}.data",
    }
    shared = {name.partition(".data/data/share/")[2] for name in names} - {""}
    assert shared == {piece.place for piece in PIECES if not piece.systemd}


def test_its_programs_tell_their_version(installed: Path, tmp_path: Path) -> None:
    for program in ("vnet", "vnet-tui", "vnetd"):
        said = run(installed / program, "--version", cwd=tmp_path)
        assert vnet_tui.__version__ in said


def test_it_finds_its_own_files_and_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    ask = "from vnet_tui.assets import examples, style_sheets; print(examples(), *style_sheets())"
    places = [Path(place) for place in run(installed / "python", "-c", ask, cwd=tmp_path).split()]
    assert len(places) > 1
    for place in places:
        assert place.exists()
        assert place.is_relative_to(installed.parent)


def test_it_validates_its_examples(installed: Path, tmp_path: Path) -> None:
    ask = "from vnet_tui.assets import examples; print(*examples().glob('*.xml'), sep='\\n')"
    examples = run(installed / "python", "-c", ask, cwd=tmp_path).splitlines()
    assert examples
    places = ["--state-dir", str(tmp_path / "state"), "--run-dir", str(tmp_path / "run")]
    run(installed / "vnet", *places, "network-validate", *examples, cwd=tmp_path)


def test_its_service_runs_its_own_program(installed: Path, tmp_path: Path) -> None:
    run(installed / "vnetd", "--install", "--root", tmp_path, cwd=tmp_path)
    for piece in PIECES:
        assert piece.path(tmp_path, "").is_file()
    service = (tmp_path / "etc/systemd/system/vnetd.service").read_text()
    [program] = re.findall(r"^ExecStart=(\S+) \$VNETD_OPTIONS$", service, re.MULTILINE)
    assert program == str(installed / "vnetd")
    assert run(program, "--version", cwd=tmp_path) == f"vnetd {vnet_tui.__version__}\n"
    run(installed / "vnetd", "--uninstall", "--root", tmp_path, cwd=tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
