"""The manuals: what --help says, in what man(1) shows without complaints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vnet_tui.cli.commands import COMMANDS
from vnet_tui.daemon.main import parser
from vnet_tui.daemon.pieces import FILES

CHECKOUT = Path(__file__).parents[2]
MANUALS = ("vnet.1", "vnet-tui.1", "vnetd.8")


def shown(manual: str) -> str:
    """A manual as a terminal shows it; fails when there is anything to complain about."""
    plain = ["-P-c", "-P-b", "-P-o", "-P-u"]  # grotty(1): no colours, nothing struck twice
    groff = ["groff", "-k", "-man", "-Tutf8", "-ww", *plain, "-rLL=200n", str(FILES / manual)]
    done = subprocess.run(groff, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.replace("‐", "-")


def test_they_are_what_help_says() -> None:
    done = subprocess.run(
        [sys.executable, CHECKOUT / "script/manpages", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("manual", MANUALS)
def test_they_are_shown_without_complaints(manual: str) -> None:
    text = shown(manual)
    name = manual.partition(".")[0]
    assert f"NAME\n       {name} - " in text
    assert "SEE ALSO" in text


@pytest.mark.parametrize("manual", MANUALS)
def test_man_and_mandoc_have_no_complaints(manual: str) -> None:
    """As lintian asks man(1); and mandoc, where it is."""
    man = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(FILES / manual)]
    asked = [man] if shutil.which("man") else []
    if shutil.which("mandoc"):
        asked.append(["mandoc", "-Tlint", "-Werror", str(FILES / manual)])
    for command in asked:
        environ = os.environ | {"MANROFFSEQ": "", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_every_command_and_option_is_told() -> None:
    text = " ".join(shown("vnet.1").split())
    for command in COMMANDS:
        assert " ".join(f"vnet {command.usage}".split()) in text
        for option in command.all_options:
            assert option.help.rstrip(".")[1:] in text
    told = shown("vnetd.8")
    for action in parser()._actions:
        for flag in action.option_strings:
            assert flag in told
