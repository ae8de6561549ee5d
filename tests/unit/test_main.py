"""The program's entrance: which face, with which limits, and what it says when it can't go on."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from vnet_tui import __main__ as entrance, __version__
from vnet_tui.engine.paths import Paths
from vnet_tui.themes import theme_for


def test_not_root_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert entrance.main(["--run-dir", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "sudo vnet-tui" in told
    assert "vnet-tui --sandbox" in told


def test_where_a_daemon_answers_one_neednt_be_root(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[Path, str]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(entrance, "missing_of_terminal", lambda _: "")

    def run(paths: Paths, uri: str, *, read_only: bool) -> int:
        assert not read_only
        asked.append((paths.run, uri))
        return 0

    monkeypatch.setattr(entrance, "run", run)
    elsewhere = "vnet+ssh://root@example.net/system"
    assert entrance.main(["--connect", elsewhere, "--run-dir", str(tmp_path)]) == 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
        daemon.bind(str(tmp_path / "vnetd.sock"))
        daemon.listen()
        assert entrance.main(["--run-dir", str(tmp_path)]) == 0
    assert asked == [(tmp_path, elsewhere), (tmp_path, "")]


def test_sandbox_runs_this_program_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    from vnet_tui.sandbox import launch

    asked: list[list[str]] = []

    def launched(argv: list[str]) -> int:
        asked.append(argv)
        return 7

    monkeypatch.setattr(launch, "launch", launched)
    monkeypatch.setattr(entrance, "missing_of_terminal", lambda _: "")
    assert entrance.main(["--sandbox"]) == 7
    assert asked == [[sys.executable, "-m", "vnet_tui"]]


def test_without_a_terminal_it_says_so_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vnet_tui", "--sandbox"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("vnet-tui: this needs a terminal, and standard input is none.")


def test_a_dumb_terminal_is_told() -> None:
    code = "from vnet_tui.__main__ import missing_of_terminal as m; import os; print(m(os.environ))"
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TERM": "dumb"},
    )
    os.close(ours)
    os.close(theirs)
    assert "dumb" in done.stdout


def test_the_sandbox_takes_no_directories(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        entrance.main(["--sandbox", "--state-dir", "/tmp/s"])
    assert "directories of its own" in capsys.readouterr().err


def test_slow_links_are_spared_unless_told_otherwise() -> None:
    environ = {"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22", "TEXTUAL_FPS": "60"}
    entrance.limit_terminal(environ)
    assert environ["TEXTUAL_FPS"] == "60"
    assert environ["TEXTUAL_ANIMATIONS"] == "none"
    assert environ["TEXTUAL_SMOOTH_SCROLL"] == "0"
    local: dict[str, str] = {}
    entrance.limit_terminal(local)
    assert local == {}


def test_version_and_help_import_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from vnet_tui.__main__ import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit:\n    pass\n"
        "print(*(name for name in ('textual', 'rich', 'lxml', 'pyroute2') if name in sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == [f"vnet-tui {__version__}", ""]


def test_the_interface_is_there_without_the_engine_s_libraries() -> None:
    code = (
        "import sys, vnet_tui.app\n"
        "print(*(name for name in ('lxml', 'pyroute2', 'asyncinotify') if name in sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "vnet-dark"),
        ({"TERM": "xterm-256color"}, "vnet-dark"),
        ({"TERM": "tmux-256color"}, "vnet-dark"),
        ({"TERM": "xterm-kitty"}, "vnet-dark"),
        ({"TERM": "xterm-direct"}, "vnet-dark"),
        ({"TERM": "linux"}, "ansi-dark"),
        ({"TERM": "xterm"}, "ansi-dark"),
        ({"TERM": "rxvt-16color"}, "ansi-dark"),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, "vnet-dark"),
        ({}, "ansi-dark"),
    ],
)
def test_poor_terminals_get_their_own_colours(environ: dict[str, str], theme: str) -> None:
    assert theme_for(environ) == theme
