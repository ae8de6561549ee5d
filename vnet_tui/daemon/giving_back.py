"""Memory that many requests took at once is given back when they were answered.

The C library keeps what was freed for what may come. A daemon stays for months, and its threads
have kept the most that each of them ever took.
"""

from __future__ import annotations

import asyncio
import ctypes

EVERY = 10.0
"""Seconds. Giving back takes 2 ms of a thread."""


async def give_back() -> None:
    """Do it for ever; return at once where the C library can't (malloc_trim(3) is glibc's)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:
        await asyncio.sleep(EVERY)
        await asyncio.to_thread(trim, 0)
