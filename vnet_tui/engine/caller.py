"""On whose behalf the engine works just now, for the log of changes and for checkpoints."""

from __future__ import annotations

import os
import pwd
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """``who`` is told to people and written to logs; ``session`` is one client from its connecting
    to its end, unique among all that this host's engines serve."""

    who: str
    session: str


def this_process() -> Caller:
    """Whoever runs this process."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    return Caller(who=f"{name} (process {os.getpid()})", session=f"process-{os.getpid()}")


CALLER: ContextVar[Caller | None] = ContextVar("CALLER", default=None)
"""Set by who serves several clients with one engine; None: whoever runs this process."""


def caller() -> Caller:
    """On whose behalf this task works."""
    return CALLER.get() or this_process()
