"""What Textual keeps of screens and widgets that were closed, let go.

A node that watches a value of another one is kept until that value changes again, which may be
never (https://github.com/Textualize/textual/issues/6666); one that subscribed to a signal, until
that is published again. What nodes painted is kept for a thousand colours, by a cache that
remembers whose they were (https://github.com/Textualize/textual/issues/6665).

This knows the inside of Textual, of the versions that the package allows, and does nothing where
another one has it no longer. ``tests/ui/test_leaving_screens.py`` tells whether it is needed and
enough.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from textual._styles_cache import StylesCache

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode
    from textual.signal import Signal


class Forgetting:
    """Lets go of what was closed of an application, whenever it is asked to."""

    def __init__(self, app: App[Any], signal: Signal[Any]) -> None:
        """``signal`` is one that widgets of the application subscribe to."""
        self._app = app
        self._signal = signal
        self._screens = 0
        self._settled = False

    def forget(self) -> None:
        """Forget what watched, subscribed or was painted and is closed. It takes some
        microseconds; where something was closed, all its memory is looked for, in some 25 ms: by
        itself Python does that seldom (see :mod:`vnet_tui.promptness`)."""
        screens = self._app.screen_stack
        closed = len(screens) < self._screens
        self._screens = len(screens)
        for observed in (self._app, *screens):
            closed |= _forget_watchers(observed)
        for node in list(self._signal._subscriptions):
            if node._closing:
                self._signal.unsubscribe(node)
        if clear := getattr(StylesCache.get_inner_outer, "cache_clear", None):
            clear()
        if not self._app.is_headless:  # a test has its own memory: it looks for it itself
            self._collect(closed=closed)

    def _collect(self, *, closed: bool) -> None:
        if closed or not self._settled:
            gc.collect()
        if not self._settled:
            self._settled = True
            gc.freeze()  # what the first pictures needed is there to stay: it is looked at no more


def _forget_watchers(observed: DOMNode) -> bool:
    """Whether there were any that are closed."""
    closed = False
    watchers: dict[str, list[tuple[DOMNode, object]]] = getattr(observed, "__watchers", {})
    for each in watchers.values():
        if any(node._closing for node, _ in each):
            each[:] = [watcher for watcher in each if not watcher[0]._closing]
            closed = True
    return closed
