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

from typing import TYPE_CHECKING, Any

from textual._styles_cache import StylesCache

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode
    from textual.signal import Signal


def forget_closed(app: App[Any], signal: Signal[Any]) -> None:
    """Let go of what is closed and watched the application or one of its screens, or subscribed to
    a signal. It takes some ten microseconds; what is painted next remembers its colours again."""
    for observed in (app, *app.screen_stack):
        watchers: dict[str, list[tuple[DOMNode, object]]] = getattr(observed, "__watchers", {})
        for each in watchers.values():
            if any(node._closing for node, _ in each):
                each[:] = [watcher for watcher in each if not watcher[0]._closing]
    for node in list(signal._subscriptions):
        if node._closing:
            signal.unsubscribe(node)
    if clear := getattr(StylesCache.get_inner_outer, "cache_clear", None):
        clear()
