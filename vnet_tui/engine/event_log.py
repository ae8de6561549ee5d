"""The events of the last while in a file of the run directory, which all programs share.

One JSON object a line, appended with a single write, so that lines of several programs don't
mix (open(2), O_APPEND). A line begins with a line end too: what follows half a line, left by a
full disk, is whole again. When the file is full it becomes the earlier one and a new one begins.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

from vnet_tui.engine.model import Action
from vnet_tui.engine.views import Denial, Event, EventKind

MAX_BYTES = 256 * 1024
"""The size of the file; together with the earlier one it never takes more than twice this."""

LONGEST_TEXT = 2000
"""Characters of a message or a name that are kept."""

_MODE = 0o640


class EventLog:
    """Appends events, and reads those that other programs appended."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._earlier = path.with_name(f"{path.name}.1")
        self._max_bytes = max_bytes
        self._writer = uuid.uuid4().hex
        self._inode = 0
        self._offset = 0

    def append(self, event: Event) -> None:
        """Write one event. Raises OSError; takes microseconds on a run directory in memory."""
        record: dict[str, object] = {
            "time": event.time.isoformat(),
            "kind": event.kind,
            "network": str(event.network) if event.network else None,
            "name": event.name[:LONGEST_TEXT],
            "message": event.message[:LONGEST_TEXT],
            "writer": self._writer,
        }
        if event.denial is not None:
            record["denial"] = _fields(event.denial)
        line = f"\n{json.dumps(record)}\n".encode()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while not self._write(line):
            pass  # it was set aside between opening and locking it

    def _write(self, line: bytes) -> bool:
        """Append to the file that is current; False where it isn't any more.

        Writers lock it together, who sets it aside alone: nothing is written to it afterwards.
        """
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            if not self._is_current(handle):
                return False
            if os.fstat(handle).st_size + len(line) > self._max_bytes:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if self._is_current(handle):
                    self._path.replace(self._earlier)
                return False
            os.write(handle, line)
            return True
        finally:
            os.close(handle)

    def _is_current(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self._path.stat())
        except FileNotFoundError:
            return False

    def news(self) -> Iterator[Event]:
        """What others appended since the last call, oldest first; at first, all that there is."""
        for line in self._lines():
            event = self._event(line)
            if event is not None:
                yield event

    def _lines(self) -> list[bytes]:
        with contextlib.ExitStack() as stack:
            files = []
            for path in (self._path, self._earlier):
                with contextlib.suppress(OSError):
                    files.append(stack.enter_context(path.open("rb")))
            lines: list[bytes] = []
            inodes = [os.fstat(file.fileno()).st_ino for file in files]
            # From the file that was read last; from the earliest where that is gone.
            last = inodes.index(self._inode) if self._inode in inodes else len(files) - 1
            for position in range(last, -1, -1):
                offset = self._offset if inodes[position] == self._inode else 0
                if offset > os.fstat(files[position].fileno()).st_size:
                    offset = 0  # another file with the number of one that is gone
                files[position].seek(offset)
                whole, end, _ = files[position].read().rpartition(b"\n")
                lines.extend(whole.split(b"\n"))
                self._inode, self._offset = inodes[position], offset + len(whole) + len(end)
        return lines

    def _event(self, line: bytes) -> Event | None:
        try:
            record = json.loads(line)
            if record["writer"] == self._writer:
                return None
            return Event(
                time=datetime.fromisoformat(record["time"]),
                kind=EventKind(record["kind"]),
                network=UUID(record["network"]) if record["network"] else None,
                name=str(record["name"]),
                message=str(record["message"]),
                denial=_denial(record["denial"]) if "denial" in record else None,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None  # an empty line, half a line, or another version's


def _fields(denial: Denial) -> dict[str, object]:
    """A denial as JSON has it: what isn't a number or None is text."""
    return {
        name: value if isinstance(value, int | float | None) else str(value)[:LONGEST_TEXT]
        for name, value in asdict(denial).items()
    }


def _denial(fields: dict[str, Any]) -> Denial:
    """The way back. Raises ValueError, KeyError or TypeError for anything else."""
    return Denial(
        time=float(fields["time"]),
        network=UUID(fields["network"]),
        direction=str(fields["direction"]),
        action=Action(fields["action"]),
        guest=str(fields["guest"]),
        protocol=str(fields["protocol"]),
        source=ip_address(fields["source"]),
        destination=ip_address(fields["destination"]),
        source_port=int(fields["source_port"]),
        port=int(fields["port"]),
        asked=ip_address(fields["asked"]) if fields["asked"] else None,
        asked_port=int(fields["asked_port"]),
        rule=str(fields["rule"]),
        times=int(fields["times"]),
    )
