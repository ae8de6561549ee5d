"""An application that shows one network's tabs and nothing else, and waiting for what they show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, ClassVar
from uuid import UUID

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.ui.replay import Replay
from vnet_tui.assets import style_sheets
from vnet_tui.staging import Staging
from vnet_tui.themes import DARK, LIGHT
from vnet_tui.widgets.network_detail import NetworkDetail


class DetailApp(Staging):
    """The tabs of one network of a replay, in the application's styles."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [*style_sheets()]

    def __init__(
        self, replay: Replay, uuid: UUID | None, *, tab: int = 0, theme: str = DARK.name
    ) -> None:
        super().__init__()
        self.detail = NetworkDetail(replay, uuid, tab=tab, clock=lambda: replay.now)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = theme

    def compose(self) -> ComposeResult:
        yield self.detail

    def on_mount(self) -> None:
        self.detail.focus_inside()


async def until(pilot: Pilot[Any], seen: Callable[[], object], *, within: float = 10.0) -> None:
    """Let the application work until something is to be seen."""
    end = time.monotonic() + within
    while not seen():
        assert time.monotonic() < end, f"not seen within {within:g} s"
        await asyncio.sleep(0.01)
        await pilot.pause()
    await pilot.pause()


def is_shown(detail: NetworkDetail, uuid: UUID) -> bool:
    """Whether the open tab shows what it was told of this network."""
    return detail.pane is not None and detail.pane.presented == uuid


def text_of(app: App[Any]) -> str:
    """What stands on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)
