"""Every test of the interface sees the same terminal, the same time zone and no animation."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read once, when textual is imported
os.environ.pop("TEXTUAL_SMOOTH_SCROLL", None)

from tests.ui.looks import LARGE, MEDIUM, SMALL, Looks


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that runs the tests shows in a picture."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    for name in ("NO_COLOR", "SSH_CONNECTION", "VNET_STATE_DIR", "VNET_RUN_DIR"):
        monkeypatch.delenv(name, raising=False)
    time.tzset()


@pytest.fixture(params=[SMALL, MEDIUM, LARGE], ids=["80x24", "120x40", "200x60"])
def looks(
    request: pytest.FixtureRequest,
    snap_compare: Callable[..., bool],
    snapshot: SnapshotAssertion,
) -> Looks:
    """Compares what is shown with what is on file: at three sizes, dark, light and in ANSI."""
    return Looks(snap_compare, snapshot, request.param)
