"""How often something may happen."""

from __future__ import annotations

import time
from collections import deque


class Pace:
    """Lets something happen so often in so many seconds, and no more."""

    def __init__(self, often: int, seconds: float) -> None:
        self._often = often
        self._seconds = seconds
        self._when: deque[float] = deque(maxlen=often)

    def allowed(self) -> bool:
        """Whether it may happen now; if so, it counts."""
        now = time.monotonic()
        if len(self._when) == self._often and now - self._when[0] < self._seconds:
            return False
        self._when.append(now)
        return True
