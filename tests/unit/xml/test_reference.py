"""docs/xml.md says what the schema and the limits say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vnet_tui.engine.xml import limits

CHECKOUT = Path(__file__).parents[3]
PAGE = (CHECKOUT / "docs/xml.md").read_text()


def test_the_reference_is_made_from_the_schema() -> None:
    made = subprocess.run(
        [sys.executable, CHECKOUT / "script/xml-reference", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("MAX_BYTES", f"{limits.MAX_BYTES // 1024 // 1024} MiB"),
        ("MAX_DEPTH", f"{limits.MAX_DEPTH} deep"),
        ("MAX_NODES", f"{limits.MAX_NODES:,} elements"),
        ("MAX_TAG", f"{limits.MAX_TAG:,} characters"),
        ("MAX_RULES", f"{limits.MAX_RULES:,} rules"),
    ],
)
def test_the_limits_are_those_of_the_code(name: str, told: str) -> None:
    [line] = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    assert told in line
