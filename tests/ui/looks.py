"""Pictures of the running interface: one run is compared in all colours with those on file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual.app import App
from textual.pilot import Pilot

from vnet_tui.themes import LIGHT

Before = Callable[[Pilot[Any]], Awaitable[None]]

SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (200, 60)
OTHERS = {"light": LIGHT.name, "ansi": "ansi-dark"}
"""The themes that a picture is taken in besides the one that it is shown in, by a word for it."""


class Looks:
    """Whether what an application shows is what it showed when somebody approved of it.

    The picture in the application's own theme is compared by pytest-textual-snapshot, for its
    report; those in other themes are taken in the same run.
    """

    def __init__(
        self, compare: Callable[..., bool], snapshot: SnapshotAssertion, size: tuple[int, int]
    ) -> None:
        self._compare = compare
        self._snapshot = snapshot.use_extension(SVGImageExtension)
        self.size = size

    def __call__(self, app: App[Any], before: Before) -> bool:
        """Lead the application to a screen with ``before``, and compare."""
        taken: dict[str, str] = {}

        async def go(pilot: Pilot[Any]) -> None:
            await before(pilot)
            await pilot.pause()
            own = app.theme
            for word, theme in OTHERS.items():
                await _recolour(pilot, theme)
                taken[word] = app.export_screenshot(title=app.title, simplify=True)
            await _recolour(pilot, own)

        same = [self._compare(app, terminal_size=self.size, run_before=go)]
        same += [self._snapshot(name=word) == picture for word, picture in taken.items()]
        return all(same)


async def _recolour(pilot: Pilot[Any], theme: str) -> None:
    pilot.app.theme = theme
    await pilot.pause()
    await pilot.wait_for_scheduled_animations()
