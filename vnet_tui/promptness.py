"""How Python shares its time, so that nobody waits for work that is done beside theirs."""

from __future__ import annotations

import gc
import sys

SWITCH_SECONDS = 0.0005
"""So long a thread computes before another one that wants to gets its turn. Who answers a key
waits a dozen times for it; with Python's own 5 ms that makes 60, while a long document is read."""

YOUNG = 20_000
"""So many new objects are waited for, instead of 700, before garbage is looked for among them. What
an edit of ten thousand rules makes has gone by then, without being looked through."""

FULL_COLLECTION = 200
"""One in so many collections of garbage looks at everything, instead of one in ten. That takes
130 ms with a document of ten thousand rules open, and nearly all that it looks at is in use."""


def be_prompt() -> None:
    """Set all of it, for this process."""
    sys.setswitchinterval(SWITCH_SECONDS)
    _, middle, _ = gc.get_threshold()
    gc.set_threshold(YOUNG, middle, FULL_COLLECTION)
