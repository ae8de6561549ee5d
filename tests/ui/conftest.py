"""Every test of the interface sees the same terminal, the same time zone and no animation."""

from __future__ import annotations

import os
import time

import pytest

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read once, when textual is imported
os.environ.pop("TEXTUAL_SMOOTH_SCROLL", None)


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that runs the tests shows in a picture."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    for name in ("NO_COLOR", "SSH_CONNECTION", "VNET_STATE_DIR", "VNET_RUN_DIR"):
        monkeypatch.delenv(name, raising=False)
    time.tzset()
