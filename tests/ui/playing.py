"""The interface on a replay, for tests: an application whose clock is the replay's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from tests.ui.replay import Replay
from vnet_tui.app import VnetApp
from vnet_tui.client.connection import Connection


def playing(replay: Replay, *, theme: str = "vnet-dark") -> VnetApp:
    """An application that connects to a replay at once, and after a loss when a test says so."""

    async def connect() -> Connection:
        return replay

    return VnetApp(connect, theme=theme, again_after=(3600.0,), clock=lambda: replay.now)


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Let the application work until something holds. TimeoutError: it never did; it shows the
    screen."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await pilot.pause()
    except TimeoutError:
        raise TimeoutError(f"it never came:\n{picture(pilot.app)}") from None


def picture(app: App[Any]) -> str:
    """What is on the screen, as text."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def line_of(app: App[Any], text: str) -> str:
    """The first line on the screen that has a text between blanks. StopIteration: none has."""
    return next(line for line in picture(app).splitlines() if f" {text} " in line)
