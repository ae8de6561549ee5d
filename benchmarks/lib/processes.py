"""The processes of a private namespace and the memory that they take."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def running(program: str) -> list[int]:
    """The ids of the processes whose program has this file name."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")[0]
            except OSError:
                continue  # it ended while we looked
            if Path(command.decode()).name == program:
                found.append(int(entry.name))
    return found


def processor_time(pid: int) -> float:
    """Seconds that the threads of a process have run so far, those that live (proc(5))."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def proportional_memory(pids: Iterable[int]) -> int:
    """The sum of their PSS, in bytes: what is shared with others counts in parts (proc(5))."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total
