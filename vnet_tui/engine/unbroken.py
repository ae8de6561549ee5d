"""Work that is never broken off half-way."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TypeVar

T = TypeVar("T")


async def unbroken(work: asyncio.Task[T]) -> T:
    """The result of a task that goes on to its end when the caller is cancelled.

    The cancellation is raised then, but not before the end. What the caller holds meanwhile (a
    lock, an open driver) is thus held for as long as the task needs it.
    """
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({work})
        if not work.cancelled():
            work.exception()  # it has been seen: nobody else is left to see it
        raise
