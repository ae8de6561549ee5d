"""Keeps the deadline of a checkpoint, for as long as this engine lives."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import Awaitable, Callable

from vnet_tui.engine.backoff import Backoff
from vnet_tui.engine.errors import VnetError

_LOG = logging.getLogger("vnet")

LOOK_SECONDS = 1.0
"""How often to look at the time that is left: what other engines do is seen then, and that the
machine slept (asyncio's clock, CLOCK_MONOTONIC, doesn't count that)."""

LONGEST_RETRY = 60.0
"""Seconds after which what failed is tried again at the latest: guests may be cut off meanwhile."""


class Keeper:
    """Calls ``roll_back`` when no time remains.

    ``remaining`` gives the seconds that do, or None where no checkpoint is open; it is called
    once a second and must be quick. Where one of them raises, both are called again later.
    """

    def __init__(
        self, remaining: Callable[[], float | None], roll_back: Callable[[], Awaitable[None]]
    ) -> None:
        self._remaining = remaining
        self._roll_back = roll_back
        self._forever = False
        self._task: asyncio.Task[None] | None = None

    @property
    def keeps(self) -> bool:
        """Whether it is at work."""
        return self._task is not None and not self._task.done()

    def start(self, *, forever: bool = False) -> None:
        """Keep the checkpoint that is open; ``forever``: those that others open later, too."""
        self._forever = self._forever or forever
        if not self.keeps:
            self._task = asyncio.get_running_loop().create_task(
                self._keep(),
                context=contextvars.Context(),  # not on behalf of whoever opened it
            )

    async def close(self) -> None:
        """Stop keeping; a roll-back that has begun comes to its end before."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            try:
                left = self._remaining()
                if left is None:
                    backoff = Backoff()
                    if not self._forever:
                        return
                    left = LOOK_SECONDS
                elif left <= 0:
                    await self._roll_back()
                    continue
            except Exception as error:
                # Guests may be cut off: whatever it was, this isn't given up.
                if not isinstance(error, VnetError):
                    _LOG.exception("a checkpoint's deadline couldn't be met")
                backoff.tried(failed=True)
                await asyncio.sleep(min(backoff.wait(), LONGEST_RETRY))
            else:
                await asyncio.sleep(min(left, LOOK_SECONDS))
