"""Waiting until no packet is any more among rules that were replaced.

Packets meet rules under RCU's read lock, and ``MEMBARRIER_CMD_GLOBAL`` returns when all who held
it have let go (membarrier(2); ``kernel/sched/membarrier.c``). It takes some milliseconds and no
work.
"""

from __future__ import annotations

import ctypes
import os
import time

_SYSCALLS = {"x86_64": 324, "aarch64": 283, "riscv64": 283}
_GLOBAL = 1
_LONG_ENOUGH = 0.05


def grace_period() -> None:
    """Return when whoever was in the rules at the time of the call has left them."""
    number = _SYSCALLS.get(os.uname().machine)
    if number is None or ctypes.CDLL(None).syscall(number, _GLOBAL, 0, 0) != 0:
        time.sleep(_LONG_ENOUGH)
