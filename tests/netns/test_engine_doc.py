"""The example of docs/engine.md is a program: it runs, and prints what stands below it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.inventory import inventory
from tests.support.lab import Lab

PAGE = Path(__file__).parents[2] / "docs/engine.md"


def test_the_example_prints_what_the_page_says(lab: Lab, tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    program, output = found.groups()
    before = inventory(lab.paths)
    script = tmp_path / "example.py"
    script.write_text(program)
    places = {"VNET_STATE_DIR": str(lab.paths.state), "VNET_RUN_DIR": str(lab.paths.run)}
    done = subprocess.run(
        [sys.executable, script], env=os.environ | places, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == (output, "")
    assert inventory(lab.paths) == before
