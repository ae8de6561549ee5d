"""The event loop of libvirt's bindings, as far as scripts use it: callbacks run in the thread that
calls :func:`virEventRunDefaultImpl`, never in another."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable

_waiting: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
_registered = False


def virEventRegisterDefaultImpl() -> int:
    """Say that this program will run the event loop; before any callback is registered. 0."""
    global _registered
    _registered = True
    return 0


def virEventRunDefaultImpl() -> int:
    """Wait for one event and run its callback; to be called again and again. 0.

    Comes back after a second without events too, so that a program can look whether to end.
    """
    with contextlib.suppress(queue.Empty):
        _waiting.get(timeout=1.0)()
    return 0


def registered() -> bool:
    """Whether callbacks can ever be called."""
    return _registered


def post(callback: Callable[[], object]) -> None:
    """Have a callback run by the program's event loop."""
    _waiting.put(callback)
