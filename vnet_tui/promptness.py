"""How Python shares its time, so that no key waits for work that is done beside it."""

from __future__ import annotations

import gc
import sys

SWITCH_SECONDS = 0.0005
"""So long a thread computes before another one that wants to gets its turn. Who answers a key
waits a dozen times for it; with Python's own 5 ms that makes 60, while a long document is read."""

FULL_COLLECTION = 200
"""One in so many collections of garbage looks at everything, instead of one in ten. That takes
130 ms with a document of ten thousand rules open, and nearly all that it looks at is in use."""


def be_prompt() -> None:
    """Set both, for this process."""
    sys.setswitchinterval(SWITCH_SECONDS)
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_COLLECTION)
