"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], *, within: float = 10.0, what: str = "") -> T:
    """The first true result of ``look``; AssertionError when there is none in that many seconds."""
    end = time.monotonic() + within
    while not (seen := look()):
        if time.monotonic() > end:
            raise AssertionError(f"{what or 'it'} didn't happen within {within:g} s: {seen!r}")
        time.sleep(0.02)
    return seen


async def soon(look: Callable[[], Awaitable[T]], *, within: float = 10.0, what: str = "") -> T:
    """The same for what has to be awaited, while the event loop goes on."""
    end = time.monotonic() + within
    while True:
        if seen := await look():
            return seen
        assert time.monotonic() < end, what or "it never came"
        await asyncio.sleep(0.02)
