"""What the pages for users show is what happens: their sessions are run and compared."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab import Lab
from tests.support.sessions import Shell, run_page

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def shell(lab: Lab, tmp_path: Path) -> Iterator[Shell]:
    """Root's shell in an empty directory on the test's host."""
    directory = tmp_path / "home"
    directory.mkdir()
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    places = {
        "PATH": programs,
        "VNET_STATE_DIR": str(lab.paths.state),
        "VNET_RUN_DIR": str(lab.paths.run),
    }
    with Shell(directory, places) as shell:
        yield shell


def test_the_command_line(lab: Lab, shell: Shell, tmp_path: Path) -> None:
    assert run_page(DOCS / "cli.md", shell, tmp_path / "home", {}) > 20
