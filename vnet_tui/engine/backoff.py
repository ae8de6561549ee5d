"""How long to wait before mending again what can't be mended, or what others keep undoing."""

from __future__ import annotations

import time
from collections.abc import Callable

FREE = 5
"""How many repairs others may undo, one after another, before the next one has to wait."""

FIRST_SECONDS = 1.0
"""How long to wait at first; each further time twice as long."""

LONGEST_SECONDS = 300.0
"""The longest wait."""

QUIET_SECONDS = 60.0
"""After so long without trouble, beyond the last wait, what was is forgotten."""


class Backoff:
    """The repairs of one thing, and when the next may be tried.

    What fails is tried again after 1 s, 2 s, 4 s and so on; what was mended and undone by others
    is mended at once five times, then it waits likewise. ``clock`` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries = 0
        self._last = 0.0
        self._delay = 0.0
        self.longest = 0

    @property
    def tries(self) -> int:
        """How many repairs there were since all was quiet."""
        return self._tries

    @property
    def quiet(self) -> bool:
        """Whether there was no trouble for so long that what was doesn't count any more."""
        return self._clock() > self._last + self._delay + QUIET_SECONDS

    def wait(self) -> float:
        """Seconds until the next repair may be tried; 0: now."""
        return max(0.0, self._last + self._delay - self._clock())

    def tried(self, *, failed: bool) -> None:
        """A repair was made, or failed."""
        if self.quiet:
            self._tries = 0
        self._tries += 1
        self._last = self._clock()
        beyond = self._tries - (0 if failed else FREE)
        # Beyond the longest wait the power needn't be worked out, and would overflow some day.
        self._delay = (
            min(FIRST_SECONDS * 2.0 ** min(beyond - 1, 16), LONGEST_SECONDS) if beyond > 0 else 0.0
        )
        self.longest = self.longest + 1 if self._delay == LONGEST_SECONDS else 0
